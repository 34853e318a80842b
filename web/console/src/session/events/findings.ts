/** Going from finding to finding, in the order of the time things happened. */

import type { SessionEvent } from '../../api/types';
import { isFinding } from '../../severity/severity';
import { byTime } from '../timeline/states';

export const findingsOf = (events: readonly SessionEvent[]): SessionEvent[] =>
  events.filter(isFinding).sort(byTime);

/**
 * The finding before or after where one is. Where one is, is the selected event while the playhead is still near it
 * (several findings may share a second), else the playhead.
 */
export function stepFinding(
  findings: readonly SessionEvent[],
  direction: 1 | -1,
  at: number,
  selected: SessionEvent | null,
): SessionEvent | null {
  const here = selected && Math.abs(selected.occurred_at - at) < 1_000 ? selected : null;
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
