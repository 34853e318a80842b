import type { SessionState, SessionSummary } from '../api/types';
import classes from './SessionStateBadge.module.css';

export const STATE_NAMES: Record<SessionState, string> = {
  created: 'Not joined yet',
  checking: 'In the checks',
  waiting: 'Waiting to start',
  running: 'Running',
  paused: 'Paused',
  completed: 'Completed',
  terminated: 'Ended early',
  expired: 'Link expired',
};

const OPEN: ReadonlySet<SessionState> = new Set(['checking', 'waiting', 'running', 'paused']);

/** The session's state in words, and for one in progress whether the candidate is connected. */
export function SessionStateBadge({ session }: { session: Pick<SessionSummary, 'state' | 'connected'> }) {
  const inProgress = OPEN.has(session.state);
  return (
    <span className={classes.state} data-state={session.state}>
      {inProgress && (
        <span className={classes.dot} data-connected={session.connected || undefined} aria-hidden="true" />
      )}
      <span>{STATE_NAMES[session.state] ?? session.state}</span>
      {inProgress && (
        <span className={classes.line}>{session.connected ? 'connected' : 'not connected'}</span>
      )}
    </span>
  );
}
