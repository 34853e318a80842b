import { describe, expect, it } from 'vitest';
import { clockLength, wordLength } from './format';

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
});
