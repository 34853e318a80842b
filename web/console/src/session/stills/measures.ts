/** Measures of a check in readable rows. A measure is a number, or an object with its value and its limit. */

import { labelOf, valueWords } from '../events/fields';

export interface Measure {
  key: string;
  label: string;
  value: string;
  limit: string;
  /** Null where the measure does not say. */
  passed: boolean | null;
}

const LIMITS: [string, string][] = [
  ['least', 'at least'],
  ['min', 'at least'],
  ['minimum', 'at least'],
  ['most', 'at most'],
  ['max', 'at most'],
  ['maximum', 'at most'],
  ['limit', 'limit'],
  ['threshold', 'at least'],
];

const readable = (key: string, value: unknown): string =>
  typeof value === 'number' && !Number.isInteger(value)
    ? value.toFixed(Math.abs(value) < 10 ? 2 : 1)
    : valueWords(key, value);

function passedIn(measure: Record<string, unknown>): boolean | null {
  for (const key of ['passed', 'ok', 'pass']) {
    if (typeof measure[key] === 'boolean') return measure[key] as boolean;
  }
  const { value } = measure;
  const least = measure.least ?? measure.min ?? measure.minimum;
  const most = measure.most ?? measure.max ?? measure.maximum;
  if (typeof value !== 'number' || (typeof least !== 'number' && typeof most !== 'number')) return null;
  return (typeof least !== 'number' || value >= least) && (typeof most !== 'number' || value <= most);
}

export function measuresOf(measures: Record<string, unknown>): Measure[] {
  return Object.entries(measures).map(([key, raw]) => {
    if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
      return { key, label: labelOf(key), value: readable(key, raw), limit: '', passed: null };
    }
    const measure = raw as Record<string, unknown>;
    const limits = LIMITS.filter(([name]) => measure[name] !== undefined && measure[name] !== null);
    return {
      key,
      label: labelOf(key),
      value: 'value' in measure ? readable(key, measure.value) : valueWords(key, measure),
      limit: limits.map(([name, words]) => `${words} ${readable(name, measure[name])}`).join(', '),
      passed: passedIn(measure),
    };
  });
}
