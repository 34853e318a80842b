/** Pairs events into states: a state begins with one event and ends with a twin whose catalog entry lists it in `ends`. */

import type { Catalog, SessionEvent } from '../../api/types';

export interface State {
  /** The event that began it. */
  event: SessionEvent;
  from: number;
  /** Where it ended; null while nothing ended it. */
  until: number | null;
  /** The event that ended it. */
  endedBy: SessionEvent | null;
}

interface Twins {
  /** By type id of an ending event: the types of state it ends. */
  ends: ReadonlyMap<number, readonly number[]>;
  /** Types of event that begin a state. */
  begins: ReadonlySet<number>;
}

export function twinsOf(catalog: Catalog): Twins {
  const ends = new Map<number, readonly number[]>();
  const begins = new Set<number>();
  for (const type of catalog.types) {
    if (!type.ends) continue;
    ends.set(type.id, type.ends);
    for (const id of type.ends) begins.add(id);
  }
  return { ends, begins };
}

const numberIn = (data: Record<string, unknown>, key: string): number | null =>
  typeof data[key] === 'number' ? (data[key] as number) : null;

/** States of different tracks run side by side, so a track's end does not end the other's. */
const scopeOf = (event: SessionEvent): string =>
  typeof event.data.track === 'string' ? event.data.track : '';

interface Ended {
  type_id: number;
  until: number;
}

function listedEnds(event: SessionEvent): Ended[] {
  const listed = event.data.ended;
  if (!Array.isArray(listed)) return [];
  return listed.filter(
    (entry): entry is Ended =>
      entry !== null &&
      typeof entry === 'object' &&
      typeof (entry as Ended).type_id === 'number' &&
      typeof (entry as Ended).until === 'number',
  );
}

export const byTime = (a: SessionEvent, b: SessionEvent): number =>
  a.occurred_at - b.occurred_at || a.sequence - b.sequence;

/** The states of a session. `events` in any order; the result is ordered by `from`. */
export function pairStates(events: readonly SessionEvent[], catalog: Catalog): State[] {
  const twins = twinsOf(catalog);
  const states: State[] = [];
  const open = new Map<string, State>();

  const close = (type: number, scope: string, until: number, by: SessionEvent) => {
    const key = `${type}/${scope}`;
    const state = open.get(key);
    if (!state) return;
    state.until = Math.max(until, state.from);
    state.endedBy = by;
    open.delete(key);
  };

  for (const event of [...events].sort(byTime)) {
    for (const { type_id, until } of listedEnds(event)) close(type_id, '', until, event);
    const until = numberIn(event.data, 'until');
    for (const type of twins.ends.get(event.type_id) ?? []) {
      close(type, scopeOf(event), until ?? event.occurred_at, event);
    }
    if (until !== null && numberIn(event.data, 'from') !== null && !twins.ends.has(event.type_id)) {
      // The event itself says from when until when, such as a recording gap.
      states.push({ event, from: numberIn(event.data, 'from') as number, until, endedBy: null });
    } else if (twins.begins.has(event.type_id)) {
      // The same state again without an end between: the new one takes over.
      close(event.type_id, scopeOf(event), event.occurred_at, event);
      const state: State = {
        event,
        from: numberIn(event.data, 'from') ?? event.occurred_at,
        until: null,
        endedBy: null,
      };
      states.push(state);
      open.set(`${event.type_id}/${scopeOf(event)}`, state);
    }
  }
  return states.sort((a, b) => a.from - b.from || a.event.sequence - b.event.sequence);
}
