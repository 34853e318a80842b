import { expect, test, vi } from 'vitest';
import { Api } from '../src/core/api';
import type { NewChunk } from '../src/core/recorder';
import type { ChunkMeta } from '../src/core/store';
import { Uploader } from '../src/core/uploader';
import { bytesOf, freshStore, sameStore, until } from './helpers';

const SESSION = 'session';

interface Put {
  track: string;
  number: number;
  bytes: Uint8Array;
  headers: Headers;
}

/** A server's answers to PUTs, in the words of the wire. */
class TestServer {
  puts: Put[] = [];
  answer: (put: Put) => Response | Promise<Response> | Error = () => new Response(null, { status: 201 });
  readonly api = new Api('http://server', () => performance.now(), ((url: string, init: RequestInit) =>
    this.#fetch(url, init)) as typeof fetch);

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const [, track, number] = /media\/(\w+)\/chunks\/(\d+)$/.exec(url)!;
    const put = {
      track: track!,
      number: Number(number),
      bytes: new Uint8Array(init.body as ArrayBuffer),
      headers: new Headers(init.headers),
    };
    this.puts.push(put);
    const answer = await this.answer(put);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  numbers(track: string): number[] {
    return this.puts.filter((put) => put.track === track).map((put) => put.number);
  }
}

function problem(status: number, slug: string, headers: Record<string, string> = {}): Response {
  return new Response(
    JSON.stringify({ type: `https://openproctor.org/problems/${slug}`, title: slug, status }),
    {
      status,
      headers: { 'content-type': 'application/problem+json', ...headers },
    },
  );
}

function chunk(track: 'camera' | 'screen', ...values: number[]): NewChunk {
  return {
    track,
    part: 0,
    partStartedAt: 1_000,
    recordedAt: 3_000,
    contentType: 'video/mp4',
    recorderType: 'video/mp4;codecs=avc1',
    announces: false,
    bytes: bytesOf(...values),
  };
}

async function uploaderWith(server: TestServer) {
  const store = await freshStore();
  return { store, uploader: new Uploader(store, server.api, SESSION, () => 0) };
}

test('chunks of a track go out one by one in order, with digest, part and start', async () => {
  const server = new TestServer();
  const { uploader } = await uploaderWith(server);
  await uploader.keep(chunk('camera', 1, 2, 3));
  await uploader.keep(chunk('camera', 4));
  await uploader.keep(chunk('screen', 9));
  await uploader.start();
  await until(() => uploader.backlog.chunks === 0, 'all stored');
  expect(server.numbers('camera')).toEqual([0, 1]);
  expect(server.numbers('screen')).toEqual([0]);
  const first = server.puts.find((put) => put.track === 'camera')!;
  expect([...first.bytes]).toEqual([1, 2, 3]);
  expect(first.headers.get('content-digest')).toBe('sha-256=:A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEc+4E=:');
  expect(first.headers.get('x-recording-part')).toBe('0');
  expect(first.headers.get('x-part-started-at')).toBe('1000');
  await uploader.stop();
});

test('a chunk stays on the disk until 200 or 201, whatever else is answered', async () => {
  const server = new TestServer();
  const { uploader, store } = await uploaderWith(server);
  const answers = [
    new Error('offline'),
    problem(500, 'internal'),
    problem(503, 'busy'),
    new Response(null, { status: 200 }),
  ];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    server.answer = () => answers.shift()!;
    await uploader.keep(chunk('camera', 1));
    await uploader.start();
    for (let tries = 1; tries <= 3; tries += 1) {
      await vi.waitFor(() => expect(server.puts.length).toBe(tries), { timeout: 2_000 });
      expect((await store.chunkTotals(SESSION, 'camera')).chunks).toBe(1);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    await vi.waitFor(() => expect(uploader.backlog.chunks).toBe(0));
  } finally {
    vi.useRealTimers();
  }
  expect((await store.chunkTotals(SESSION, 'camera')).chunks).toBe(0);
  expect(server.numbers('camera')).toEqual([0, 0, 0, 0]);
  await uploader.stop();
});

test('a page loaded again goes on where the last one was cut off', async () => {
  const silent = new TestServer();
  const first = await uploaderWith(silent);
  await first.uploader.keep(chunk('camera', 1));
  await first.uploader.keep(chunk('camera', 2));
  first.store.close();

  const server = new TestServer();
  const uploader = new Uploader(await sameStore(), server.api, SESSION);
  await uploader.start();
  await uploader.keep(chunk('camera', 3));
  await until(() => uploader.backlog.chunks === 0, 'all stored');
  expect(server.puts.map((put) => [put.number, ...put.bytes])).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  await uploader.stop();
});

test('a wait the server asks for is kept, even when the network comes back meanwhile', async () => {
  const server = new TestServer();
  const { uploader } = await uploaderWith(server);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    server.answer = () =>
      server.puts.length === 1 ? problem(429, 'slow', { 'retry-after': '7' }) : new Response(null);
    await uploader.keep(chunk('camera', 1));
    await uploader.start();
    await vi.waitFor(() => expect(server.puts.length).toBe(1));
    uploader.wake();
    await vi.advanceTimersByTimeAsync(6_500);
    expect(server.puts.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    await vi.waitFor(() => expect(server.puts.length).toBe(2));
  } finally {
    vi.useRealTimers();
  }
  await uploader.stop();
});

test.each([
  [409, 'init-missing'],
  [415, 'wrong-container'],
  [422, 'truncated'],
  [403, 'track-not-in-policy'],
])('a chunk refused for good (%i) is reported and does not hold up the next', async (status, slug) => {
  const server = new TestServer();
  const { uploader } = await uploaderWith(server);
  const lost: [ChunkMeta, string][] = [];
  uploader.on('lost', ({ meta, problem: why }) => lost.push([meta, why.title]));
  server.answer = (put) => (put.number === 0 ? problem(status, slug) : new Response(null, { status: 201 }));
  await uploader.keep(chunk('camera', 1));
  await uploader.keep(chunk('camera', 2));
  await uploader.start();
  await until(() => uploader.backlog.chunks === 0, 'moved on');
  expect(server.numbers('camera')).toEqual([0, 1]);
  expect(lost.map(([meta, why]) => [meta.number, why])).toEqual([[0, slug]]);
  await uploader.stop();
});

test('a number that holds another chunk by now costs no recording: the chunk takes the next one, once', async () => {
  const server = new TestServer();
  const { uploader } = await uploaderWith(server);
  const lost: number[] = [];
  uploader.on('lost', ({ meta }) => lost.push(meta.number));
  server.answer = (put) =>
    put.number === 0 ? problem(409, 'number-taken') : new Response(null, { status: 201 });
  await uploader.keep(chunk('camera', 7));
  await uploader.keep(chunk('camera', 8));
  await uploader.start();
  await until(() => uploader.backlog.chunks === 0, 'all stored');
  expect(server.puts.map((put) => [put.number, ...put.bytes])).toEqual([
    [0, 7],
    [1, 8],
    [2, 7],
  ]);
  expect(lost).toEqual([]);

  server.answer = () => problem(409, 'number-taken');
  await uploader.keep(chunk('camera', 9));
  await until(() => uploader.backlog.chunks === 0, 'given up');
  expect(server.puts.slice(3).map((put) => put.number)).toEqual([3, 4]);
  expect(lost).toEqual([4]);
  await uploader.stop();
});

test('what was recorded here stays here when the exam goes on in another browser', async () => {
  const server = new TestServer();
  const { uploader, store } = await uploaderWith(server);
  const refused: string[] = [];
  uploader.on('refused', (one) => refused.push(one.slug));
  server.answer = () => problem(409, 'open-elsewhere');
  await uploader.keep(chunk('camera', 1));
  await uploader.start();
  await until(() => refused.length > 0, 'refused');
  expect(refused[0]).toBe('open-elsewhere');
  expect((await store.chunkTotals(SESSION, 'camera')).chunks).toBe(1);
  await uploader.stop();
});

test('a hotel’s sign-in page is no acknowledgement', async () => {
  const server = new TestServer();
  const { uploader, store } = await uploaderWith(server);
  server.answer = () => new Response('<html>Please sign in</html>', { status: 200 });
  await uploader.keep(chunk('camera', 1));
  await uploader.start();
  await until(() => server.puts.length > 0, 'first try');
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect((await store.chunkTotals(SESSION, 'camera')).chunks).toBe(1);
  await uploader.stop();
});

test('with a full disk chunks wait in memory and keep their place', async () => {
  const server = new TestServer();
  const { uploader, store } = await uploaderWith(server);
  await uploader.keep(chunk('camera', 1));
  vi.spyOn(store, 'addChunk').mockRejectedValue(new DOMException('full', 'QuotaExceededError'));
  await uploader.keep(chunk('camera', 2));
  expect(uploader.backlog.chunks).toBe(2);
  await uploader.start();
  await until(() => uploader.backlog.chunks === 0, 'all stored');
  expect(server.puts.map((put) => [put.number, ...put.bytes])).toEqual([
    [0, 1],
    [1, 2],
  ]);
  await uploader.stop();
});
