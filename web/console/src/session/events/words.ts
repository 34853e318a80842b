/** What an event's data says, in one plain line. Neutral: it tells what was seen, not what it means. */

import type { SessionEvent } from '../../api/types';
import { wordLength } from '../../time/format';
import { reasonWords } from './reasons';

type Data = Record<string, unknown>;
type Say = (data: Data) => (string | null)[];

const number = (data: Data, key: string): number | null =>
  typeof data[key] === 'number' ? (data[key] as number) : null;
const string = (data: Data, key: string): string | null =>
  typeof data[key] === 'string' && data[key] !== '' ? (data[key] as string) : null;

const length = (data: Data, key: string, before = '', after = ''): string | null => {
  const ms = number(data, key);
  return ms === null ? null : `${before}${wordLength(ms)}${after}`;
};
const count = (data: Data, key: string, one: string, many: string): string | null => {
  const n = number(data, key);
  return n === null ? null : `${n} ${n === 1 ? one : many}`;
};
const percent = (data: Data, key: string, before: string): string | null => {
  const n = number(data, key);
  return n === null ? null : `${before} ${Math.round(n * 100)} %`;
};
const decibel = (data: Data, key: string, before: string): string | null => {
  const n = number(data, key);
  return n === null ? null : `${before} ${n.toFixed(0)} dB`;
};
const size = (data: Data): string | null =>
  number(data, 'width') !== null && number(data, 'height') !== null
    ? `${number(data, 'width')} × ${number(data, 'height')}`
    : null;
const reason = (data: Data): string | null => {
  const code = string(data, 'reason');
  return code === null ? null : reasonWords(code);
};
const reasons = (data: Data): string | null => {
  const list = data.reasons;
  if (!Array.isArray(list) || list.length === 0) return null;
  return list.map((code) => reasonWords(String(code))).join(', ');
};
const track = (data: Data): string | null => {
  const name = string(data, 'track');
  return name === null ? null : trackName(name);
};
const fromUntil = (data: Data): string | null => {
  const from = number(data, 'from');
  const until = number(data, 'until');
  return from !== null && until !== null ? `for ${wordLength(until - from)}` : null;
};
/** How long the state was that a transition of the analysis ended. */
const ended = (data: Data): string | null => {
  if (!Array.isArray(data.ended)) return null;
  const lengths = (data.ended as Data[])
    .map((state) => number(state, 'length_ms'))
    .filter((ms) => ms !== null);
  return lengths.length > 0 ? `after ${wordLength(Math.max(...lengths))}` : null;
};

const SURFACES: Record<string, string> = {
  monitor: 'whole screen',
  window: 'one window',
  browser: 'one browser tab',
  unverified: 'the browser does not tell what is shared',
};
export const surfaceWords = (surface: string): string => SURFACES[surface] ?? surface;
const surface = (data: Data): string | null => {
  const value = string(data, 'surface');
  return value === null ? null : surfaceWords(value);
};
const OUTCOMES: Record<string, string> = {
  finished: 'finished by the candidate',
  time_up: 'the time was up',
  terminated: 'ended early',
  abandoned: 'abandoned',
};
export const outcomeWords = (outcome: string): string => OUTCOMES[outcome] ?? reasonWords(outcome);
const outcome = (data: Data): string | null => {
  const value = string(data, 'outcome');
  return value === null ? null : outcomeWords(value);
};

const TRACKS: Record<string, string> = { camera: 'Camera', screen: 'Screen' };
export const trackName = (id: string): string => TRACKS[id] ?? id.charAt(0).toUpperCase() + id.slice(1);

const found: Say = (d) => [count(d, 'count', 'in view', 'in view'), percent(d, 'score', 'score')];
const device: Say = (d) => [
  string(d, 'label'),
  d.plugged_in === true ? 'plugged in later' : null,
  count(d, 'count', 'found', 'found'),
];
const lost: Say = (d) => [string(d, 'label'), reason(d)];
const back: Say = (d) => [string(d, 'label'), length(d, 'lost_ms', 'was gone for ')];
const person: Say = (d) => [string(d, 'note')];
/** How many findings are off and how many relaxed; the details tell which. */
const accommodated: Say = (d) => {
  const held = Array.isArray(d.accommodations) ? (d.accommodations as Data[]) : [];
  const of = (what: string) =>
    held
      .filter((one) => one.what === what)
      .reduce((sum, one) => sum + (Array.isArray(one.type_ids) ? one.type_ids.length : 0), 0);
  const parts = (['off', 'relaxed'] as const).filter((what) => of(what) > 0);
  const words = parts.map((what) => `${of(what)} ${what}`);
  return [words.length > 0 ? words.join(', ') : 'none any more', string(d, 'by')];
};
const still: Say = (d) => [reasons(d)];

