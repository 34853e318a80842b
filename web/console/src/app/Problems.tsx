import { Alert, Button, Container, Group, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link, useRouteError } from 'react-router';
import { ApiProblem } from '../api/client';

/** A failed request in words, with what to do and a way to try again. */
export function ProblemAlert({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof ApiProblem ? error : null;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={problem?.message ?? 'Something went wrong'}
      role="alert"
    >
      <Stack gap="sm" align="flex-start">
        {problem?.detail && <Text size="sm">{problem.detail}</Text>}
        {problem?.whatToDo && <Text size="sm">{problem.whatToDo}</Text>}
        {!problem && (
          <Text size="sm">{error instanceof Error ? error.message : 'The cause is not known.'}</Text>
        )}
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

export function NotFoundPage() {
  return (
    <Container size="xs" py={96}>
      <Stack>
        <Title order={1} size="h2">
          This page does not exist
        </Title>
        <Text c="dimmed">The link may be old, or a letter of it got lost.</Text>
        <Group>
          <Button component={Link} to="/sessions">
            To the sessions
          </Button>
        </Group>
      </Stack>
    </Container>
  );
}

export function UnexpectedError() {
  const error = useRouteError();
  return (
    <Container size="xs" py={96}>
      <Stack>
        <Title order={1} size="h2">
          The console stopped here
        </Title>
        <ProblemAlert error={error} retry={() => window.location.reload()} />
      </Stack>
    </Container>
  );
}
