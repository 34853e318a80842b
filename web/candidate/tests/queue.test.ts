import { expect, test, vi } from 'vitest';
import { BadBatch, type EventBatch, type EventCarrier, EventQueue } from '../src/core/queue';
import type { BatchAnswer } from '../src/core/types';
import { freshStore, Hands, sameStore, until } from './helpers';

const SESSION = 'session';

/** A line as the test wants it: open or not, and answering as told. */
class TestLine implements EventCarrier {
  ready = true;
  maxBatch = 3;
  sent: EventBatch[] = [];
  answer: (batch: EventBatch) => BatchAnswer | Error = (batch) => ({
    acknowledged: batch.events.map((one) => one.seq),
    refused: [],
  });

  async send(batch: EventBatch): Promise<BatchAnswer> {
    this.sent.push(batch);
    const answer = this.answer(batch);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  get seqs(): number[][] {
    return this.sent.map((batch) => batch.events.map((one) => one.seq));
  }
}

async function queueWith(hands = new Hands(), page = 'page-1') {
  const store = await freshStore();
  const queue = new EventQueue(store, SESSION, hands.clock, page);
  await queue.load();
  return { store, queue, hands };
}

test('events are numbered in the order they were raised and sent in batches', async () => {
  const { queue } = await queueWith();
  for (let i = 0; i < 7; i += 1) queue.raise('active', { idle_ms: i });
  await queue.settled();
  const line = new TestLine();
  queue.useCarrier(line);
  await until(() => queue.waiting === 0, 'all acknowledged');
  expect(line.seqs).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  expect(line.sent.flatMap((batch) => batch.events.map((one) => one.data.idle_ms))).toEqual([
    0, 1, 2, 3, 4, 5, 6,
  ]);
  expect(queue.lastSeq).toBe(7);
});

test('nothing is deleted before it is acknowledged, and it goes out again when the line is back', async () => {
  const { queue, store } = await queueWith();
  const line = new TestLine();
  line.answer = () => new Error('the line broke');
  queue.useCarrier(line);
  queue.raise('handRaised', {});
  await until(() => line.sent.length > 0, 'first try');
  expect(await store.countEvents(SESSION)).toBe(1);
  line.answer = (batch) => ({ acknowledged: batch.events.map((one) => one.seq), refused: [] });
  queue.wake();
  await until(() => queue.waiting === 0, 'acknowledged');
  expect(await store.countEvents(SESSION)).toBe(0);
});

test('a page loaded again sends what the last one left, and never gives a number twice', async () => {
  const { queue, store } = await queueWith();
  await queue.raise('focusOut', { reason: 'blur' }).stored;
  const stream = queue.stream;
  store.close();
  const again = new EventQueue(await sameStore(), SESSION, new Hands().clock, 'page-2');
  await again.load();
  expect(again.waiting).toBe(1);
  expect(again.stream).toBe(stream);
  await again.raise('focusIn', { away_ms: 5 }).stored;
  const line = new TestLine();
  again.useCarrier(line);
  await until(() => again.waiting === 0, 'acknowledged');
  expect(line.seqs.flat()).toEqual([1, 2]);
  expect(line.sent[0]!.stream).toBe(stream);
});

test('a refused event is told to whoever raised it, and is not sent again', async () => {
  const { queue } = await queueWith();
  const line = new TestLine();
  line.answer = (batch) => ({
    acknowledged: [],
    refused: batch.events.map((one) => ({
      seq: one.seq,
      type: 'https://x/not-confirmed',
      title: 'Not confirmed',
    })),
  });
  queue.useCarrier(line);
  const answer = await queue.raise('cameraPassed', { width: 640, height: 480, frame_rate: 15 }).answered;
  expect(answer).toMatchObject({ accepted: false, refusal: { title: 'Not confirmed' } });
  await until(() => queue.waiting === 0, 'forgotten');
  queue.wake();
  await queue.settled();
  expect(line.sent.length).toBe(1);
});

test('an event the server cannot read does not hold up the others', async () => {
  const { queue } = await queueWith();
  const line = new TestLine();
  line.answer = (batch) =>
    batch.events.some((one) => one.seq === 2)
      ? new BadBatch('unreadable')
      : { acknowledged: batch.events.map((one) => one.seq), refused: [] };
  const answers = [1, 2, 3].map((idle_ms) => queue.raise('active', { idle_ms }).answered);
  await queue.settled();
  queue.useCarrier(line);
  expect((await Promise.all(answers)).map((one) => one.accepted)).toEqual([true, false, true]);
});

test('of an event that cannot be read the number is sent, so that the exam does not wait for it', async () => {
  const { queue } = await queueWith();
  const line = new TestLine();
  line.answer = (batch) =>
    batch.events.some((one) => one.seq === 2 && one.type_id !== 0)
      ? new BadBatch('unreadable')
      : {
          acknowledged: batch.events.filter((one) => one.type_id !== 0).map((one) => one.seq),
          refused: batch.events
            .filter((one) => one.type_id === 0)
            .map((one) => ({ seq: one.seq, type: 'https://x/unknown-event', title: 'Unknown' })),
        };
  const answers = [1, 2, 3].map((idle_ms) => queue.raise('active', { idle_ms }).answered);
  await queue.settled();
  queue.useCarrier(line);
  expect((await Promise.all(answers)).map((one) => one.accepted)).toEqual([true, false, true]);
  expect(line.sent.flatMap((batch) => batch.events).find((one) => one.type_id === 0)).toMatchObject({
    seq: 2,
    data: {},
  });
});

test('an event raised before the clock was known is corrected when it is sent', async () => {
  const hands = new Hands();
  const { queue } = await queueWith(hands);
  const happened = hands.page;
  await queue.raise('printAttempted', {}).stored;
  hands.pass(500);
  hands.clock.sample({ sentAt: hands.page, receivedAt: hands.page, serverTime: hands.page + 60_000 });
  const line = new TestLine();
  queue.useCarrier(line);
  await until(() => queue.waiting === 0, 'acknowledged');
  expect(line.sent[0]!.events[0]!.at).toBe(happened + 60_000);
});

test('asked to slow down, the queue waits', async () => {
  const { queue, hands } = await queueWith();
  const line = new TestLine();
  queue.slowDown(50);
  queue.useCarrier(line);
  await queue.raise('handRaised', {}).stored;
  queue.wake();
  await queue.settled();
  expect(line.sent).toEqual([]);
  hands.pass(60);
  await until(() => queue.waiting === 0, 'sent after the wait');
});

test('what lies on the disk cannot be read without the key', async () => {
  const { queue, store } = await queueWith();
  await queue.raise('messageToProctor', { text: 'a secret' }).stored;
  const [kept] = await store.events(SESSION, 1);
  expect(new TextDecoder().decode(kept!.sealed.data)).not.toContain('secret');
});

test('with a full disk events wait for room, in their order', async () => {
  const { queue, store } = await queueWith();
  const full = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
  vi.spyOn(store, 'addEvent').mockImplementationOnce(full).mockImplementationOnce(full);
  const raised = [1, 2].map((idle_ms) => queue.raise('active', { idle_ms }).stored);
  expect(await Promise.all(raised)).toEqual([1, 2]);
  const line = new TestLine();
  queue.useCarrier(line);
  await until(() => queue.waiting === 0, 'acknowledged');
  expect(line.sent.flatMap((batch) => batch.events.map((one) => one.data.idle_ms))).toEqual([1, 2]);
});

test('an event that finds no room for minutes is given up, and holds up none after it', async () => {
  const { queue, store, hands } = await queueWith();
  let tries = 0;
  const add = vi.spyOn(store, 'addEvent').mockImplementation(() => {
    tries += 1;
    return Promise.reject(new DOMException('full', 'QuotaExceededError'));
  });
  const { stored, answered } = queue.raise('handRaised', {});
  stored.catch(() => undefined);
  await until(() => tries > 0, 'first try');
  hands.pass(121_000);
  expect(await answered).toMatchObject({ accepted: false, refusal: { type: 'not-kept' } });
  add.mockRestore();
  expect(await queue.raise('handRaised', {}).stored).toBe(1);
});