const SAY: Record<number, Say> = {
  3: (d) => [
    d.rejoin === true ? 'came back' : 'first time',
    d.new_device === true ? 'from another browser' : null,
  ],
  4: (d) => [length(d, 'away_ms', 'was away for ')],
  5: (d) => [reason(d)],
  6: (d) => [length(d, 'idle_after_ms', 'no input for ')],
  7: (d) => [length(d, 'idle_ms', 'was idle for ')],
  9: (d) => [
    d.reconnect === true ? 'reconnected' : 'first connection',
    number(d, 'rtt_ms') === null ? null : `round trip ${Math.round(number(d, 'rtt_ms') as number)} ms`,
  ],
  10: (d) => [reason(d), number(d, 'code') === null ? null : `close code ${number(d, 'code')}`],
  12: (d) => [reason(d)],
  13: (d) => [track(d)],
  14: (d) => [track(d), reason(d)],
  15: (d) => [percent(d, 'score', 'score'), ended(d)],
  16: () => [],
  17: (d) => [d.already === true ? 'had been granted before' : null],
  18: (d) => [reason(d)],
  26: (d) => [
    size(d),
    number(d, 'frame_rate') === null ? null : `${Math.round(number(d, 'frame_rate') as number)} pictures/s`,
    string(d, 'label'),
  ],
  27: (d) => [reason(d), string(d, 'label')],
  34: (d) => [decibel(d, 'level_db', 'speech at'), decibel(d, 'noise_floor_db', 'noise at')],
  60: device,
  81: (d) => [count(d, 'count', 'face', 'faces'), percent(d, 'score', 'score')],
  113: (d) => [outcome(d), number(d, 'missing') ? `${number(d, 'missing')} chunks never arrived` : null],
  149: (d) => [surface(d), size(d)],
  150: (d) => [reason(d)],
  155: still,
  158: (d) => [number(d, 'attempt') === null ? null : `attempt ${number(d, 'attempt')}`, string(d, 'error')],
  159: device,
  169: found,
  170: found,
  181: (d) => [fromUntil(d), d.reported_by === 'page' ? "reported by the candidate's page" : null],
  1001: (d) => [reason(d), decibel(d, 'level_db', 'level')],
  1002: still,
  1003: still,
  1004: lost,
  1005: lost,
  1006: (d) => [surface(d), length(d, 'stopped_ms', 'had stopped for ')],
  1021: (d) => [length(d, 'exited_ms', 'was out of full screen for ')],
  1022: (d) => [string(d, 'action'), count(d, 'length', 'character', 'characters')],
  1024: (d) => [count(d, 'count', 'display', 'displays')],
  1025: (d) => [size(d)],
  1026: (d) => [count(d, 'characters', 'character', 'characters'), length(d, 'within_ms', 'within ')],
  1045: found,
  1046: (d) => [decibel(d, 'level_db', 'level')],
  1047: (d) => [string(d, 'label'), reason(d)],
  1060: (d) => [track(d), fromUntil(d), reason(d)],
  1061: (d) => [length(d, 'change_ms', 'by '), string(d, 'where') ? `${string(d, 'where')}'s clock` : null],
  1062: (d) => [track(d), number(d, 'number') === null ? null : `chunk ${number(d, 'number')}`, reason(d)],
  1063: (d) => [fromUntil(d)],
  1064: back,
  1065: back,
  1066: (d) => [ended(d)],
  1067: (d) => [ended(d)],
  1071: (d) => [outcome(d)],
  1072: (d) => [ended(d)],
  1073: (d) => [ended(d)],
  1074: (d) => [ended(d)],
  1075: (d) => [ended(d)],
  1076: (d) => [ended(d)],
  1077: (d) => [ended(d)],
  1082: (d) => [string(d, 'check'), string(d, 'note')],
  1083: (d) => [string(d, 'check'), string(d, 'note')],
  1068: (d) => [
    count(d, 'chunks', 'chunk', 'chunks'),
    number(d, 'late') ? `${number(d, 'late')} of them late` : null,
  ],
  1084: (d) => [string(d, 'text')],
  1085: (d) => [string(d, 'text')],
  1087: person,
  1088: person,
  1089: person,
  1090: (d) => [count(d, 'minutes', 'minute', 'minutes'), string(d, 'note')],
  1091: person,
  1092: person,
  1093: person,
  1095: (d) => [string(d, 'text')],
  1096: accommodated,
};

const fallback: Say = (d) => [
  string(d, 'label'),
  reason(d),
  percent(d, 'score', 'score'),
  fromUntil(d),
  string(d, 'note'),
];

/** One line, or an empty one where the name says it all. */
export function summaryOf(event: SessionEvent): string {
  const parts = (SAY[event.type_id] ?? fallback)(event.data).filter((part) => part !== null && part !== '');
  const text = parts.join(' · ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const SOURCES: Record<string, string> = {
  candidate: "Candidate's page",
  server: 'Server',
  analysis: 'Analysis',
  person: 'Staff',
};
export const sourceName = (source: string): string => SOURCES[source] ?? source;
