/** What an event points to. */

import type { Capture, SessionEvent } from '../api/types';

/** The stills an event refers to, in its evidence or in its data; each once. */
export function stillsOf(event: SessionEvent, captures: ReadonlyMap<string, Capture>): Capture[] {
  const { still, evidence_id, evidence_ids } = event.data;
  const ids = [
    ...event.evidence.filter((item) => item.kind === 'capture').map((item) => item.id),
    still,
    evidence_id,
    ...(Array.isArray(evidence_ids) ? evidence_ids : []),
  ];
  const found = new Set(ids.filter((id): id is string => typeof id === 'string'));
  return [...found].map((id) => captures.get(id)).filter((capture) => capture !== undefined);
}
