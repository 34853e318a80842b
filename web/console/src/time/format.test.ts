import { describe, expect, it } from 'vitest';
import { clockLength, wallDateTime, wallDateTimes, wordLength } from './format';

describe('times for people', () => {
  it('writes lengths like a clock', () => {
    expect(clockLength(0)).toBe('0:00');
    expect(clockLength(63_900)).toBe('1:03');
    expect(clockLength(63_900, { tenths: true })).toBe('1:03.9');
    expect(clockLength(3_723_000)).toBe('1:02:03');
    expect(clockLength(63_000, { hours: true })).toBe('0:01:03');
  });

  it('puts a minus before what lies before the start, but not before zero', () => {
    expect(clockLength(-5_000)).toBe('−0:05');
    expect(clockLength(-400)).toBe('0:00');
    expect(clockLength(-400, { tenths: true })).toBe('−0:00.4');
  });

  it('writes lengths in words', () => {
    expect(wordLength(850)).toBe('850 ms');
    expect(wordLength(4_240)).toBe('4.2 s');
    expect(wordLength(42_000)).toBe('42 s');
    expect(wordLength(185_000)).toBe('3 min 05 s');
    expect(wordLength(7_800_000)).toBe('2 h 10 min');
  });

  it('never rounds up to a whole of the next unit', () => {
    expect(wordLength(999.7)).toBe('1.0 s');
    expect(wordLength(9_960)).toBe('10 s');
    expect(wordLength(59_700)).toBe('1 min 00 s');
    expect(wordLength(3_599_700)).toBe('1 h 00 min');
  });

  it('keeps the minus of a length of any size, as of a clock that was set back', () => {
    expect(wordLength(-850)).toBe('−850 ms');
    expect(wordLength(-185_000)).toBe('−3 min 05 s');
  });

  it('names both days of what ends on another one', () => {
    const evening = new Date(2024, 4, 6, 23, 30).getTime();
    const [same, other] = [30, 90].map((minutes) => wallDateTimes(evening, evening + (minutes - 1) * 60_000));
    expect(same?.match(/2024/g)).toHaveLength(1);
    expect(other?.match(/2024/g)).toHaveLength(2);
  });

  it('writes the time of day in 24 h also beside a date', () => {
    const evening = new Date(2024, 4, 6, 23, 30).getTime();
    expect(wallDateTime(evening)).toContain('23:30');
    expect(wallDateTimes(evening, evening + 60_000)).toMatch(/23:30.*23:31/);
  });
});
