/** Why a track has no recording at a moment, as far as the log tells. */

import type { Session } from '../api/types';
import { reasonWords } from './events/reasons';
import type { TrackLane } from './timeline/scene';
import type { State } from './timeline/states';

/** Type ids of states that explain a missing recording, the telling one first. */
const EXPLAIN: { type: number; text: string; track?: string; own?: true }[] = [
  { type: 12, text: 'The screen was not shared.', track: 'screen' },
  { type: 1004, text: 'The camera was disconnected.', track: 'camera' },
  { type: 1087, text: 'The exam was paused.' },
  { type: 14, text: 'The recording was stopped', own: true },
  { type: 181, text: 'The candidate was offline.' },
  { type: 1060, text: 'A part of the recording never arrived', own: true },
  { type: 10, text: 'The connection was lost.' },
];

/** A cause may be noted a moment after the recording broke off. */
const SLACK_MS = 5_000;

export function whyNoRecording(
  track: TrackLane,
  at: number,
  states: readonly State[],
  session: Pick<Session, 'state' | 'policy'>,
  live: boolean,
): string {
  const first = track.recorded[0];
  const last = track.recorded.at(-1);
  if (!first || !last) {
    const wanted = Boolean(session.policy.tracks?.[track.track]);
    if (!wanted) return 'The exam does not record this.';
    return live ? 'The recording has not started yet.' : 'Nothing was recorded.';
  }
  if (at < first.from) return 'The recording had not started yet.';
  for (const { type, text, track: only, own } of EXPLAIN) {
    if (only && only !== track.track) continue;
    const state = states.find(
      ({ event, from, until }) =>
        event.type_id === type &&
        (!own || event.data.track === track.track) &&
        from <= at + SLACK_MS &&
        (until ?? Number.POSITIVE_INFINITY) >= at - SLACK_MS,
    );
    if (!state) continue;
    const reason = typeof state.event.data.reason === 'string' ? state.event.data.reason : null;
    if (!own) return text;
    if (type === 14 && reason === 'finished') return 'The recording had ended.';
    return reason ? `${text}: ${reasonWords(reason)}.` : `${text}.`;
  }
  if (at >= last.until) return live ? 'Waiting for the recording to arrive.' : 'The recording had ended.';
  return 'The log does not say why.';
}
