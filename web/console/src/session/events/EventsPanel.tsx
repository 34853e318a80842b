import { Switch, Text } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { useDesk } from '../desk';
import { keepFocus } from '../players/Controls';
import { EventDetails } from './EventDetails';
import { EventFilters } from './EventFilters';
import { EventList, type ListHandle } from './EventList';
import classes from './Events.module.css';
import { type EventFilter, isFiltered, matches, NO_FILTER } from './filter';

const eventCount = (n: number): string => (n === 1 ? '1 event' : `${n} events`);

/** The log as a list: the equivalent of the timeline for the keyboard and for screen readers. */
export function EventsPanel() {
  const { model, selected } = useDesk();
  const [filter, setFilter] = useState<EventFilter>(NO_FILTER);
  const [follow, setFollow] = useLocalStorage({
    key: 'openproctor-follow-playhead',
    defaultValue: true,
    getInitialValueInEffect: false,
  });
  const list = useRef<ListHandle>(null);
  const wanted = useDeferredValue(filter);
  const events = useMemo(
    () => (isFiltered(wanted) ? model.events.filter((event) => matches(event, wanted)) : model.events),
    [model.events, wanted],
  );
  return (
    <div className={classes.panel}>
      <EventFilters filter={filter} setFilter={setFilter} />
      <div className={classes.status}>
        <Text size="xs" c="dimmed" role="status" className="numbers">
          {isFiltered(filter)
            ? `${events.length} of ${eventCount(model.events.length)}`
            : eventCount(model.events.length)}
        </Text>
        <Switch
          size="xs"
          label="Follow playing"
          checked={follow}
          onChange={(event) => setFollow(event.currentTarget.checked)}
          onMouseDown={keepFocus}
        />
      </div>
      <EventList events={events} follow={follow} handle={list} />
      {selected && <EventDetails event={selected} leave={() => list.current?.focus()} />}
    </div>
  );
}
