import { Text } from '@mantine/core';
import { memo } from 'react';
import { Link } from 'react-router';
import type { SessionSummary } from '../api/types';
import { FindingCounts } from '../severity/FindingCounts';
import { shortMoment } from '../time/format';
import { lengthText, sessionPath } from './facts';
import { SessionStateBadge } from './SessionStateBadge';
import classes from './SessionTable.module.css';

const Card = memo(function Card({ session, length }: { session: SessionSummary; length: string }) {
  return (
    <li className={classes.card}>
      <div className={classes.cardTop}>
        <Link to={sessionPath(session)} className={classes.name}>
          {session.candidate.name}
        </Link>
        <SessionStateBadge session={session} />
      </div>
      <Text size="sm" c="dimmed" truncate>
        {session.exam.title} · attempt {session.attempt} · {session.candidate.external_id}
      </Text>
      <div className={classes.cardBottom}>
        <Text size="sm" className="numbers">
          {shortMoment(session.started_at ?? session.joined_at ?? session.created_at)}
          {session.started_at !== null && ` · ${length}`}
        </Text>
        <FindingCounts findings={session.findings} />
      </div>
    </li>
  );
});

/** The same list for narrow windows. */
export function SessionCards({ sessions, now }: { sessions: SessionSummary[]; now: number }) {
  return (
    <ul className={classes.cards}>
      {sessions.map((session) => (
        <Card key={session.id} session={session} length={lengthText(session, now)} />
      ))}
    </ul>
  );
}
