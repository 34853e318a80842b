import type { Session } from '../api/types';

/** Some moment, ms since 1970. */
export const T = 1_700_000_000_000;

/** A session that began at `T`, with what a test cares for. */
export const aSession = (told: Partial<Session> = {}): Session => ({
  id: 's',
  state: 'completed',
  exam: { id: 'e', title: 'Exam', url: null },
  candidate: { external_id: 'c', name: 'C', email: null },
  attempt: 1,
  created_at: T,
  joined_at: T,
  started_at: T,
  deadline_at: null,
  finish_requested_at: null,
  completed_at: null,
  outcome: null,
  connected: false,
  policy: {},
  checks: [],
  findings: { high: 0, medium: 0, low: 0, info: 0 },
  tracks: [],
  last_sequence: 0,
  ...told,
});
