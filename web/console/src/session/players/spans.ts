/** Wall time ↔ place on a track's playlist. Wall times are ms since 1970, positions seconds on the HLS timeline. */

import type { Span } from '../../api/types';

/** Spans closer than this are one recording: a recorder start takes a moment and is no gap worth showing. */
export const SEAM_MS = 700;

/** Index of the last span that begins at or before `at`, or -1. */
function lastBefore(spans: readonly Span[], at: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).from <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Where on the playlist the wall time lies, or null where nothing was recorded. A seam counts as the end of its span. */
export function positionAt(spans: readonly Span[], at: number): number | null {
  const index = lastBefore(spans, at);
  const span = spans[index];
  if (!span) return null;
  if (at < span.until) return span.position_s + (at - span.from) / 1000;
  const next = spans[index + 1];
  const inSeam = next !== undefined && next.from - span.until <= SEAM_MS;
  return inSeam ? next.position_s : null;
}

/** The wall time of a place on the playlist, or null before the first or after the last span. */
export function wallAt(spans: readonly Span[], position: number): number | null {
  for (let i = spans.length - 1; i >= 0; i--) {
    const span = spans[i] as Span;
    if (position >= span.position_s) {
      const at = span.from + (position - span.position_s) * 1000;
      // A playlist's lengths are rounded; a hair behind the end still belongs to the span.
      return at <= span.until + 50 ? Math.min(at, span.until) : null;
    }
  }
  return null;
}

/** Spans with the seams closed, for drawing. */
export function stretches(spans: readonly Span[]): { from: number; until: number }[] {
  const out: { from: number; until: number }[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (last && span.from - last.until <= SEAM_MS) last.until = Math.max(last.until, span.until);
    else out.push({ from: span.from, until: span.until });
  }
  return out;
}

/** The stretches without recording inside `bounds`, with those before the first and after the last span. */
export function holes(
  spans: readonly Span[],
  bounds: { from: number; until: number },
): { from: number; until: number }[] {
  const out: { from: number; until: number }[] = [];
  let at = bounds.from;
  for (const stretch of stretches(spans)) {
    if (stretch.from > at) out.push({ from: at, until: Math.min(stretch.from, bounds.until) });
    at = Math.max(at, stretch.until);
  }
  if (at < bounds.until) out.push({ from: at, until: bounds.until });
  return out;
}

/** The next wall time, after `at`, at which any of the tracks has a recording; null when none will. */
export function nextRecording(tracks: readonly (readonly Span[])[], at: number): number | null {
  let next: number | null = null;
  for (const spans of tracks) {
    if (positionAt(spans, at) !== null) return at;
    const span = spans[lastBefore(spans, at) + 1];
    if (span && (next === null || span.from < next)) next = span.from;
  }
  return next;
}

export const lastRecorded = (spans: readonly Span[]): number | null => spans.at(-1)?.until ?? null;
