/** The visible window of the timeline: pure arithmetic. Times in ms, widths in CSS pixels. */

export interface Range {
  from: number;
  until: number;
}

export const SHORTEST_MS = 2_000;

export const lengthOf = (range: Range): number => range.until - range.from;

/** A little air at both ends, so that what lies there can be seen whole. */
export function padded(range: Range): Range {
  const air = Math.max(lengthOf(range) * 0.012, 1_000);
  return { from: range.from - air, until: range.until + air };
}

/** `range` moved and cut so that it lies inside `bounds` and is not shorter than allowed. */
export function within(range: Range, bounds: Range): Range {
  const whole = Math.max(lengthOf(bounds), 1);
  const length = Math.min(Math.max(lengthOf(range), Math.min(SHORTEST_MS, whole)), whole);
  const centre = (range.from + range.until) / 2;
  const from = length === lengthOf(range) ? range.from : centre - length / 2;
  const start = Math.min(Math.max(from, bounds.from), bounds.until - length);
  return { from: start, until: start + length };
}

/** Zoomed by `factor` (>1 comes nearer) with the time `anchor` staying where it is. */
export function zoomed(range: Range, bounds: Range, factor: number, anchor: number): Range {
  const length = Math.min(Math.max(lengthOf(range) / factor, SHORTEST_MS), lengthOf(bounds));
  const share = (anchor - range.from) / Math.max(lengthOf(range), 1);
  const from = anchor - share * length;
  return within({ from, until: from + length }, bounds);
}

export const panned = (range: Range, bounds: Range, by: number): Range =>
  within({ from: range.from + by, until: range.until + by }, bounds);

/** A window of the same length that shows `at`: unchanged when it does, else turned like a page. */
export function showing(range: Range, bounds: Range, at: number): Range {
  if (at >= range.from && at <= range.until) return range;
  const length = lengthOf(range);
  const from = at > range.until ? at - length * 0.1 : at - length * 0.9;
  return within({ from, until: from + length }, bounds);
}

export const xOf = (at: number, range: Range, width: number): number =>
  ((at - range.from) / Math.max(lengthOf(range), 1)) * width;

export const timeOf = (x: number, range: Range, width: number): number =>
  range.from + (x / Math.max(width, 1)) * lengthOf(range);

const STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400,
].map((s) => s * 1_000);

/** Times of the ruler's marks, multiples of a round step counted from `zero`, at least `gap` pixels apart. */
export function ruler(
  range: Range,
  width: number,
  zero: number,
  gap = 76,
): { step: number; marks: number[] } {
  const least = (gap / Math.max(width, 1)) * lengthOf(range);
  const step = STEPS_MS.find((candidate) => candidate >= least) ?? (STEPS_MS.at(-1) as number);
  const marks: number[] = [];
  for (let at = zero + Math.ceil((range.from - zero) / step) * step; at <= range.until; at += step)
    marks.push(at);
  return { step, marks };
}
