// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { TabLock } from '../src/core/lock';
import { until } from './helpers';

test('a tab that hears “continue here” while it is still opening gives way as soon as it knows how', async () => {
  const early = (await TabLock.take('early'))!;
  // Another tab of the same session: it hears the same call, which tells when the call has been delivered.
  const witness = (await TabLock.take('early'))!;
  let told = false;
  witness.whenLost(() => {
    told = true;
  });
  const other = await TabLock.takeOver('early');
  await until(() => told, 'the call was delivered');
  let left = 0;
  early.whenLost(() => {
    left += 1;
  });
  expect(left).toBe(1);
  other?.release();
});

test('a lock that was given back by its own page is not lost', async () => {
  const lock = (await TabLock.take('own'))!;
  lock.release();
  let left = 0;
  lock.whenLost(() => {
    left += 1;
  });
  expect(left).toBe(0);
});
