import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../../api/types';
import type { Severity } from '../../severity/severity';
import { arrange, firstVisible, groupWidth, leadOf } from './clusters';
import { type Lane, packBars } from './lanes';
import type { State } from './states';

const event = (sequence: number, occurred_at: number, severity: Severity = 'info'): SessionEvent => ({
  sequence,
  type_id: 1,
  name: '',
  source: 'server',
  category: 'focus',
  severity,
  occurred_at,
  received_at: occurred_at,
  data: {},
  evidence: [],
  link: '',
});

const lane = (events: SessionEvent[], states: State[] = []): Lane => ({
  id: 'focus',
  name: 'Focus',
  marks: events.map((e) => ({ event: e, at: e.occurred_at, state: null })),
  ...packBars(states, 1e9),
});

describe('clustering', () => {
  it('keeps marks apart that have room', () => {
    const { groups } = arrange(lane([event(1, 0), event(2, 20_000), event(3, 40_000)]), 1_000);
    expect(groups.map((group) => group.marks.length)).toEqual([1, 1, 1]);
  });

  it('joins dense marks and counts the findings among them', () => {
    const { groups } = arrange(lane([event(1, 0), event(2, 5_000, 'high'), event(3, 9_000, 'low')]), 1_000);
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ severity: 'high', findings: 2, from: 0, until: 9_000 });
  });

  it('never draws one group over the next, and loses no mark', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => event(i, i * 97 + (i % 7) * 400)).sort(
      (a, b) => a.occurred_at - b.occurred_at,
    );
    const { groups } = arrange(lane(many), 1_000);
    for (const [i, group] of groups.entries()) {
      const next = groups[i + 1];
      if (next) expect((next.from - group.from) / 1_000).toBeGreaterThanOrEqual(groupWidth(group));
    }
    expect(groups.reduce((sum, group) => sum + group.marks.length, 0)).toBe(5_000);
  });

  it('comes apart when zoomed in', () => {
    const dense = lane([event(1, 0), event(2, 1_000), event(3, 2_000)]);
    expect(arrange(dense, 1_000).groups).toHaveLength(1);
    expect(arrange(dense, 10).groups).toHaveLength(3);
  });

  it('draws a state as a bar once it is long enough to be seen', () => {
    const began = event(1, 0, 'medium');
    const dense = lane([began, event(2, 5_000)], [{ event: began, from: 0, until: 60_000, endedBy: null }]);
    const near = arrange(dense, 1_000);
    expect(near.bars).toHaveLength(1);
    expect(near.groups.flatMap((group) => group.marks.map((mark) => mark.event.sequence))).toEqual([2]);
    const far = arrange(dense, 60_000);
    expect(far.bars).toHaveLength(0);
    expect(far.groups).toHaveLength(1);
  });

  it('lets the first of the heaviest stand for a group', () => {
    const { groups } = arrange(
      lane([event(1, 0), event(2, 4_000, 'medium'), event(3, 8_000, 'medium')]),
      1_000,
    );
    const [group] = groups;
    expect(group && leadOf(group).sequence).toBe(2);
  });

  it('puts overlapping states into rows and reuses a free row', () => {
    const state = (sequence: number, from: number, until: number | null): State => ({
      event: event(sequence, from),
      from,
      until,
      endedBy: null,
    });
    const { bars, rows } = packBars(
      [state(1, 0, 10), state(2, 5, 20), state(3, 12, 14), state(4, 30, null)],
      99,
    );
    expect(bars.map((bar) => bar.row)).toEqual([0, 1, 0, 0]);
    expect(bars.at(-1)?.until).toBe(99);
    expect(rows).toBe(2);
  });

  it('finds the first visible item', () => {
    const items = [{ until: 1 }, { until: 5 }, { until: 9 }];
    expect(firstVisible(items, 0)).toBe(0);
    expect(firstVisible(items, 5)).toBe(1);
    expect(firstVisible(items, 10)).toBe(3);
  });
});
