import catalogFile from '@catalog';
import { describe, expect, it } from 'vitest';
import type { Catalog, SessionEvent } from '../../api/types';
import { pairStates } from './states';

const catalog = catalogFile as unknown as Catalog;
const names = new Map(catalog.types.map((type) => [type.id, type]));

let sequence = 0;
function event(type_id: number, occurred_at: number, data: Record<string, unknown> = {}): SessionEvent {
  sequence += 1;
  const type = names.get(type_id);
  return {
    sequence,
    type_id,
    name: type?.name ?? '',
    source: 'server',
    category: type?.category ?? '',
    severity: type?.severity.medium ?? 'info',
    occurred_at,
    received_at: occurred_at,
    data,
    evidence: [],
    link: '',
  };
}

const shape = (events: SessionEvent[]) =>
  pairStates(events, catalog).map((state) => [state.event.type_id, state.from, state.until]);

describe('pairing of states', () => {
  it('pairs every state of the catalog with the twins that end it', () => {
    for (const type of catalog.types) {
      for (const begun of type.ends ?? []) {
        expect(shape([event(begun, 1_000), event(type.id, 4_000)])).toContainEqual([begun, 1_000, 4_000]);
      }
    }
  });

  it('leaves a state open that nothing ended', () => {
    expect(shape([event(16, 1_000)])).toEqual([[16, 1_000, null]]);
  });

  it('ignores an end without a beginning', () => {
    expect(shape([event(4, 1_000), event(15, 2_000)])).toEqual([]);
  });

  it('keeps the states of the two tracks apart', () => {
    expect(
      shape([
        event(14, 1_000, { track: 'camera' }),
        event(14, 2_000, { track: 'screen' }),
        event(13, 5_000, { track: 'screen' }),
      ]),
    ).toEqual([
      [14, 1_000, null],
      [14, 2_000, 5_000],
    ]);
  });

  it('goes by the time things happened, not by the time they arrived', () => {
    const back = event(4, 9_000);
    const away = event(5, 3_000);
    expect(shape([back, away])).toEqual([[5, 3_000, 9_000]]);
  });

  it('lets a repeated beginning take over', () => {
    expect(shape([event(10, 1_000), event(10, 2_000), event(9, 3_000)])).toEqual([
      [10, 1_000, 2_000],
      [10, 2_000, 3_000],
    ]);
  });

  it('takes the exact times that an event carries', () => {
    expect(
      shape([event(181, 20_000, { from: 5_000 }), event(1063, 31_000, { from: 5_000, until: 30_000 })]),
    ).toEqual([[181, 5_000, 30_000]]);
    expect(shape([event(181, 20_000, { from: 5_000, until: 9_000 })])).toEqual([[181, 5_000, 9_000]]);
    expect(shape([event(1060, 50_000, { track: 'screen', from: 10_000, until: 14_000 })])).toEqual([
      [1060, 10_000, 14_000],
    ]);
  });

  it('lets one transition of the analysis end another', () => {
    const several = event(81, 1_000);
    const none = event(16, 6_000, { ended: [{ type_id: 81, from: 1_000, until: 5_000, length_ms: 4_000 }] });
    expect(shape([several, none, event(15, 9_000)])).toEqual([
      [81, 1_000, 5_000],
      [16, 6_000, 9_000],
    ]);
  });
});
