import catalogFile from '@catalog';
import { describe, expect, it } from 'vitest';
import type { Catalog } from '../../api/types';
import { accommodationRows } from './words';

const catalog = catalogFile as unknown as Catalog;
const types = new Map(catalog.types.map((type) => [type.id, type]));

describe('accommodations in words', () => {
  it('says what, how, why and by whom, and leaves what was written as it is', () => {
    const rows = accommodationRows(
      [
        { type_ids: [1042], what: 'off', reason: '<b>Tourette-syndrome</b>', by: 'Dora' },
        { type_ids: [16, 81], what: 'relaxed', factor: 3, reason: 'interpreter' },
      ],
      types,
    );
    expect(rows.map((row) => row.label)).toEqual([
      'Looking Away: off',
      'Face Not Detected: relaxed, 3 times as long',
      'Multiple Face Detected: relaxed, 3 times as long',
    ]);
    expect(rows[0]?.value).toBe('<b>Tourette-syndrome</b> – Dora');
    expect(rows[1]?.value).toBe('interpreter');
  });
});
