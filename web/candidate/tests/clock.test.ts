import { expect, test } from 'vitest';
import { Hands } from './helpers';

test('the quickest of the recent answers decides the offset', () => {
  const { clock, page } = new Hands();
  clock.sample({ sentAt: page, receivedAt: page + 400, serverTime: page + 7_000 });
  clock.sample({ sentAt: page, receivedAt: page + 10, serverTime: page + 5_005 });
  clock.sample({ sentAt: page, receivedAt: page + 900, serverTime: page + 9_000 });
  expect(clock.offset).toBe(5_000);
  expect(clock.now()).toBe(page + 5_000);
  expect(Number.isInteger(clock.correct(page + 0.4))).toBe(true);
});

test('an answer that is too old no longer counts', () => {
  const hands = new Hands();
  const { clock } = hands;
  clock.sample({ sentAt: hands.page, receivedAt: hands.page + 2, serverTime: hands.page + 100 });
  hands.pass(11 * 60_000);
  clock.sample({ sentAt: hands.page, receivedAt: hands.page + 300, serverTime: hands.page + 650 });
  expect(clock.offset).toBe(500);
});

test('setting the computer’s clock is told, and moves no event in time', () => {
  const hands = new Hands();
  const { clock } = hands;
  const jumps: number[] = [];
  clock.on('jump', (change) => jumps.push(change));
  clock.sample({ sentAt: hands.page, receivedAt: hands.page, serverTime: hands.page + 50 });
  clock.check();
  hands.pass(1_000);
  hands.wall -= 3_600_000;
  clock.check();
  expect(clock.now()).toBe(hands.page + 50);
  clock.sample({ sentAt: hands.page, receivedAt: hands.page + 4, serverTime: hands.page + 52 });
  expect(jumps).toEqual([-3_600_000]);
});

test('a computer that slept has not set its clock, and is measured anew', () => {
  const hands = new Hands();
  const { clock } = hands;
  const jumps: number[] = [];
  clock.on('jump', (change) => jumps.push(change));
  clock.sample({ sentAt: hands.page, receivedAt: hands.page, serverTime: hands.page });
  clock.check();
  // The lid is closed for ten minutes: the wall goes on, our monotonic clock stands still.
  hands.wall += 600_000;
  clock.check();
  clock.sample({ sentAt: hands.page, receivedAt: hands.page + 20, serverTime: hands.page + 600_010 });
  expect(jumps).toEqual([]);
  expect(clock.offset).toBe(600_000);
});

test('a small correction by the system’s time service is no jump', () => {
  const hands = new Hands();
  const jumps: number[] = [];
  hands.clock.on('jump', (change) => jumps.push(change));
  for (let i = 0; i < 100; i += 1) {
    hands.pass(1_000);
    hands.wall += 20;
    hands.clock.check();
  }
  hands.clock.sample({ sentAt: hands.page, receivedAt: hands.page, serverTime: hands.page });
  expect(jumps).toEqual([]);
});
