import {
  keepPreviousData,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { ApiProblem, get, isSignedOut, post, query } from './client';
import type {
  Capture,
  Catalog,
  Exam,
  Page,
  Person,
  Session,
  SessionState,
  SessionSummary,
  TrackMedia,
} from './types';

const LIST_REFRESH_MS = 5_000;
const LIVE_REFRESH_MS = 2_000;

export const keys = {
  me: ['me'] as const,
  catalog: ['catalog'] as const,
  exams: ['exams'] as const,
  sessions: (filter: SessionFilter) => ['sessions', filter] as const,
  session: (id: string) => ['session', id] as const,
  events: (id: string) => ['session', id, 'events'] as const,
  captures: (id: string) => ['session', id, 'captures'] as const,
  media: (id: string, track: string) => ['session', id, 'media', track] as const,
};

/** Who is signed in; `null` when nobody is. */
export const useMe = () =>
  useQuery({
    queryKey: keys.me,
    queryFn: async ({ signal }): Promise<Person | null> => {
      try {
        return await get<Person>('/me', signal);
      } catch (error) {
        if (isSignedOut(error)) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationKey: ['sign-in'],
    mutationFn: (form: { email: string; password: string }) => post<unknown>('/sign-in', form),
    onSuccess: () => {
      // What somebody else was shown in this window before is not for whoever signs in now.
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] });
      return client.invalidateQueries({ queryKey: keys.me });
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => post<unknown>('/sign-out'),
    onSuccess: () => {
      client.clear();
      client.setQueryData(keys.me, null);
    },
  });
}

export const useCatalog = () =>
  useQuery({
    queryKey: keys.catalog,
    queryFn: ({ signal }) => get<Catalog>('/catalog', signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useExams = () =>
  useQuery({
    queryKey: keys.exams,
    queryFn: ({ signal }) => get<Page<Exam>>('/exams', signal),
    staleTime: 30_000,
  });

export interface SessionFilter {
  q: string;
  examId: string;
  state: SessionState | '';
}

export const useSessions = (filter: SessionFilter) =>
  useInfiniteQuery({
    queryKey: keys.sessions(filter),
    queryFn: ({ pageParam, signal }) =>
      get<Page<SessionSummary>>(
        `/sessions${query({ q: filter.q, exam_id: filter.examId, state: filter.state, limit: 50, cursor: pageParam })}`,
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    // Every loaded page is fetched again, so a long list refreshes less often.
    refetchInterval: (state) => LIST_REFRESH_MS * Math.max(1, state.state.data?.pages.length ?? 1),
  });

const ENDED: ReadonlySet<SessionState> = new Set(['completed', 'terminated', 'expired']);
export const isOver = (session: Pick<SessionSummary, 'state'>): boolean => ENDED.has(session.state);

export const useSession = (id: string) =>
  useQuery({
    queryKey: keys.session(id),
    queryFn: ({ signal }) => get<Session>(`/sessions/${id}`, signal),
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : LIVE_REFRESH_MS),
  });

/** Stills come with short-lived links, so the list is renewed before they run out. */
export const useCaptures = (id: string, live: boolean) =>
  useQuery({
    queryKey: keys.captures(id),
    queryFn: async ({ signal }) =>
      (await get<{ items: Capture[] }>(`/sessions/${id}/captures`, signal)).items,
    refetchInterval: live ? 5_000 : 240_000,
  });

export const trackMediaQuery = (id: string, track: string, live: boolean) =>
  queryOptions({
    queryKey: keys.media(id, track),
    queryFn: ({ signal }) => get<TrackMedia>(`/sessions/${id}/media/${track}`, signal),
    refetchInterval: live ? LIVE_REFRESH_MS : (false as const),
  });

/** A refusal is final; only what may pass by itself is tried again. */
export const worthAnotherTry = (failures: number, error: unknown): boolean =>
  failures < 2 && (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500);
