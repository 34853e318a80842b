/** Where everything on the timeline lies, and what lies under a point. Pixels are CSS pixels of the lanes' canvas. */

import type { Capture } from '../../api/types';
import { type Arrangement, arrange, firstVisible, GROUP_LEAD_PX, type Group, groupWidth } from './clusters';
import type { Lane } from './lanes';
import type { State } from './states';
import { lengthOf, type Range, timeOf, xOf } from './viewport';

export const RULER_HEIGHT = 24;
const TRACK_HEIGHT = 20;
const STILLS_HEIGHT = 42;
const LANE_HEIGHT = 24;
const ROW_HEIGHT = 14;
/** Stills are thinned out so that they do not cover each other. */
export const STILL_WIDTH = 50;

export interface TrackLane {
  track: string;
  name: string;
  recorded: Range[];
  gaps: Range[];
}

export type Strip =
  | { kind: 'stills'; id: string; name: string; top: number; height: number }
  | { kind: 'track'; id: string; name: string; top: number; height: number; lane: TrackLane }
  | { kind: 'events'; id: string; name: string; top: number; height: number; lane: Lane };

export interface Still {
  at: number;
  capture: Capture;
}

/** The strips from top to bottom, and the height of them all. */
export function layOut(
  tracks: readonly TrackLane[],
  lanes: readonly Lane[],
  stills: boolean,
): { strips: Strip[]; height: number } {
  const strips: Strip[] = [];
  let top = RULER_HEIGHT;
  const add = (strip: Strip) => {
    strips.push(strip);
    top += strip.height;
  };
  for (const lane of tracks) {
    add({ kind: 'track', id: `track-${lane.track}`, name: lane.name, top, height: TRACK_HEIGHT, lane });
  }
  if (stills) add({ kind: 'stills', id: 'stills', name: 'Stills', top, height: STILLS_HEIGHT });
  for (const lane of lanes) {
    const height = LANE_HEIGHT + (lane.rows - 1) * ROW_HEIGHT;
    add({ kind: 'events', id: lane.id, name: lane.name, top, height, lane });
  }
  return { strips, height: top };
}

export const rowCentre = (strip: Strip, row: number): number =>
  strip.top + LANE_HEIGHT / 2 + row * ROW_HEIGHT;

/** Arrangements are kept for the last zoom, since panning does not change them. */
const arrangements = new WeakMap<Lane, { msPerPx: number; arrangement: Arrangement }>();

export function arrangementOf(lane: Lane, msPerPx: number): Arrangement {
  const kept = arrangements.get(lane);
  if (kept && kept.msPerPx === msPerPx) return kept.arrangement;
  const arrangement = arrange(lane, msPerPx);
  arrangements.set(lane, { msPerPx, arrangement });
  return arrangement;
}

/** Stills that have room at this zoom, from the first one on. Independent of the window, as clusters are. */
export function roomyStills(stills: readonly Still[], msPerPx: number): Still[] {
  const out: Still[] = [];
  let free = Number.NEGATIVE_INFINITY;
  for (const still of stills) {
    if (still.at < free) continue;
    out.push(still);
    free = still.at + (STILL_WIDTH + 2) * msPerPx;
  }
  return out;
}

export type Hit =
  | { kind: 'group'; group: Group; x: number; y: number }
  | { kind: 'state'; state: State; x: number; y: number }
  | { kind: 'still'; still: Still; x: number; y: number }
  | { kind: 'track'; lane: TrackLane; gap: Range | null; x: number; y: number };

export interface Stage {
  strips: readonly Strip[];
  stills: readonly Still[];
  view: Range;
  width: number;
}

const REACH_PX = 10;

/** What lies under the point, the smaller thing before the larger one. */
export function hitTest(stage: Stage, x: number, y: number): Hit | null {
  const { view, width } = stage;
  const strip = stage.strips.find((candidate) => y >= candidate.top && y < candidate.top + candidate.height);
  if (!strip) return null;
  const msPerPx = lengthOf(view) / width;
  const at = timeOf(x, view, width);
  const middle = strip.top + strip.height / 2;
  if (strip.kind === 'stills') {
    const still = roomyStills(stage.stills, msPerPx).findLast((candidate) => candidate.at <= at);
    return still && at < still.at + STILL_WIDTH * msPerPx
      ? { kind: 'still', still, x: xOf(still.at, view, width), y: strip.top }
      : null;
  }
  if (strip.kind === 'track') {
    const gap = strip.lane.gaps.find((candidate) => at >= candidate.from && at < candidate.until) ?? null;
    return { kind: 'track', lane: strip.lane, gap, x, y: middle };
  }
  const { bars, groups } = arrangementOf(strip.lane, msPerPx);
  let nearest: Hit | null = null;
  let least = Number.POSITIVE_INFINITY;
  const reach = 60 * msPerPx;
  for (let i = firstVisible(groups, at - reach); i < groups.length; i++) {
    const group = groups[i] as Group;
    if (group.from > at + reach) break;
    const gx = xOf(group.from, view, width);
    const gy = rowCentre(strip, 0);
    const left = gx - GROUP_LEAD_PX;
    const beyond = Math.max(0, left - x, x - left - groupWidth(group));
    const distance = Math.hypot(beyond, Math.max(0, Math.abs(y - gy) - 6));
    if (distance < Math.min(REACH_PX, least)) {
      least = distance;
      nearest = { kind: 'group', group, x: gx, y: gy };
    }
  }
  if (nearest && least <= 2) return nearest;
  const bar = bars.findLast(
    (candidate) =>
      at >= candidate.from - 6 * msPerPx &&
      at <= candidate.until &&
      Math.abs(y - rowCentre(strip, candidate.row)) <= ROW_HEIGHT / 2 + 1,
  );
  if (bar)
    return {
      kind: 'state',
      state: bar.state,
      x: Math.max(0, xOf(bar.from, view, width)),
      y: rowCentre(strip, bar.row),
    };
  return nearest;
}
