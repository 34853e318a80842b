import { expect, test } from 'vitest';
import { IdleJudge } from '../src/core/sensors/idle';

test('nothing for the whole time is idle, once; the next input ends it', () => {
  const judge = new IdleJudge(60_000, 0);
  expect(judge.look(59_999)).toBeNull();
  expect(judge.look(60_400)).toEqual({ kind: 'idle', afterMs: 60_000, at: 60_000 });
  expect(judge.look(90_000)).toBeNull();
  expect(judge.input(95_000)).toEqual({ kind: 'active', idleMs: 95_000, at: 95_000 });
  expect(judge.input(95_100)).toBeNull();
});

test('an input just in time starts the count anew', () => {
  const judge = new IdleJudge(60_000, 0);
  judge.input(59_000);
  expect(judge.look(118_000)).toBeNull();
  expect(judge.look(119_000)).toMatchObject({ kind: 'idle' });
});

test('nobody is called idle while typing where we may not look', () => {
  const judge = new IdleJudge(60_000, 0);
  expect(judge.blind(true, 10_000)).toBeNull();
  expect(judge.look(3_600_000)).toBeNull();
  expect(judge.blind(false, 3_600_000)).toBeNull();
  expect(judge.look(3_650_000)).toBeNull();
  expect(judge.look(3_660_000)).toMatchObject({ kind: 'idle' });
});

test('moving into the foreign frame ends an idle time', () => {
  const judge = new IdleJudge(60_000, 0);
  judge.look(60_000);
  expect(judge.blind(true, 75_000)).toEqual({ kind: 'active', idleMs: 75_000, at: 75_000 });
});
