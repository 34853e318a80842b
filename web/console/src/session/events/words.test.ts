import catalogFile from '@catalog';
import { describe, expect, it } from 'vitest';
import type { Catalog, SessionEvent } from '../../api/types';
import { fieldsOf } from './fields';
import { matches, NO_FILTER } from './filter';
import { summaryOf } from './words';

const catalog = catalogFile as unknown as Catalog;

function event(type_id: number, data: Record<string, unknown> = {}): SessionEvent {
  const type = catalog.types.find((candidate) => candidate.id === type_id);
  return {
    sequence: 1,
    type_id,
    name: type?.name ?? '',
    source: 'server',
    category: type?.category ?? '',
    severity: 'low',
    occurred_at: 0,
    received_at: 0,
    data,
    evidence: [],
    link: '',
  };
}

describe('events in words', () => {
  it('has a line for every type, also with no data at all', () => {
    for (const type of catalog.types) expect(typeof summaryOf(event(type.id))).toBe('string');
    expect(typeof summaryOf(event(424242, { note: 'x' }))).toBe('string');
  });

  it('says what was seen', () => {
    expect(summaryOf(event(4, { away_ms: 12_300 }))).toBe('Was away for 12 s');
    expect(summaryOf(event(14, { track: 'screen', reason: 'stalled' }))).toBe(
      'Screen · no more recording arrived',
    );
    expect(
      summaryOf(
        event(1096, {
          accommodations: [
            { type_ids: [16, 81], what: 'off', reason: 'x' },
            { type_ids: [1046], what: 'relaxed', reason: 'y' },
          ],
          by: 'Dora',
        }),
      ),
    ).toBe('2 off, 1 relaxed · Dora');
    expect(summaryOf(event(1096, { accommodations: [] }))).toBe('None any more');
    expect(summaryOf(event(149, { surface: 'monitor', width: 1280, height: 720 }))).toBe(
      'Whole screen · 1280 × 720',
    );
    expect(summaryOf(event(169, { score: 0.914, count: 1 }))).toBe('1 in view · score 91 %');
    expect(summaryOf(event(15, { score: 0.99, ended: [{ type_id: 16, length_ms: 8_000 }] }))).toBe(
      'Score 99 % · after 8.0 s',
    );
  });

  it('never speaks of cheating', () => {
    const all = catalog.types
      .map((type) => `${type.name} ${type.description} ${summaryOf(event(type.id))}`)
      .join(' ');
    expect(all.toLowerCase()).not.toMatch(/cheat|guilt|violat|suspicio/);
  });

  it('shows the data with units and keeps what repeats a finding together', () => {
    const type = catalog.types.find((candidate) => candidate.id === 169);
    const { main, repeat } = fieldsOf(
      {
        score: 0.91234,
        box: [0.1, 0.2, 0.3, 0.4],
        model: 'nanodet',
        threshold: 0.5,
        model_digest: 'ab',
        still: 'x',
      },
      type,
    );
    expect(main.map((field) => [field.label, field.value])).toEqual([
      ['Score', '0.91'],
      ['Box', '10–30 % from the left, 20–40 % from the top'],
    ]);
    expect(repeat.map((field) => field.key)).toEqual(['model', 'model_digest', 'threshold']);
    const values = (data: Record<string, unknown>) =>
      fieldsOf(data, undefined).main.map((field) => field.value);
    expect(values({ reason: 'blur', surface: 'monitor', check: 'face' })).toEqual([
      'another window came to the front',
      'whole screen',
      'Face still',
    ]);
    expect(repeat.find((field) => field.key === 'model_digest')?.code).toBe(true);
  });

  it('finds events by words and by the number of their type', () => {
    const phone = event(169, { score: 0.9 });
    expect(matches(phone, { ...NO_FILTER, text: 'mobile 90' })).toBe(true);
    expect(matches(phone, { ...NO_FILTER, text: '169' })).toBe(true);
    expect(matches(phone, { ...NO_FILTER, text: 'book' })).toBe(false);
    expect(matches(phone, { ...NO_FILTER, severities: ['high'] })).toBe(false);
    expect(matches(phone, { ...NO_FILTER, categories: ['objects'] })).toBe(true);
  });
});
