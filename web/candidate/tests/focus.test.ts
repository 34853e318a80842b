import { expect, test } from 'vitest';
import { FocusJudge } from '../src/core/sensors/focus';

const here = { focused: true, hidden: false };
const blurred = { focused: false, hidden: false };
const hidden = { focused: false, hidden: true };

test('leaving for longer than the debounce is told once, with the moment it began', () => {
  const judge = new FocusJudge(300);
  expect(judge.look(here, 0)).toBeNull();
  expect(judge.look(blurred, 1_000)).toBeNull();
  expect(judge.dueIn(1_000)).toBe(300);
  expect(judge.look(blurred, 1_300)).toEqual({ kind: 'out', reason: 'blur', at: 1_000 });
  expect(judge.look(blurred, 5_000)).toBeNull();
  expect(judge.look(here, 9_000)).toEqual({ kind: 'in', awayMs: 8_000, at: 9_000 });
  expect(judge.look(here, 9_100)).toBeNull();
});

test('a flicker shorter than the debounce is nothing', () => {
  const judge = new FocusJudge(300);
  judge.look(blurred, 0);
  expect(judge.look(here, 299)).toBeNull();
  expect(judge.look(blurred, 400)).toBeNull();
  expect(judge.look(here, 600)).toBeNull();
});

test('focus inside the exam’s own frame still counts as here', () => {
  // The window has had its blur event; the document, with its frame, still has focus.
  const judge = new FocusJudge(300);
  for (let at = 0; at < 60_000; at += 250) expect(judge.look(here, at)).toBeNull();
});

test('back from another window straight into the frame is focus-in', () => {
  const judge = new FocusJudge(300);
  judge.look(blurred, 0);
  judge.look(blurred, 400);
  expect(judge.look(here, 2_000)).toMatchObject({ kind: 'in', awayMs: 2_000 });
});

test('a tab that went to the back is hidden, even when the blur came first', () => {
  const judge = new FocusJudge(300);
  judge.look(blurred, 0);
  expect(judge.look(hidden, 300)).toEqual({ kind: 'out', reason: 'hidden', at: 0 });
});

test('a prompt of our own is not leaving', () => {
  const judge = new FocusJudge(300);
  const done = judge.pause();
  expect(judge.look(blurred, 0)).toBeNull();
  expect(judge.look(blurred, 8_000)).toBeNull();
  done();
  expect(judge.look(blurred, 8_100)).toBeNull();
  expect(judge.look(here, 8_200)).toBeNull();
});

test('whoever stays away after our prompt has left', () => {
  const judge = new FocusJudge(300);
  const done = judge.pause();
  judge.look(blurred, 0);
  done();
  judge.look(blurred, 1_000);
  expect(judge.look(blurred, 1_300)).toEqual({ kind: 'out', reason: 'blur', at: 1_000 });
});
