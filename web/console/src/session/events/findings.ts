/** Going from finding to finding, in the order of the time things happened. */

import type { Capture, SessionEvent } from '../../api/types';
import { isFinding } from '../../severity/severity';
import { stillsOf } from '../evidence';
import { byTime } from '../timeline/states';

export const findingsOf = (events: readonly SessionEvent[]): SessionEvent[] =>
  events.filter(isFinding).sort(byTime);

/** Times are cut to whole ms, so a picture may begin a part of one later: this is safely inside it. */
const INSIDE_PICTURE_MS = 10;
/** A still taken much later than the event shows something else than its beginning. */
const LONGEST_MS = 60_000;

/** Where the players show what an event tells of: the picture that was kept as its evidence, else where it began. */
export function shownAt(event: SessionEvent, captures: ReadonlyMap<string, Capture>): number {
  const after = stillsOf(event, captures)
    .map((still) => still.captured_at)
    .filter((at) => at >= event.occurred_at && at - event.occurred_at <= LONGEST_MS);
  return (
    Math.min(...after, after.length > 0 ? Number.POSITIVE_INFINITY : event.occurred_at) + INSIDE_PICTURE_MS
  );
}

/**
 * The finding before or after where one is. Where one is, is the selected event while the playhead is still near it
 * (several findings may share a second), else the playhead. `shown` is where the players go for the selected one.
 */
export function stepFinding(
  findings: readonly SessionEvent[],
  direction: 1 | -1,
  at: number,
  selected: SessionEvent | null,
  shown: (event: SessionEvent) => number = (event) => event.occurred_at,
): SessionEvent | null {
  const here = selected && Math.abs(shown(selected) - at) < 1_000 ? selected : null;
  if (direction > 0) {
    return findings.find((event) => (here ? byTime(event, here) > 0 : event.occurred_at > at)) ?? null;
  }
  return findings.findLast((event) => (here ? byTime(event, here) < 0 : event.occurred_at < at)) ?? null;
}

/** The last event at or before `at`; `events` ordered by time. -1 when none is. */
export function indexAt(events: readonly SessionEvent[], at: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle] as SessionEvent).occurred_at <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
