/** Accommodations in words. */

import type { Accommodation, EventType } from '../../api/types';
import { wallDateTime } from '../../time/format';
import { FINDINGS } from './grants';

export const findingName = (type: number, types?: ReadonlyMap<number, EventType>): string =>
  FINDINGS.find((finding) => finding.type === type)?.name ?? types?.get(type)?.name ?? `Type ${type}`;

/** `No face in the picture, several faces` */
export function findingNames(type_ids: readonly number[], types?: ReadonlyMap<number, EventType>): string {
  const [first = '', ...others] = type_ids.map((type) => findingName(type, types));
  return [first, ...others.map((name) => name[0]?.toLowerCase() + name.slice(1))].join(', ');
}

// relaxed, these take a higher score as well
const SCORED = new Set([169, 170, 1045, 1046]);

export function howWords({
  type_ids,
  what,
  factor,
}: Pick<Accommodation, 'type_ids' | 'what' | 'factor'>): string {
  if (what === 'off') return 'Not looked for';
  if (!factor) return 'Less strictly';
  const surer = type_ids.some((type) => SCORED.has(type)) ? ', and be found more surely' : '';
  return `Less strictly: must last ${factor} times as long${surer}`;
}

/** Who granted it, and since when it holds. */
export function grantedWords({ by, person, at }: Accommodation): string {
  const who = by === undefined ? '' : person === null ? `${by} (an API key)` : by;
  return [who, at === undefined ? '' : wallDateTime(at)].filter(Boolean).join(', ');
}
