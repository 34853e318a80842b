/** The data of an event as rows for people: a label, a value in readable form, and what the catalog says of it. */

import type { EventType, PropertySchema } from '../../api/types';
import { clockLength, wallTime, wordLength } from '../../time/format';
import { checkName } from '../checks/words';
import { reasonWords } from './reasons';
import { outcomeWords, surfaceWords, trackName } from './words';

export interface Field {
  key: string;
  label: string;
  value: string;
  hint: string | undefined;
  /** Digests and ids: shown in a fixed-width face, to be copied. */
  code: boolean;
}

const LABELS: Record<string, string> = {
  rtt_ms: 'Round trip',
  level_db: 'Level',
  noise_floor_db: 'Noise floor',
  mime_type: 'Format',
  model_digest: 'Model digest',
  type_id: 'Type',
  user_agent: 'Browser',
};

/** Names of keys that hold digests or ids. */
const CODES = /(^|_)(digest|id|ids|link|settings|inputs|still|reference)$/;

export function labelOf(key: string): string {
  const known = LABELS[key];
  if (known) return known;
  const words = key.replace(/_(ms|at|db)$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const isWallTime = (key: string, value: number): boolean =>
  value > 1e12 && (/_at$/.test(key) || ['from', 'until', 'at', 'deadline'].includes(key));

export function valueWords(key: string, value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') {
    if (isWallTime(key, value)) return wallTime(value, true);
    if (key.endsWith('_ms')) return wordLength(value);
    if (key.endsWith('_db')) return `${value.toFixed(1)} dBFS`;
    if (key === 'score' || key === 'threshold') return value.toFixed(2);
    if (key === 'frame_time') return clockLength(value * 1000, { tenths: true });
    if (key === 'frame_rate') return `${value.toFixed(1)} pictures/s`;
    if (key === 'yaw' || key === 'pitch') return `${value.toFixed(0)}°`;
    return Number.isInteger(value) ? String(value) : value.toFixed(2);
  }
  if (typeof value === 'string') {
    if (key === 'track') return trackName(value);
    if (key === 'outcome') return outcomeWords(value);
    if (key === 'surface') return surfaceWords(value);
    if (key === 'check') return checkName(value);
    return key === 'reason' ? reasonWords(value) : value;
  }
  if (Array.isArray(value)) {
    if (key === 'reasons') return value.map((code) => reasonWords(String(code))).join(', ');
    if (key === 'box' && value.every((part) => typeof part === 'number')) return boxWords(value as number[]);
    if (key === 'boxes') return value.map((box) => boxWords(box as number[])).join('; ');
    if (value.length === 0) return 'None';
    if (value.every((part) => typeof part !== 'object')) return value.join(', ');
    return value.map((part) => objectWords(part as Record<string, unknown>)).join('; ');
  }
  return objectWords(value as Record<string, unknown>);
}

const objectWords = (value: Record<string, unknown>): string =>
  Object.entries(value)
    .map(([key, part]) => `${labelOf(key).toLowerCase()} ${valueWords(key, part)}`)
    .join(', ');

const boxWords = (box: number[]): string => {
  const [left = 0, top = 0, right = 0, bottom = 0] = box.map((part) => Math.round(part * 100));
  return `${left}–${right} % from the left, ${top}–${bottom} % from the top`;
};

/** Shown elsewhere in the details, with pictures or as a table of its own. */
const ELSEWHERE = new Set(['measures', 'evidence_id', 'evidence_ids', 'still', 'ended']);
/** What makes a finding of the analysis repeatable; kept together below the rest. */
const REPEAT = ['model', 'model_digest', 'threshold', 'runtime', 'settings', 'frame_time', 'inputs'];

export function fieldsOf(
  data: Record<string, unknown>,
  type: EventType | undefined,
): { main: Field[]; repeat: Field[] } {
  const field = (key: string): Field => {
    const schema: PropertySchema | undefined = type?.data.properties?.[key];
    return {
      key,
      label: labelOf(key),
      value: valueWords(key, data[key]),
      hint: schema?.description,
      code: CODES.test(key),
    };
  };
  const keys = Object.keys(data).filter((key) => !ELSEWHERE.has(key));
  return {
    main: keys.filter((key) => !REPEAT.includes(key)).map(field),
    repeat: REPEAT.filter((key) => key in data).map(field),
  };
}
