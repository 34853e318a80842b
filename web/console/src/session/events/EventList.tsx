import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  memo,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useRef,
  useState,
} from 'react';
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
  active,
  reached,
  position,
  of,
  choose,
}: {
  event: SessionEvent;
  zero: number;
  lasted: string;
  selected: boolean;
  active: boolean;
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
      data-active={active || undefined}
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

/** What others may ask of the list. */
export interface ListHandle {
  /** Puts the focus on the list, at the row that was selected last. */
  focus: () => void;
}

export function EventList({
  events,
  follow,
  handle,
}: {
  events: SessionEvent[];
  follow: boolean;
  handle?: Ref<ListHandle>;
}) {
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

  // The row that keys go on from: as long as the list has the focus it stays, also when its details are closed.
  const [active, setActive] = useState<number | null>(null);
  if (selected && selected.sequence !== active) setActive(selected.sequence);
  const activeIndex =
    active === null ? -1 : events.findIndex((event) => event.sequence === (selected?.sequence ?? active));
  useImperativeHandle(handle, () => ({
    focus: () => {
      if (activeIndex >= 0) scrollToIndex(activeIndex, { align: 'auto' });
      scroller.current?.focus();
    },
  }));

  // What was selected anywhere on the page comes into view here.
  useEffect(() => {
    if (selectedIndex >= 0) scrollToIndex(selectedIndex, { align: 'auto' });
  }, [selectedIndex, scrollToIndex]);

  // While playing it is centred, so that a reader sees what comes next; a jump only brings it into view.
  useEffect(() => {
    if (follow && reached >= 0) scrollToIndex(reached, { align: playing ? 'center' : 'auto' });
  }, [follow, playing, reached, scrollToIndex]);

  const pick = useCallback(
    (event: SessionEvent) => {
      choose(event);
      // A row leaves the page when it is scrolled out of sight, and would take the focus with it.
      scroller.current?.focus();
    },
    [choose],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const last = events.length - 1;
    const from = activeIndex >= 0 ? activeIndex : reached;
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
    } else if (event.key === 'Enter' && events[activeIndex]) {
      event.preventDefault();
      choose(events[activeIndex]);
    }
  };

  if (events.length === 0) {
    return (
      <div ref={scroller} tabIndex={-1} className={classes.empty}>
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
        rows.getVirtualItems().some((item) => item.index === activeIndex)
          ? optionId((events[activeIndex] as SessionEvent).sequence)
          : undefined
      }
      onKeyDown={onKeyDown}
      onBlur={() => setActive(selected?.sequence ?? null)}
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
                active={item.index === activeIndex}
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
