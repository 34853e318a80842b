/** What a row says of a session's times. */

import { isOver } from '../api/queries';
import type { SessionSummary } from '../api/types';
import { clockLength } from '../time/format';

/** From the start of the exam to its end, or to now while it runs; null before it started. */
export function lengthMs(session: SessionSummary, now: number): number | null {
  if (session.started_at === null) return null;
  const end = session.completed_at ?? session.finish_requested_at ?? (isOver(session) ? null : now);
  return end === null ? null : Math.max(0, end - session.started_at);
}

export function lengthText(session: SessionSummary, now: number): string {
  const length = lengthMs(session, now);
  return length === null ? '–' : clockLength(length);
}

export const sessionPath = (session: Pick<SessionSummary, 'id'>): string => `/sessions/${session.id}`;
