import { ActionIcon, Button, Loader, Tooltip } from '@mantine/core';
import { IconArrowsExchange, IconPlayerSkipForward, IconVideoOff } from '@tabler/icons-react';
import { useCallback, useEffect, useRef } from 'react';
import { clockLength } from '../../time/format';
import { useAtPlayhead, useDesk, usePlaybackState } from '../desk';
import type { TrackLane } from '../timeline/scene';
import { whyNoRecording } from '../whyNoRecording';
import classes from './Players.module.css';

/** What covers the picture where the track has none: why, and a way on. */
function NoRecording({ lane }: { lane: TrackLane }) {
  const { model, playback, goTo } = useDesk();
  const text = useAtPlayhead(
    playback,
    useCallback(
      (at: number) =>
        playback.hasRecording(lane.track)
          ? ''
          : whyNoRecording(lane, at, model.states, model.session, model.live),
      [playback, lane, model],
    ),
  );
  const next = useAtPlayhead(
    playback,
    useCallback(() => {
      const at = playback.nextRecording();
      return at !== null && at > playback.at + 1_000 ? at : null;
    }, [playback]),
  );
  if (text === '') return null;
  return (
    <div className={classes.cover}>
      <IconVideoOff size={26} aria-hidden />
      <div>
        <strong>No recording here</strong>
        <div>{text}</div>
      </div>
      {next !== null && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlayerSkipForward size={14} />}
          onClick={() => goTo(next)}
        >
          On at {clockLength(next - model.zero)}
        </Button>
      )}
    </div>
  );
}

export function PlayerTile({
  lane,
  large,
  enlarge,
}: {
  lane: TrackLane;
  large: boolean;
  enlarge: () => void;
}) {
  const { playback, model } = useDesk();
  const video = useRef<HTMLVideoElement>(null);
  const { health, waiting } = usePlaybackState(playback);
  const summary = model.session.tracks.find((track) => track.track === lane.track);
  const playlist = summary && summary.chunks > 0 ? summary.playlist : null;
  const failed = health[lane.track] === 'failed';

  useEffect(() => {
    if (video.current) playback.player(lane.track).attach(video.current);
  }, [playback, lane.track]);

  useEffect(() => {
    playback.player(lane.track).load(playlist, playback.at);
  }, [playback, lane.track, playlist]);

  return (
    <div className={classes.tile} data-large={large || undefined}>
      {/* biome-ignore lint/a11y/useMediaCaption: a recording of a person at a desk has no captions */}
      <video
        ref={video}
        className={classes.video}
        playsInline
        disablePictureInPicture
        preload="auto"
        aria-label={`Recording of the ${lane.name.toLowerCase()}`}
        onClick={() => (large ? playback.toggle() : enlarge())}
      />
      {failed ? (
        <div className={classes.cover}>
          <IconVideoOff size={26} aria-hidden />
          <div>
            <strong>The recording cannot be played</strong>
            <div>It could not be loaded.</div>
          </div>
          <Button size="xs" variant="default" onClick={() => playback.player(lane.track).retry()}>
            Try again
          </Button>
        </div>
      ) : (
        <NoRecording lane={lane} />
      )}
      {(waiting || health[lane.track] === 'loading') && !failed && playlist !== null && (
        <div className={classes.busy}>
          <Loader size="sm" color="white" aria-label={`Loading the ${lane.name.toLowerCase()}`} />
        </div>
      )}
      <div className={classes.caption}>
        <span>{lane.name}</span>
        {!large && (
          <Tooltip label={`Show the ${lane.name.toLowerCase()} large`}>
            <ActionIcon
              size={26}
              variant="transparent"
              className={classes.captionButton ?? ''}
              aria-label={`Show the ${lane.name.toLowerCase()} large`}
              onClick={enlarge}
            >
              <IconArrowsExchange size={15} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
    </div>
  );
}
