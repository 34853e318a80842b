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

export const howWords = ({ what, factor }: Pick<Accommodation, 'what' | 'factor'>): string =>
  what === 'off'
    ? 'Not looked for'
    : `Less strictly${factor ? `: must last ${factor} times as long, and be seen more surely` : ''}`;

/** Who granted it, and since when it holds. */
export function grantedWords({ by, person, at }: Accommodation): string {
  const who = by === undefined ? '' : person === null ? `${by} (an API key)` : by;
  return [who, at === undefined ? '' : wallDateTime(at)].filter(Boolean).join(', ');
}
