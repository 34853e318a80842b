import { useCallback, useMemo } from 'react';
import { SeverityMark } from '../../severity/SeverityMark';
import { clockLength } from '../../time/format';
import { useAtPlayhead, useDesk } from '../desk';
import { byTime, type State } from '../timeline/states';
import classes from './Players.module.css';

const covers = (state: State, at: number): boolean =>
  state.from <= at && (state.until ?? Number.POSITIVE_INFINITY) > at;

/** The states that hold at the playhead, beside the pictures they speak of. */
export function NowPanel() {
  const { model, playback, choose, selected } = useDesk();
  const now = useAtPlayhead(
    playback,
    useCallback(
      (at: number) =>
        model.states
          .filter((state) => covers(state, at))
          .map((state) => state.event.sequence)
          .join(' '),
      [model.states],
    ),
  );
  const events = useMemo(
    () =>
      now
        .split(' ')
        .map((sequence) => model.bySequence.get(Number(sequence)))
        .filter((event) => event !== undefined)
        .sort(byTime),
    [now, model.bySequence],
  );
  return (
    <section className={classes.now} aria-label="At this moment">
      <h2 className={classes.nowTitle}>At this moment</h2>
      {events.length === 0 && <p className={classes.nowNone}>Nothing is going on that was noted.</p>}
      <ul className={classes.nowList}>
        {events.map((event) => (
          <li key={event.sequence}>
            <button
              type="button"
              className={classes.nowItem}
              data-selected={event.sequence === selected?.sequence || undefined}
              onClick={() => choose(event, { seek: false })}
            >
              <SeverityMark severity={event.severity} />
              <span className={classes.nowName}>{event.name}</span>
              <span className={classes.nowSince}>
                since{' '}
                {clockLength((model.stateOf.get(event.sequence)?.from ?? event.occurred_at) - model.zero)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
