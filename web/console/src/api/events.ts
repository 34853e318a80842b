import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { get, query } from './client';
import { keys } from './queries';
import type { EventPage, SessionEvent } from './types';

const PAGE = 5_000;
const LIVE_REFRESH_MS = 1_500;

/** Everything after what is already known. The same array comes back when nothing is new, so nothing is drawn again. */
export async function fetchEvents(
  id: string,
  known: SessionEvent[],
  fetchPage: (path: string) => Promise<EventPage>,
): Promise<SessionEvent[]> {
  const fresh: SessionEvent[] = [];
  let after = known.at(-1)?.sequence;
  for (;;) {
    const page = await fetchPage(`/sessions/${id}/events${query({ after, limit: PAGE })}`);
    for (const event of page.items) {
      if (after === undefined || event.sequence > after) {
        fresh.push(event);
        after = event.sequence;
      }
    }
    if (page.next === null || page.items.length === 0) break;
  }
  return fresh.length === 0 ? known : [...known, ...fresh];
}

/** The session's log in the order of its sequence; while it is live, new entries are appended as they come. */
export function useEvents(id: string, live: boolean) {
  const client: QueryClient = useQueryClient();
  return useQuery({
    queryKey: keys.events(id),
    queryFn: ({ signal }) =>
      fetchEvents(id, client.getQueryData<SessionEvent[]>(keys.events(id)) ?? [], (path) =>
        get(path, signal),
      ),
    refetchInterval: live ? LIVE_REFRESH_MS : false,
    // Thousands of entries: comparing them deeply on each answer would cost more than it saves.
    structuralSharing: false,
  });
}
