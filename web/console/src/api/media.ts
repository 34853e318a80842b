import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { trackMediaQuery } from './queries';
import type { TrackMedia } from './types';

export interface Recordings {
  media: TrackMedia[];
  /** Every track was answered once. A track that comes later does not take this back. */
  ready: boolean;
  /** The newest answer of a track is an error. */
  stale: boolean;
  /** Why there is nothing to begin with. */
  failed: { error: Error; refetch: () => Promise<unknown> } | null;
}

/** What was recorded of each track; `tracks` is undefined until it is known which there are. */
export function useRecordings(id: string, tracks: string[] | undefined, growing: boolean): Recordings {
  const { media, pending, stale, error, refetch } = useQueries({
    queries: (tracks ?? []).map((track) => trackMediaQuery(id, track, growing)),
    combine: (results) => {
      const failed = results.find((result) => result.isError && result.data === undefined);
      return {
        media: results.map((result) => result.data).filter((data): data is TrackMedia => data !== undefined),
        pending: results.some((result) => result.isPending),
        stale: results.some((result) => result.errorUpdatedAt > result.dataUpdatedAt),
        error: failed?.error ?? null,
        refetch: failed?.refetch ?? null,
      };
    },
  });
  const [begun, setBegun] = useState(false);
  const complete = tracks !== undefined && !pending && error === null;
  if (complete && !begun) setBegun(true);
  const ready = begun || complete;
  return { media, ready, stale, failed: !ready && error && refetch ? { error, refetch } : null };
}
