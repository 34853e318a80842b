import { useEffect, useRef } from 'react';
import { clockLength, wallTime } from '../../time/format';
import { useDesk } from '../desk';
import classes from './Timeline.module.css';
import { xOf } from './viewport';

const FOLLOW_WHILE_PLAYING = 0.02;

/** The line at the current time. Moved by style alone, since it moves with every frame. */
export function Playhead({ width }: { width: number }) {
  const { playback, window: view, model } = useDesk();
  const line = useRef<HTMLDivElement>(null);
  const handle = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let spoken = 0;
    const place = () => {
      const { at } = playback;
      const x = xOf(at, view.range, width);
      const seen = x >= -1 && x <= width + 1;
      if (line.current) {
        line.current.style.transform = `translateX(${x}px)`;
        line.current.style.visibility = seen ? 'visible' : 'hidden';
      }
      if (handle.current && Math.abs(at - spoken) >= 500) {
        spoken = at;
        handle.current.setAttribute('aria-valuenow', String(Math.round((at - model.zero) / 1000)));
        handle.current.setAttribute(
          'aria-valuetext',
          `${clockLength(at - model.zero, { hours: true })} of the exam, ${wallTime(at)}`,
        );
      }
    };
    const onTick = (at: number) => {
      const { from, until } = view.range;
      const edge = (until - from) * FOLLOW_WHILE_PLAYING;
      // Played out of the window at its right end: turn the page. Otherwise the window stays where the viewer put it.
      if (playback.snapshot().playing && at > until - edge && at < until + edge) view.reveal(at + edge * 2);
      place();
    };
    place();
    const stops = [playback.onTick(onTick), view.watch(place)];
    return () => {
      for (const stop of stops) stop();
    };
  }, [playback, view, width, model.zero]);

  return (
    <div ref={line} className={classes.playhead}>
      <div
        ref={handle}
        data-playhead
        className={classes.handle}
        role="slider"
        tabIndex={0}
        aria-label="Timeline, time of playing"
        aria-orientation="horizontal"
        aria-valuemin={Math.round((model.bounds.from - model.zero) / 1000)}
        aria-valuemax={Math.round((model.bounds.until - model.zero) / 1000)}
        aria-valuenow={Math.round((playback.at - model.zero) / 1000)}
      />
    </div>
  );
}
