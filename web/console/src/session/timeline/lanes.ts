/** Lanes of the timeline: one for each catalog category that has events. */

import type { Catalog, SessionEvent } from '../../api/types';
import { byTime, type State } from './states';

export interface Mark {
  event: SessionEvent;
  at: number;
  /** The state this event began, if it began one. */
  state: State | null;
}

export interface Bar {
  state: State;
  from: number;
  /** Its end, or the end of the session while it is open. */
  until: number;
  /** Bars of one lane that overlap lie in rows below each other. */
  row: number;
}

export interface Lane {
  id: string;
  name: string;
  /** Ordered by `at`. */
  marks: Mark[];
  /** Ordered by `from`. */
  bars: Bar[];
  rows: number;
}

/** What a reviewer looks at first stands on top; categories not named here follow in the catalog's order. */
const REVIEW_ORDER = [
  'person',
  'objects',
  'sound',
  'camera',
  'focus',
  'activity',
  'screen',
  'devices',
  'connection',
];

const rank = (id: string): number => {
  const index = REVIEW_ORDER.indexOf(id);
  return index < 0 ? REVIEW_ORDER.length : index;
};

const MOST_ROWS = 2;

/** Gives each bar the first row that is free when it begins; what would need one more shares the last. */
export function packBars(states: readonly State[], end: number): { bars: Bar[]; rows: number } {
  const busyUntil: number[] = [];
  const bars: Bar[] = [];
  for (const state of states) {
    const until = Math.max(state.until ?? end, state.from);
    let row = busyUntil.findIndex((busy) => busy <= state.from);
    if (row < 0) row = Math.min(busyUntil.length, MOST_ROWS - 1);
    busyUntil[row] = Math.max(busyUntil[row] ?? 0, until);
    bars.push({ state, from: state.from, until, row });
  }
  return { bars, rows: Math.max(1, busyUntil.length) };
}

/** `states` ordered by `from`; `end` closes what is still open. */
export function buildLanes(
  catalog: Catalog,
  events: readonly SessionEvent[],
  states: readonly State[],
  end: number,
): Lane[] {
  const stateOf = new Map(states.map((state) => [state.event.sequence, state]));
  const byCategory = new Map<string, SessionEvent[]>();
  for (const event of events) {
    const list = byCategory.get(event.category);
    if (list) list.push(event);
    else byCategory.set(event.category, [event]);
  }
  const known = new Set(catalog.categories.map((category) => category.id));
  const strangers = [...byCategory.keys()].filter((id) => !known.has(id)).map((id) => ({ id, name: id }));

  const lanes: Lane[] = [];
  for (const { id, name } of [...catalog.categories, ...strangers].sort((a, b) => rank(a.id) - rank(b.id))) {
    const own = byCategory.get(id);
    if (!own) continue;
    const marks = own
      .sort(byTime)
      .map((event): Mark => {
        const state = stateOf.get(event.sequence) ?? null;
        return { event, at: state ? state.from : event.occurred_at, state };
      })
      .sort((a, b) => a.at - b.at);
    const packed = packBars(
      states.filter((state) => state.event.category === id),
      end,
    );
    lanes.push({ id, name, marks, ...packed });
  }
  return lanes;
}
