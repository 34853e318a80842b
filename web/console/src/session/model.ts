/** Everything the session page shows, put together from what the API answered. */

import { isOver } from '../api/queries';
import type { Capture, Catalog, EventType, Policy, Session, SessionEvent, TrackMedia } from '../api/types';
import { findingsOf } from './events/findings';
import { trackName } from './events/words';
import { holes, stretches } from './players/spans';
import { buildLanes, type Lane } from './timeline/lanes';
import type { Still, TrackLane } from './timeline/scene';
import { byTime, pairStates, type State } from './timeline/states';
import type { Range } from './timeline/viewport';

export interface SessionModel {
  session: Session;
  catalog: Catalog;
  types: ReadonlyMap<number, EventType>;
  live: boolean;
  /** Ordered by the time they happened. */
  events: SessionEvent[];
  bySequence: ReadonlyMap<number, SessionEvent>;
  findings: SessionEvent[];
  states: State[];
  stateOf: ReadonlyMap<number, State>;
  lanes: Lane[];
  tracks: TrackLane[];
  captures: ReadonlyMap<string, Capture>;
  stills: Still[];
  bounds: Range;
  /** The moment that exam times count from. */
  zero: number;
  /** Start and end of the exam, where known. */
  landmarks: number[];
}

const SHORTEST_SESSION_MS = 10_000;

/** From the first thing that is known of the session to the last. */
export function boundsOf(
  session: Session,
  events: readonly SessionEvent[],
  media: readonly TrackMedia[],
): Range {
  const begun = session.joined_at ?? session.created_at;
  let from = begun;
  let until = session.completed_at ?? session.finish_requested_at ?? begun;
  for (const event of events) {
    if (event.occurred_at < from) from = event.occurred_at;
    if (event.occurred_at > until) until = event.occurred_at;
  }
  for (const { spans } of media) {
    const first = spans[0];
    const last = spans.at(-1);
    if (first && first.from < from) from = first.from;
    if (last && last.until > until) until = last.until;
  }
  return { from, until: Math.max(until, from + SHORTEST_SESSION_MS) };
}

/** Tracks the exam asks to be recorded. */
export const wantedTracks = (policy: Policy): string[] =>
  Object.entries(policy.tracks ?? {}).flatMap(([track, settings]) => (settings ? [track] : []));

/** Tracks of the policy and those that were recorded, camera first. */
export function trackIds(session: Session): string[] {
  const recorded = session.tracks.filter((track) => track.chunks > 0).map((track) => track.track);
  const ids = new Set([...wantedTracks(session.policy), ...recorded]);
  const rank = (id: string) => ['camera', 'screen'].indexOf(id) + 1 || 9;
  return [...ids].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

export function buildModel(
  session: Session,
  catalog: Catalog,
  log: readonly SessionEvent[],
  media: readonly TrackMedia[],
  captures: readonly Capture[],
): SessionModel {
  const events = [...log].sort(byTime);
  const bounds = boundsOf(session, events, media);
  const states = pairStates(events, catalog);
  const mediaOf = new Map(media.map((track) => [track.track, track]));
  const tracks = trackIds(session).map((track): TrackLane => {
    const spans = mediaOf.get(track)?.spans ?? [];
    return { track, name: trackName(track), recorded: stretches(spans), gaps: holes(spans, bounds) };
  });
  const stills = captures
    .filter((capture) => capture.captured_at >= bounds.from && capture.captured_at <= bounds.until)
    .map((capture) => ({ at: capture.captured_at, capture }))
    .sort((a, b) => a.at - b.at);
  return {
    session,
    catalog,
    types: new Map(catalog.types.map((type) => [type.id, type])),
    live: !isOver(session),
    events,
    bySequence: new Map(events.map((event) => [event.sequence, event])),
    findings: findingsOf(events),
    states,
    stateOf: new Map(states.map((state) => [state.event.sequence, state])),
    lanes: buildLanes(catalog, events, states, bounds.until),
    tracks,
    captures: new Map(captures.map((capture) => [capture.id, capture])),
    stills,
    bounds,
    zero: session.started_at ?? session.joined_at ?? bounds.from,
    landmarks: [session.started_at, session.finish_requested_at ?? session.completed_at].filter(
      (at) => at !== null,
    ),
  };
}
