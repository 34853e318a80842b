import { describe, expect, it } from 'vitest';
import type { Span } from '../../api/types';
import { holes, nextRecording, positionAt, stretches, wallAt } from './spans';

const T = 1_700_000_000_000;
// Two minutes, a gap of a minute, one minute, a seam of 200 ms, half a minute.
const spans: Span[] = [
  { from: T, until: T + 120_000, position_s: 0, part: 0 },
  { from: T + 180_000, until: T + 240_000, position_s: 120, part: 1 },
  { from: T + 240_200, until: T + 270_200, position_s: 180, part: 2 },
];

describe('time mapping', () => {
  it('maps a wall time inside a recording to its place on the playlist', () => {
    expect(positionAt(spans, T)).toBe(0);
    expect(positionAt(spans, T + 61_500)).toBe(61.5);
    expect(positionAt(spans, T + 200_000)).toBe(140);
  });

  it('has no place before, in a gap and after the recording', () => {
    expect(positionAt(spans, T - 1)).toBeNull();
    expect(positionAt(spans, T + 120_000)).toBeNull();
    expect(positionAt(spans, T + 179_999)).toBeNull();
    expect(positionAt(spans, T + 270_200)).toBeNull();
    expect(positionAt([], T)).toBeNull();
  });

  it('goes over a seam between two parts to the next one', () => {
    expect(positionAt(spans, T + 240_100)).toBe(180);
  });

  it('maps a place on the playlist back to the wall time', () => {
    expect(wallAt(spans, 0)).toBe(T);
    expect(wallAt(spans, 119.5)).toBe(T + 119_500);
    expect(wallAt(spans, 120)).toBe(T + 180_000);
    expect(wallAt(spans, 210.03)).toBe(T + 270_200);
    expect(wallAt(spans, 212)).toBeNull();
    expect(wallAt(spans, -1)).toBeNull();
  });

  it('comes back to the same wall time from everywhere in a recording', () => {
    for (let at = T; at < T + 270_200; at += 777) {
      const position = positionAt(spans, at);
      if (position !== null && at < T + 240_000) expect(wallAt(spans, position)).toBeCloseTo(at, 3);
    }
  });

  it('draws spans with the seams closed and lists what is missing', () => {
    expect(stretches(spans)).toEqual([
      { from: T, until: T + 120_000 },
      { from: T + 180_000, until: T + 270_200 },
    ]);
    expect(holes(spans, { from: T - 5_000, until: T + 300_000 })).toEqual([
      { from: T - 5_000, until: T },
      { from: T + 120_000, until: T + 180_000 },
      { from: T + 270_200, until: T + 300_000 },
    ]);
    expect(holes([], { from: T, until: T + 10 })).toEqual([{ from: T, until: T + 10 }]);
  });

  it('finds the next recording of any track', () => {
    const screen: Span[] = [{ from: T + 150_000, until: T + 160_000, position_s: 0, part: 0 }];
    expect(nextRecording([spans, screen], T + 5)).toBe(T + 5);
    expect(nextRecording([spans, screen], T + 130_000)).toBe(T + 150_000);
    expect(nextRecording([spans], T + 130_000)).toBe(T + 180_000);
    expect(nextRecording([spans, screen], T + 400_000)).toBeNull();
  });
});
