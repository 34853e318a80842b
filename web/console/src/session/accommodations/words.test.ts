import catalogFile from '@catalog';
import { describe, expect, it } from 'vitest';
import type { Accommodation, Catalog } from '../../api/types';
import { areSame, FINDINGS, takenBy, wishOf, without } from './grants';
import { findingNames, grantedWords, howWords } from './words';

const catalog = catalogFile as unknown as Catalog;
const types = new Map(catalog.types.map((type) => [type.id, type]));

const tics: Accommodation = {
  type_ids: [16, 1042],
  what: 'off',
  reason: '<b>Tourette-syndrome</b>',
  by: 'Dora',
  person: 'p',
  at: 1_700_000_000_000,
};
const interpreter: Accommodation = { ...tics, type_ids: [81], what: 'relaxed', factor: 3, person: null };

describe('accommodations', () => {
  it('are about findings of the analysis that the catalog knows, each named once', () => {
    for (const { type, name } of FINDINGS) {
      expect(types.get(type)?.source, name).toContain('analysis');
    }
    expect(new Set(FINDINGS.map(({ name }) => name)).size).toBe(FINDINGS.length);
    expect(new Set(FINDINGS.map(({ type }) => type)).size).toBe(FINDINGS.length);
  });

  it('say in words what, how and by whom', () => {
    expect(findingNames(tics.type_ids)).toBe('No face in the picture, looking away');
    expect(findingNames([5], types)).toBe(types.get(5)?.name);
    expect(howWords(tics)).toBe('Not looked for');
    expect(howWords({ ...interpreter, type_ids: [81] })).toBe('Less strictly: must last 3 times as long');
    expect(howWords({ ...interpreter, type_ids: [81, 1046] })).toBe(
      'Less strictly: must last 3 times as long, and be found more surely',
    );
    expect(grantedWords(tics)).toMatch(/^Dora, .*2023/);
    expect(grantedWords(interpreter)).toContain('Dora (an API key)');
  });

  it('are sent without who granted them, one at a time, and the others stay', () => {
    expect(wishOf(tics)).toEqual({ type_ids: [16, 1042], what: 'off', reason: tics.reason });
    expect(wishOf(interpreter)).toMatchObject({ what: 'relaxed', factor: 3 });
    expect(without([tics, interpreter], tics)).toEqual([interpreter]);
    expect(without([interpreter], tics)).toEqual([interpreter]);
    expect(takenBy([tics, interpreter]).get(1042)).toBe(tics);
  });

  it('are told apart by what, how, why, by whom and when', () => {
    expect(areSame([tics], [{ ...tics, factor: null }])).toBe(true);
    expect(areSame([tics], [{ ...tics, reason: 'other' }])).toBe(false);
    expect(areSame([tics], [{ ...tics, at: 1 }])).toBe(false);
    expect(areSame([tics], [])).toBe(false);
  });
});
