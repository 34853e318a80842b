import { Button, Container, Stack, Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import { Link, useParams } from 'react-router';
import { isMissing } from '../api/client';
import { useEvents } from '../api/events';
import { useRecordings } from '../api/media';
import { isOver, useCaptures, useCatalog, useSession } from '../api/queries';
import type { Capture } from '../api/types';
import { ProblemAlert } from '../app/Problems';
import { useNow } from '../time/useNow';
import { buildModel } from './model';
import { SessionDesk } from './SessionDesk';
import { SessionSkeleton } from './SessionSkeleton';

const NO_CAPTURES: Capture[] = [];
/** A session that just ended may still get the last of its recording and findings of the analysis. */
const AFTERMATH_MS = 10 * 60_000;

function MissingSession() {
  return (
    <Container size="xs" py={96}>
      <Stack align="flex-start">
        <Title order={1} size="h2">
          This session does not exist
        </Title>
        <Text c="dimmed">
          It may have been deleted when its time was over, or belong to another organization.
        </Text>
        <Button component={Link} to="/sessions">
          To the sessions
        </Button>
      </Stack>
    </Container>
  );
}

/** Gathers what the page needs and hands it on as one model. */
function Loaded({ id }: { id: string }) {
  const catalog = useCatalog();
  const session = useSession(id);
  const now = useNow(60_000);
  const live = session.data ? !isOver(session.data) : false;
  const ended = session.data?.completed_at ?? 0;
  const growing = live || now - ended < AFTERMATH_MS;
  const events = useEvents(id, growing);
  const captures = useCaptures(id, growing);
  const tracks = session.data?.tracks.filter((track) => track.chunks > 0).map((track) => track.track);
  const recordings = useRecordings(id, tracks, growing);
  const { media, ready } = recordings;
  const stills = captures.data ?? NO_CAPTURES;

  const model = useMemo(
    () =>
      session.data && catalog.data && events.data && ready
        ? buildModel(session.data, catalog.data, events.data, media, stills)
        : null,
    [session.data, catalog.data, events.data, media, ready, stills],
  );

  const failed =
    [session, catalog, events].find((query) => query.isError && query.data === undefined) ??
    recordings.failed;
  if (failed) {
    if (failed !== recordings.failed && isMissing(failed.error)) return <MissingSession />;
    return (
      <Container size="xs" py={96}>
        <ProblemAlert error={failed.error} retry={() => void failed.refetch()} />
      </Container>
    );
  }
  if (!model) return <SessionSkeleton />;
  const stale = session.isRefetchError || events.isRefetchError || recordings.stale;
  return <SessionDesk model={model} media={media} stale={stale} />;
}

export function SessionPage() {
  const { id = '' } = useParams();
  return <Loaded key={id} id={id} />;
}
