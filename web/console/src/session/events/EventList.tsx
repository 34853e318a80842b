import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, memo, useCallback, useEffect, useRef } from 'react';
import type { SessionEvent } from '../../api/types';
import { SeverityMark } from '../../severity/SeverityMark';
import { SEVERITY_NAMES } from '../../severity/severity';
import { clockLength, wallTime, wordLength } from '../../time/format';
import { useAtPlayhead, useDesk, usePlaybackState } from '../desk';
import type { State } from '../timeline/states';
import classes from './Events.module.css';
import { indexAt } from './findings';
import { sourceName, summaryOf } from './words';

const ROW_HEIGHT = 54;
const optionId = (sequence: number): string => `event-${sequence}`;

/** Shorter states are over as soon as they begin; their length tells nothing. */
const SHORTEST_TOLD_MS = 500;

const lastedOf = (state: State | undefined): string =>
  state?.until && state.until - state.from >= SHORTEST_TOLD_MS
    ? `lasted ${wordLength(state.until - state.from)}`
    : '';

const Row = memo(function Row({
  event,
  zero,
  lasted,
  selected,
  reached,
  position,
  of,
  choose,
}: {
  event: SessionEvent;
  zero: number;
  lasted: string;
  selected: boolean;
  reached: boolean;
  position: number;
  of: number;
  choose: (event: SessionEvent) => void;
}) {
  const summary = [summaryOf(event), lasted].filter(Boolean).join(' · ');
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list handles the keys for all its options
    <div
      id={optionId(event.sequence)}
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      aria-posinset={position + 1}
      aria-setsize={of}
      className={classes.row}
      data-reached={reached || undefined}
      onClick={() => choose(event)}
    >
      <SeverityMark severity={event.severity} label={false} />
      <span className={classes.hidden}>{SEVERITY_NAMES[event.severity]}: </span>
      <span className={classes.rowText}>
        <span className={classes.rowName}>{event.name}</span>
        <span className={classes.rowSummary}>
          {sourceName(event.source)}
          {summary !== '' && ` · ${summary}`}
        </span>
      </span>
      <span className={classes.rowTimes}>
        <span>{clockLength(event.occurred_at - zero, { hours: true })}</span>
        <span className={classes.rowWall}>{wallTime(event.occurred_at)}</span>
      </span>
    </div>
  );
});

export function EventList({ events, follow }: { events: SessionEvent[]; follow: boolean }) {
  const { model, playback, selected, choose } = useDesk();
  const { playing } = usePlaybackState(playback);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    getItemKey: (index) => events[index]?.sequence ?? index,
  });
  const reached = useAtPlayhead(
    playback,
    useCallback((at: number) => indexAt(events, at), [events]),
  );
  const selectedIndex = selected ? events.findIndex((event) => event.sequence === selected.sequence) : -1;
  const { scrollToIndex } = rows;

  // What was selected anywhere on the page comes into view here.
  useEffect(() => {
    if (selectedIndex >= 0) scrollToIndex(selectedIndex, { align: 'auto' });
  }, [selectedIndex, scrollToIndex]);

  // While playing it is centred, so that a reader sees what comes next; a jump only brings it into view.
  useEffect(() => {
    if (follow && reached >= 0) scrollToIndex(reached, { align: playing ? 'center' : 'auto' });
  }, [follow, playing, reached, scrollToIndex]);

  const pick = useCallback((event: SessionEvent) => choose(event), [choose]);

  const onKeyDown = (event: KeyboardEvent) => {
    const last = events.length - 1;
    const from = selectedIndex >= 0 ? selectedIndex : reached;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    const moves: Record<string, number> = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: last,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const target = events[Math.min(Math.max(to, 0), last)];
      if (target) choose(target);
    } else if (event.key === 'Enter' && selected) {
      event.preventDefault();
      choose(selected);
    }
  };

  if (events.length === 0) {
    return (
      <div className={classes.empty}>
        {model.events.length === 0
          ? 'Nothing has happened yet. Events appear here as they come.'
          : 'No event matches the filter.'}
      </div>
    );
  }
  return (
    <div
      ref={scroller}
      className={classes.list}
      role="listbox"
      aria-label="Events, in the order they happened"
      tabIndex={0}
      aria-activedescendant={
        selectedIndex >= 0 && rows.getVirtualItems().some((item) => item.index === selectedIndex)
          ? optionId((selected as SessionEvent).sequence)
          : undefined
      }
      onKeyDown={onKeyDown}
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }} role="presentation">
        {rows.getVirtualItems().map((item) => {
          const event = events[item.index];
          if (!event) return null;
          return (
            <div
              key={item.key}
              role="presentation"
              className={classes.slot}
              style={{ transform: `translateY(${item.start}px)`, height: ROW_HEIGHT }}
            >
              <Row
                event={event}
                zero={model.zero}
                lasted={lastedOf(model.stateOf.get(event.sequence))}
                selected={item.index === selectedIndex}
                reached={item.index === reached}
                position={item.index}
                of={events.length}
                choose={pick}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}
