/** Accommodations as data: which findings they can be about, and what the whole list becomes when one of them changes. */

import type { Accommodation, AccommodationWish } from '../../api/types';

/** Findings that an accommodation can be about, with the policy's name of what looks for them. */
export const FINDINGS: readonly { type: number; detector: string; name: string }[] = [
  { type: 16, detector: 'faces', name: 'No face in the picture' },
  { type: 81, detector: 'faces', name: 'Several faces' },
  { type: 1041, detector: 'face_covered', name: 'Face covered' },
  { type: 1042, detector: 'looking_away', name: 'Looking away' },
  { type: 1040, detector: 'face_mismatch', name: 'Face differs from the face still' },
  { type: 169, detector: 'objects', name: 'Phone in the picture' },
  { type: 170, detector: 'objects', name: 'Book in the picture' },
  { type: 1045, detector: 'laptop', name: 'Second computer in the picture' },
  { type: 1046, detector: 'speech', name: 'Speech' },
  { type: 1043, detector: 'camera_obscured', name: 'Camera covered or black' },
  { type: 1044, detector: 'camera_frozen', name: 'Camera picture frozen' },
  { type: 1047, detector: 'virtual_camera', name: 'Virtual camera' },
];

export const LONGEST_REASON = 500;
export const FACTOR = { least: 1.1, most: 20, usual: 3 } as const;

/** What the server is asked for: one that holds, without who granted it and when. */
export const wishOf = ({ type_ids, what, factor, reason }: Accommodation): AccommodationWish =>
  what === 'relaxed'
    ? { type_ids, what, factor: factor ?? FACTOR.usual, reason }
    : { type_ids, what, reason };

const print = (one: Accommodation): string =>
  JSON.stringify([one.type_ids, one.what, one.factor ?? null, one.reason, one.by ?? null, one.at ?? null]);

export const isSame = (one: Accommodation, other: Accommodation): boolean => print(one) === print(other);

export const areSame = (some: readonly Accommodation[], others: readonly Accommodation[]): boolean =>
  some.length === others.length && some.every((one, place) => isSame(one, others[place] as Accommodation));

/** All but one, which stays out also where somebody else has taken it back meanwhile. */
export const without = (all: readonly Accommodation[], one: Accommodation | null): Accommodation[] =>
  one === null ? [...all] : all.filter((other) => !isSame(other, one));

/** Which findings are spoken for: a finding can be in one accommodation only. */
export const takenBy = (all: readonly Accommodation[]): ReadonlyMap<number, Accommodation> =>
  new Map(all.flatMap((one) => one.type_ids.map((type) => [type, one] as const)));
