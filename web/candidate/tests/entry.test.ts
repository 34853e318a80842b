import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { enterAgain, keepRoom } from '../src/core/entry';
import { Store } from '../src/core/store';
import type { Room } from '../src/core/types';
import { Hands } from './helpers';

beforeEach(() => {
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', {}); // a browser without locks: every page gets one
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no line')));
});
afterEach(() => vi.unstubAllGlobals());

async function visited(id: string, state: Room['state']): Promise<void> {
  const hands = new Hands();
  hands.clock.sample({ sentAt: 1_000_000, receivedAt: 1_000_000, serverTime: 1_500_000 });
  const store = await Store.open();
  await store.patch(id, (record) => {
    record.token = 'token';
  });
  const room = {
    session_id: id,
    state,
    exam: { title: 'Algebra' },
    recorded_numbers: { camera: 6 },
    last_part: {},
  };
  await keepRoom(store, hands.clock, room as unknown as Room);
  store.close();
}

test('a page loaded without a line goes on with the exam as it kept it', async () => {
  await visited('in-exam', 'running');
  const entered = await enterAgain('in-exam');
  expect(entered.offline).toBe(true);
  expect(entered.room.exam.title).toBe('Algebra');
  expect(entered.record.tracks.camera.nextNumber).toBe(7);
  expect(entered.clock.offset).toBe(500_000);
  entered.clock.sample({ sentAt: 1_000_000, receivedAt: 1_000_000, serverTime: 1_600_000 });
  expect(entered.clock.offset).toBe(600_000);
  entered.lock.release();
});

test('before the exam a page waits for the line', async () => {
  await visited('in-checks', 'checking');
  await expect(enterAgain('in-checks')).rejects.toMatchObject({ fault: 'no-answer' });
});
