import { ActionIcon, Anchor, Button, Menu, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconChevronLeft, IconClock, IconKeyboard, IconLink } from '@tabler/icons-react';
import { Link } from 'react-router';
import { lengthMs } from '../sessions/facts';
import { SessionStateBadge } from '../sessions/SessionStateBadge';
import { FindingCounts } from '../severity/FindingCounts';
import { clockLength, timeZone, wallDateTime, wallDateTimes } from '../time/format';
import { useNow } from '../time/useNow';
import { useDesk } from './desk';
import classes from './SessionPage.module.css';

function CopyLink() {
  const { model, playback, selected } = useDesk();
  const clipboard = useClipboard();
  const copy = (parameters: Record<string, string>, text: string) => {
    const url = new URL(`/console/sessions/${model.session.id}`, window.location.origin);
    for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
    clipboard.copy(url.toString());
    notifications.show({
      message: text,
      color: 'teal',
      autoClose: 2_500,
      closeButtonProps: { 'aria-label': 'Close' },
    });
  };
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" size="xs" leftSection={<IconLink size={15} aria-hidden />}>
          Copy link
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => copy({}, 'Link to the session copied')}>To this session</Menu.Item>
        <Menu.Item
          onClick={() => copy({ at: String(Math.round(playback.at)) }, 'Link to this moment copied')}
        >
          To this moment
        </Menu.Item>
        {selected && (
          <Menu.Item onClick={() => copy({ event: String(selected.sequence) }, 'Link to the event copied')}>
            To the selected event
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

export function SessionHeader({ showShortcuts }: { showShortcuts: () => void }) {
  const { model } = useDesk();
  const { session } = model;
  const now = useNow(1_000);
  const length = lengthMs(session, now);
  const began = session.started_at ?? session.joined_at;
  return (
    <header className={classes.header}>
      <Anchor
        component={Link}
        to="/sessions"
        className={classes.back ?? ''}
        aria-label="Back to the sessions"
      >
        <IconChevronLeft size={20} aria-hidden />
      </Anchor>
      <div className={classes.who}>
        <h1 className={classes.name}>{session.candidate.name}</h1>
        <p className={classes.exam}>
          {session.exam.title}
          <span> · attempt {session.attempt}</span>
          {(session.accommodations?.length ?? 0) > 0 && <span> · with accommodations</span>}
        </p>
      </div>
      <div className={classes.facts}>
        <SessionStateBadge session={session} />
        <Tooltip label={`Times are shown for ${timeZone()}`}>
          <span className={classes.when}>
            <IconClock size={15} aria-hidden />
            {began === null ? (
              'Not joined yet'
            ) : (
              <>
                {session.completed_at === null
                  ? wallDateTime(began)
                  : wallDateTimes(began, session.completed_at)}
                {length !== null && <strong>{clockLength(length)}</strong>}
              </>
            )}
          </span>
        </Tooltip>
        <FindingCounts findings={session.findings} />
      </div>
      <div className={classes.actions}>
        <CopyLink />
        <Tooltip label="Keyboard shortcuts (?)">
          <ActionIcon variant="default" size={30} aria-label="Keyboard shortcuts" onClick={showShortcuts}>
            <IconKeyboard size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
    </header>
  );
}
