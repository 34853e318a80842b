import { describe, expect, it } from 'vitest';
import type { Capture, SessionEvent } from '../../api/types';
import type { Severity } from '../../severity/severity';
import { findingsOf, indexAt, shownAt, stepFinding } from './findings';

const event = (sequence: number, occurred_at: number, severity: Severity): SessionEvent => ({
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

const log = [
  event(1, 1_000, 'info'),
  event(2, 5_000, 'low'),
  event(3, 9_000, 'high'),
  event(4, 9_000, 'medium'),
  event(5, 7_000, 'medium'),
  event(6, 20_000, 'info'),
];
const findings = findingsOf(log);
const sequenceOf = (found: SessionEvent | null) => found?.sequence ?? null;

describe('next and previous finding', () => {
  it('goes through findings only, in the order of time', () => {
    expect(findings.map((finding) => finding.sequence)).toEqual([2, 5, 3, 4]);
  });

  it('starts from the playhead when nothing is selected', () => {
    expect(sequenceOf(stepFinding(findings, 1, 0, null))).toBe(2);
    expect(sequenceOf(stepFinding(findings, 1, 5_000, null))).toBe(5);
    expect(sequenceOf(stepFinding(findings, -1, 8_000, null))).toBe(5);
  });

  it('steps through findings of the same instant one by one', () => {
    const [, , high, medium] = findings;
    expect(sequenceOf(stepFinding(findings, 1, 9_000, high ?? null))).toBe(4);
    expect(sequenceOf(stepFinding(findings, -1, 9_000, medium ?? null))).toBe(3);
  });

  it('forgets the selection once the playhead has moved away', () => {
    expect(sequenceOf(stepFinding(findings, 1, 6_000, log[1] ?? null))).toBe(5);
    expect(sequenceOf(stepFinding(findings, -1, 60_000, log[1] ?? null))).toBe(4);
  });

  it('stops at the ends', () => {
    expect(stepFinding(findings, 1, 9_500, null)).toBeNull();
    expect(stepFinding(findings, -1, 5_000, null)).toBeNull();
    expect(stepFinding([], 1, 0, null)).toBeNull();
  });

  it('finds the event at the playhead', () => {
    expect(indexAt(findings, 0)).toBe(-1);
    expect(indexAt(findings, 9_000)).toBe(3);
    expect(indexAt(findings, 8_999)).toBe(1);
  });
});

describe('where the players show an event', () => {
  const still = (id: string, captured_at: number): Capture => ({
    id,
    kind: 'finding',
    captured_at,
    width: 640,
    height: 480,
    digest: '',
    url: '',
  });
  const captures = new Map(
    [still('a', 5_400), still('b', 900), still('c', 90_000)].map((each) => [each.id, each]),
  );
  const shown = (...ids: string[]): number =>
    shownAt({ ...event(2, 5_000, 'low'), evidence: ids.map((id) => ({ kind: 'capture', id })) }, captures);

  it('is inside the picture that was kept of it', () => {
    expect(shown('a')).toBe(5_410);
  });

  it('is where it began when no picture of it was kept', () => {
    expect(shown()).toBe(5_010);
    expect(shown('b', 'c', 'unknown')).toBe(5_010);
  });

  it('keeps the selection when stepping', () => {
    const evidence = [{ kind: 'capture' as const, id: 'a' }];
    const first = { ...event(2, 5_000, 'low'), evidence };
    const second = event(3, 5_200, 'low');
    const next = stepFinding([first, second], 1, 5_410, first, (each) => shownAt(each, captures));
    expect(sequenceOf(next)).toBe(3);
  });
});
