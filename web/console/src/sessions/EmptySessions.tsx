import { Button, Code, CopyButton, Paper, Stack, Text, Title } from '@mantine/core';
import { IconMoodEmpty, IconVideo } from '@tabler/icons-react';
import classes from './EmptySessions.module.css';

function example(origin: string): string {
  return [
    '# a key, made on the server',
    'KEY=$(openproctor keys create --data DIR --name "My key")',
    '',
    '# an exam',
    `curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\`,
    `  -d '{"title": "My first exam"}' ${origin}/api/v1/exams`,
    '',
    '# a session for a candidate: open the join_url of the answer',
    `curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\`,
    `  -d '{"exam_id": "EXAM", "candidate": {"external_id": "ada", "name": "Ada Lovelace"}}' \\`,
    `  ${origin}/api/v1/sessions`,
  ].join('\n');
}

export function NoSessions() {
  const text = example(window.location.origin);
  return (
    <Paper withBorder radius="lg" p={{ base: 'md', sm: 'xl' }}>
      <Stack gap="md" align="flex-start">
        <IconVideo size={36} aria-hidden className={classes.icon ?? ''} />
        <Title order={2} size="h4">
          No sessions yet
        </Title>
        <Text maw={640}>
          A session is one candidate's attempt at an exam. <Code>openproctor demo</Code> makes a sample exam
          with a finished session to look at. Or make the first one through the API:
        </Text>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard */}
        <section className={classes.code} tabIndex={0} aria-label="Example of the API">
          <pre>{text}</pre>
        </section>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Stack>
    </Paper>
  );
}

export function NoMatches({ clear }: { clear: () => void }) {
  return (
    <Paper withBorder radius="lg" p="xl">
      <Stack gap="sm" align="center">
        <IconMoodEmpty size={32} aria-hidden className={classes.icon ?? ''} />
        <Title order={2} size="h4">
          No session matches
        </Title>
        <Button variant="default" onClick={clear}>
          Show all sessions
        </Button>
      </Stack>
    </Paper>
  );
}
