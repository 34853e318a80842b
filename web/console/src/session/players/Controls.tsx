import { ActionIcon, Button, Menu, Slider, Tooltip } from '@mantine/core';
import {
  IconArrowsExchange,
  IconChevronLeft,
  IconChevronRight,
  IconLayoutSidebarRight,
  IconPictureInPicture,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerTrackNextFilled,
  IconPlayerTrackPrevFilled,
  IconRewindBackward5,
  IconRewindForward5,
  IconVolume,
  IconVolumeOff,
} from '@tabler/icons-react';
import { type MouseEvent, type ReactNode, useEffect, useRef } from 'react';
import { clockLength, wallTime } from '../../time/format';
import { useDesk, usePlaybackState } from '../desk';
import classes from './Players.module.css';
import { SPEEDS } from './steering';
import type { Layout } from './useLayout';

/** A click with the mouse takes no focus, and frees it from another button: the space bar goes on playing and pausing. */
export const keepFocus = (event: MouseEvent) => {
  event.preventDefault();
  if (document.activeElement instanceof HTMLButtonElement) document.activeElement.blur();
};

export function IconButton({
  label,
  hint,
  onClick,
  children,
  active,
}: {
  label: string;
  hint?: string;
  onClick: () => void;
  children: ReactNode;
  active?: boolean;
}) {
  return (
    <Tooltip label={hint ? `${label} (${hint})` : label} openDelay={400}>
      <ActionIcon
        variant={active ? 'light' : 'subtle'}
        color={active ? 'indigo' : 'gray'}
        size={34}
        aria-label={label}
        {...(hint ? { 'aria-keyshortcuts': hint } : {})}
        onMouseDown={keepFocus}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

/** The time at the playhead, written straight into the page: it changes with every frame. */
function Time() {
  const { playback, model } = useDesk();
  const exam = useRef<HTMLSpanElement>(null);
  const wall = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const show = (at: number) => {
      if (exam.current)
        exam.current.textContent = clockLength(at - model.zero, { hours: true, tenths: true });
      if (wall.current) wall.current.textContent = wallTime(at);
    };
    show(playback.at);
    return playback.onTick(show);
  }, [playback, model.zero]);
  return (
    <div className={classes.time}>
      <Tooltip label="Since the start of the exam" openDelay={400}>
        <span ref={exam} className={classes.examTime} />
      </Tooltip>
      <Tooltip label="Time of day" openDelay={400}>
        <span ref={wall} className={classes.wallTime} />
      </Tooltip>
    </div>
  );
}

function Speed() {
  const { playback } = useDesk();
  const { rate } = usePlaybackState(playback);
  return (
    <Menu position="top" withinPortal>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          h={34}
          aria-label={`Speed: ${rate} times`}
          className="numbers"
          onMouseDown={keepFocus}
        >
          {rate}×
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Speed · keys [ and ]</Menu.Label>
        {SPEEDS.map((speed) => (
          <Menu.Item
            key={speed}
            onClick={() => playback.setRate(speed)}
            aria-current={speed === rate}
            fw={speed === rate ? 650 : undefined}
          >
            {speed}×
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Sound() {
  const { playback } = useDesk();
  const { muted, volume } = usePlaybackState(playback);
  const silent = muted || volume === 0;
  return (
    <div className={classes.sound}>
      <IconButton
        label={silent ? 'Sound on' : 'Sound off'}
        hint="m"
        onClick={() => playback.setSound({ muted: !silent, volume: volume === 0 ? 1 : volume })}
      >
        {silent ? <IconVolumeOff size={18} aria-hidden /> : <IconVolume size={18} aria-hidden />}
      </IconButton>
      <Slider
        className={classes.volume ?? ''}
        size="sm"
        label={null}
        thumbLabel="Volume"
        min={0}
        max={1}
        step={0.05}
        value={silent ? 0 : volume}
        onChange={(value) => playback.setSound({ volume: value, muted: value === 0 })}
      />
    </div>
  );
}

export function Controls({
  layout,
  setLayout,
  swap,
  large,
}: {
  layout: Layout;
  setLayout: (layout: Layout) => void;
  swap: (() => void) | null;
  large: string | null;
}) {
  const { playback, model, stepFinding } = useDesk();
  const { playing, following } = usePlaybackState(playback);
  const framesPerSecond = (large && model.session.policy.tracks?.[large]?.frame_rate) || 15;
  return (
    <div className={classes.controls}>
      <div className={classes.cluster}>
        <IconButton label="Previous finding" hint="p" onClick={() => stepFinding(-1)}>
          <IconPlayerTrackPrevFilled size={17} aria-hidden />
        </IconButton>
        <IconButton label="5 seconds back" hint="←" onClick={() => playback.skip(-5_000)}>
          <IconRewindBackward5 size={19} aria-hidden />
        </IconButton>
        <Tooltip label={playing ? 'Pause (space)' : 'Play (space)'} openDelay={400}>
          <ActionIcon
            variant="filled"
            size={40}
            radius="xl"
            aria-label={playing ? 'Pause' : 'Play'}
            onMouseDown={keepFocus}
            onClick={() => playback.toggle()}
          >
            {playing ? (
              <IconPlayerPauseFilled size={20} aria-hidden />
            ) : (
              <IconPlayerPlayFilled size={20} aria-hidden />
            )}
          </ActionIcon>
        </Tooltip>
        <IconButton label="5 seconds on" hint="→" onClick={() => playback.skip(5_000)}>
          <IconRewindForward5 size={19} aria-hidden />
        </IconButton>
        <IconButton label="Next finding" hint="n" onClick={() => stepFinding(1)}>
          <IconPlayerTrackNextFilled size={17} aria-hidden />
        </IconButton>
      </div>
      <Time />
      {model.live && (
        <Button
          size="compact-sm"
          h={30}
          variant="default"
          leftSection={
            <span className={classes.liveDot} data-on={following || undefined} aria-hidden="true" />
          }
          aria-pressed={following}
          onMouseDown={keepFocus}
          onClick={() => playback.jumpToLive()}
        >
          {following ? 'Live' : 'Jump to live'}
        </Button>
      )}
      <div className={classes.spring} />
      <div className={classes.cluster}>
        <IconButton label="One picture back" hint="," onClick={() => playback.step(-1, framesPerSecond)}>
          <IconChevronLeft size={18} aria-hidden />
        </IconButton>
        <IconButton label="One picture on" hint="." onClick={() => playback.step(1, framesPerSecond)}>
          <IconChevronRight size={18} aria-hidden />
        </IconButton>
        <Speed />
        <Sound />
        {swap && (
          <>
            <IconButton label="Swap the recordings" hint="s" onClick={swap}>
              <IconArrowsExchange size={18} aria-hidden />
            </IconButton>
            <IconButton
              label={layout === 'beside' ? 'Small one inside the large' : 'Side by side'}
              onClick={() => setLayout(layout === 'beside' ? 'inside' : 'beside')}
            >
              {layout === 'beside' ? (
                <IconPictureInPicture size={18} aria-hidden />
              ) : (
                <IconLayoutSidebarRight size={18} aria-hidden />
              )}
            </IconButton>
          </>
        )}
      </div>
    </div>
  );
}
