import { useMutation, useQueryClient } from '@tanstack/react-query';
import { get, put } from '../../api/client';
import { keys } from '../../api/queries';
import type { Accommodation, AccommodationWish, Session } from '../../api/types';
import { areSame } from './grants';

/** Somebody else changed the accommodations since they were last shown; nothing was saved. */
export class ChangedMeanwhile extends Error {
  constructor(readonly now: Accommodation[]) {
    super('The accommodations were changed meanwhile');
    this.name = 'ChangedMeanwhile';
  }
}

export interface Grant {
  /** The list that was shown to whoever decides. */
  shown: readonly Accommodation[];
  /** The whole list from now on. */
  wanted: AccommodationWish[];
}

/** Replaces the accommodations of a session, unless they are no longer those that were shown. */
export function useGrant(id: string) {
  const client = useQueryClient();
  const show = (accommodations: Accommodation[]) =>
    client.setQueryData<Session>(keys.session(id), (session) => session && { ...session, accommodations });
  return useMutation({
    mutationFn: async ({ shown, wanted }: Grant) => {
      // The server replaces the whole list without asking which one it replaces.
      const { accommodations: now = [] } = await get<Session>(`/sessions/${id}`);
      if (!areSame(now, shown)) {
        show(now);
        throw new ChangedMeanwhile(now);
      }
      const body = { accommodations: wanted };
      return put<{ accommodations: Accommodation[] }>(`/sessions/${id}/accommodations`, body);
    },
    onSuccess: async ({ accommodations }) => {
      // An answer that was asked for before must not bring the old list back.
      await client.cancelQueries({ queryKey: keys.session(id), exact: true });
      show(accommodations);
      void client.invalidateQueries({ queryKey: keys.events(id) });
    },
  });
}
