import { Table, Text } from '@mantine/core';
import { type MouseEvent, memo } from 'react';
import { Link, useNavigate } from 'react-router';
import type { SessionSummary } from '../api/types';
import { FindingCounts } from '../severity/FindingCounts';
import { shortMoment, wallDateTimeFull } from '../time/format';
import { lengthText, sessionPath } from './facts';
import { SessionStateBadge } from './SessionStateBadge';
import classes from './SessionTable.module.css';

/** Takes its length as text: with thousands of rows, only those of running exams are drawn anew each second. */
const Row = memo(function Row({ session, length }: { session: SessionSummary; length: string }) {
  const navigate = useNavigate();
  const path = sessionPath(session);
  const began = session.started_at ?? session.joined_at;
  const open = (event: MouseEvent) => {
    // The link in the row is for the keyboard and for new tabs; a click anywhere else opens it as well.
    if (event.defaultPrevented || (event.target as Element).closest('a')) return;
    if (window.getSelection()?.isCollapsed === false) return;
    if (event.metaKey || event.ctrlKey) window.open(`/console${path}`, '_blank', 'noopener');
    else navigate(path);
  };
  return (
    <Table.Tr className={classes.row ?? ''} onClick={open}>
      <Table.Td>
        <Link to={path} className={classes.name}>
          {session.candidate.name}
        </Link>
        <Text size="xs" c="dimmed" className={classes.clip ?? ''}>
          {session.candidate.external_id}
        </Text>
      </Table.Td>
      <Table.Td className={classes.clip ?? ''}>{session.exam.title}</Table.Td>
      <Table.Td className="numbers">{session.attempt}</Table.Td>
      <Table.Td>
        <SessionStateBadge session={session} />
      </Table.Td>
      <Table.Td className="numbers">
        {began === null ? (
          <Text span size="sm" c="dimmed">
            Created {shortMoment(session.created_at)}
          </Text>
        ) : (
          <time dateTime={new Date(began).toISOString()} title={wallDateTimeFull(began)}>
            {shortMoment(began)}
          </time>
        )}
      </Table.Td>
      <Table.Td className="numbers" ta="right">
        {length}
      </Table.Td>
      <Table.Td>
        <FindingCounts findings={session.findings} />
      </Table.Td>
    </Table.Tr>
  );
});

export function SessionTable({ sessions, now }: { sessions: SessionSummary[]; now: number }) {
  return (
    <div className={classes.frame}>
      <Table verticalSpacing="sm" horizontalSpacing="md" className={classes.table ?? ''}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Candidate</Table.Th>
            <Table.Th>Exam</Table.Th>
            <Table.Th>Attempt</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Started</Table.Th>
            <Table.Th ta="right">Length</Table.Th>
            <Table.Th>
              Findings <span className={classes.legend}>high · medium · low</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sessions.map((session) => (
            <Row key={session.id} session={session} length={lengthText(session, now)} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
