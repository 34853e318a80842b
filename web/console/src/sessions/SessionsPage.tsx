import { Button, Group, Loader, Text, Title } from '@mantine/core';
import { useDebouncedValue, useIntersection, useMediaQuery } from '@mantine/hooks';
import { useEffect, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { type SessionFilter, useSessions } from '../api/queries';
import type { SessionState } from '../api/types';
import { ProblemAlert } from '../app/Problems';
import { useNow } from '../time/useNow';
import { NoMatches, NoSessions } from './EmptySessions';
import { SessionCards } from './SessionCards';
import { SessionFilters } from './SessionFilters';
import { SessionListSkeleton } from './SessionListSkeleton';
import classes from './SessionsPage.module.css';
import { SessionTable } from './SessionTable';

/** The filter lives in the address, so that going back and sharing a link keep it. */
function useFilter(): [SessionFilter, (change: Partial<SessionFilter>) => void] {
  const [search, setSearch] = useSearchParams();
  const filter: SessionFilter = {
    q: search.get('q') ?? '',
    examId: search.get('exam') ?? '',
    state: (search.get('state') ?? '') as SessionState | '',
  };
  const change = (next: Partial<SessionFilter>) => {
    const all = { ...filter, ...next };
    const wanted = Object.entries({ q: all.q, exam: all.examId, state: all.state }).filter(
      ([, value]) => value !== '',
    );
    setSearch(new URLSearchParams(wanted), { replace: true });
  };
  return [filter, change];
}

export function SessionsPage() {
  const [filter, change] = useFilter();
  const [q] = useDebouncedValue(filter.q, 250);
  const sessions = useSessions({ ...filter, q: q.trim() });
  const wide = useMediaQuery('(min-width: 900px)', true, { getInitialValueInEffect: false });
  const items = useMemo(() => sessions.data?.pages.flatMap((page) => page.items) ?? [], [sessions.data]);
  const { ref, entry } = useIntersection({ rootMargin: '400px' });
  const now = useNow(1_000);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = sessions;

  useEffect(() => {
    document.title = 'Sessions · OpenProctor';
  }, []);

  useEffect(() => {
    // A page that could not be had waits for a press or the list's next refresh, or it would be asked for without end.
    if (entry?.isIntersecting && hasNextPage && !isFetchingNextPage && !isFetchNextPageError)
      void fetchNextPage();
  }, [entry?.isIntersecting, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  const filtered = filter.q !== '' || filter.examId !== '' || filter.state !== '';
  return (
    <div className={classes.page}>
      <Group justify="space-between" align="end" mb="md" wrap="wrap" gap="sm">
        <Title order={1} size="h2">
          Sessions
        </Title>
      </Group>
      <SessionFilters filter={filter} change={change} />
      {sessions.isError && !sessions.data && (
        <ProblemAlert error={sessions.error} retry={() => void sessions.refetch()} />
      )}
      {sessions.isRefetchError && sessions.data && (
        <Text size="sm" c="dimmed" role="status" mb="xs">
          The list could not be refreshed; what you see may be out of date.
        </Text>
      )}
      {sessions.isPending && <SessionListSkeleton />}
      {sessions.data &&
        items.length === 0 &&
        (filtered ? <NoMatches clear={() => change({ q: '', examId: '', state: '' })} /> : <NoSessions />)}
      {items.length > 0 && (
        <div data-stale={sessions.isPlaceholderData || undefined} className={classes.list}>
          {wide ? <SessionTable sessions={items} now={now} /> : <SessionCards sessions={items} now={now} />}
          <div ref={ref} className={classes.more}>
            {isFetchingNextPage && <Loader size="sm" aria-label="Loading more sessions" />}
            {isFetchNextPageError && !isFetchingNextPage && (
              <Text size="sm" role="status">
                More sessions could not be loaded.
              </Text>
            )}
            {hasNextPage && !isFetchingNextPage && (
              <Button variant="default" onClick={() => void fetchNextPage()}>
                {isFetchNextPageError ? 'Try again' : 'Show more'}
              </Button>
            )}
            {!hasNextPage && (
              <Text size="sm" c="dimmed">
                {items.length === 1 ? '1 session' : `${items.length} sessions`}
              </Text>
            )}
          </div>
        </div>
      )}
    </div>
  );
}
