import { describe, expect, it } from 'vitest';
import { lengthOf, panned, ruler, SHORTEST_MS, showing, timeOf, within, xOf, zoomed } from './viewport';

const bounds = { from: 1_000_000, until: 11_800_000 };

describe('visible window', () => {
  it('never leaves the session and never gets too short', () => {
    expect(within({ from: 0, until: 10_000 }, bounds)).toEqual({ from: 1_000_000, until: 1_010_000 });
    expect(within({ from: 0, until: 99_000_000 }, bounds)).toEqual(bounds);
    expect(lengthOf(within({ from: 2_000_000, until: 2_000_001 }, bounds))).toBe(SHORTEST_MS);
    expect(within({ from: 5, until: 6 }, { from: 5, until: 6 })).toEqual({ from: 5, until: 6 });
  });

  it('keeps the time under the pointer where it is while zooming', () => {
    const near = zoomed(bounds, bounds, 4, 4_000_000);
    expect(xOf(4_000_000, near, 800)).toBeCloseTo(xOf(4_000_000, bounds, 800), 6);
    expect(lengthOf(near)).toBeCloseTo(lengthOf(bounds) / 4, 6);
    expect(zoomed(near, bounds, 0.01, 4_000_000)).toEqual(bounds);
  });

  it('pans up to the ends', () => {
    const view = { from: 2_000_000, until: 3_000_000 };
    expect(panned(view, bounds, 500_000)).toEqual({ from: 2_500_000, until: 3_500_000 });
    expect(panned(view, bounds, -9e9).from).toBe(bounds.from);
    expect(panned(view, bounds, 9e9).until).toBe(bounds.until);
  });

  it('turns the page only when the playhead leaves it', () => {
    const view = { from: 2_000_000, until: 3_000_000 };
    expect(showing(view, bounds, 2_500_000)).toBe(view);
    const next = showing(view, bounds, 3_000_001);
    expect(next.from).toBeLessThan(3_000_001);
    expect(lengthOf(next)).toBe(lengthOf(view));
  });

  it('maps between times and pixels both ways', () => {
    expect(timeOf(xOf(7_654_321, bounds, 913), bounds, 913)).toBeCloseTo(7_654_321, 3);
  });

  it('puts round marks on the ruler, counted from the start of the exam', () => {
    const zero = 1_234_567;
    const { step, marks } = ruler(bounds, 900, zero);
    expect(marks.every((at) => (at - zero) % step === 0)).toBe(true);
    expect(marks.length).toBeLessThanOrEqual(12);
    expect(marks.length).toBeGreaterThan(3);
  });
});
