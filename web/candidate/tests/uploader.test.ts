import { expect, test, vi } from 'vitest';
import { Api } from '../src/core/api';
import { hexOf } from '../src/core/digest';
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
  answer: (put: Put) => Response | Promise<Response> | Error = stored;
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

/** The server's word for a chunk that it holds now. */
function stored(put: Put, status = 201): Response {
  const base64 = /^sha-256=:(.+):$/.exec(put.headers.get('content-digest')!)![1]!;
  return Response.json({ track: put.track, number: put.number, digest: hexOf(base64) }, { status });
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

function problemCutOff(status: number): Response {
  const headers = { 'content-type': 'application/problem+json' };
  return new Response('{"type":"https://openproctor.org/probl', { status, headers });
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
  const answers = [new Error('offline'), problem(500, 'internal'), problem(503, 'busy')];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    server.answer = (put) => answers.shift() ?? stored(put, 200);
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
    server.answer = (put) =>
      server.puts.length === 1 ? problem(429, 'slow', { 'retry-after': '7' }) : stored(put);
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
  server.answer = (put) => (put.number === 0 ? problem(status, slug) : stored(put));
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
  server.answer = (put) => (put.number === 0 ? problem(409, 'number-taken') : stored(put));
  await uploader.keep(chunk('camera', 7));
  await uploader.keep({ ...chunk('camera', 8), part: 1 });
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

test('a part whose beginning lost its number to another browser moves as a whole, to a part of its own', async () => {
  const server = new TestServer();
  const { uploader, store } = await uploaderWith(server);
  const init = [0, 0, 0, 8, ...[...'moov'].map((letter) => letter.charCodeAt(0))];
  const part = await store.openPart(SESSION, 'camera', 1_000);
  for (const bytes of [init, [1], [2]]) await uploader.keep({ ...chunk('camera', ...bytes), part });
  // The other browser recorded one chunk of a part that it counted alike.
  await store.reconcile(SESSION, 'camera', 0, part);
  server.answer = (put) => (put.number === 0 ? problem(409, 'number-taken') : stored(put));
  await uploader.start();
  await until(() => uploader.backlog.chunks === 0, 'all stored');
  const sent = server.puts.map((put) => [put.number, put.headers.get('x-recording-part'), put.bytes.at(-1)]);
  expect(sent).toEqual([
    [0, '0', 'v'.charCodeAt(0)],
    [3, '1', 'v'.charCodeAt(0)],
    [4, '1', 1],
    [5, '1', 2],
  ]);
  expect(await store.closePart(SESSION, 'camera')).toMatchObject({ part: 1, lastNumber: 5 });
  await uploader.stop();
});

test('the rest of a part that had begun keeps its part and its order', async () => {
  const server = new TestServer();
  const { uploader } = await uploaderWith(server);
  server.answer = (put) => (put.number === 0 ? problem(409, 'number-taken') : stored(put));
  for (const byte of [1, 2, 3]) await uploader.keep(chunk('camera', byte));
  await uploader.start();
  await until(() => uploader.backlog.chunks === 0, 'all stored');
  const sent = server.puts.map((put) => [put.number, put.headers.get('x-recording-part'), ...put.bytes]);
  expect(sent.slice(1)).toEqual([
    [3, '0', 1],
    [4, '0', 2],
    [5, '0', 3],
  ]);
  await uploader.stop();
});

test.each([
  ['a hotel’s sign-in page', () => new Response('<html>Please sign in</html>', { status: 200 })],
  ['an empty answer', () => new Response(null, { status: 200 })],
  ['an answer about something else', () => Response.json({ ok: true })],
  ['a firewall’s page', () => new Response('<html>Blocked</html>', { status: 403 })],
  ['a proxy’s limit', () => new Response(null, { status: 413 })],
  ['a refusal that was cut off', () => problemCutOff(409)],
  ['a sign-in page for machines', () => Response.json({ error: 'sign in' }, { status: 401 })],
])('%s is no word of the server: the chunk stays and nobody is signed out', async (_, answer) => {
  const server = new TestServer();
  const { uploader, store } = await uploaderWith(server);
  const heard: string[] = [];
  uploader.on('lost', () => heard.push('lost'));
  uploader.on('refused', () => heard.push('refused'));
  let answered = 0;
  server.answer = (put) => {
    answered += 1;
    return answered < 3 ? answer() : stored(put);
  };
  await uploader.keep(chunk('camera', 1));
  await uploader.start();
  await until(() => {
    uploader.wake();
    return uploader.backlog.chunks === 0;
  }, 'sent again until the server had it');
  expect(server.numbers('camera')).toEqual([0, 0, 0]);
  expect(heard).toEqual([]);
  expect((await store.chunkTotals(SESSION, 'camera')).chunks).toBe(0);
  await uploader.stop();
});

test('a store that fails for a moment does not end the upload', async () => {
  const server = new TestServer();
  const { uploader, store } = await uploaderWith(server);
  const fails = () => Promise.reject(new DOMException('the disk', 'UnknownError'));
  await uploader.keep(chunk('camera', 1));
  await uploader.keep(chunk('camera', 2));
  vi.spyOn(store, 'firstChunk').mockImplementationOnce(fails);
  vi.spyOn(store, 'bytesOf').mockImplementationOnce(fails);
  vi.spyOn(store, 'deleteChunk').mockImplementationOnce(fails);
  const lost: number[] = [];
  uploader.on('lost', ({ meta }) => lost.push(meta.number));
  await uploader.start();
  await until(() => {
    uploader.wake();
    return uploader.backlog.chunks === 0;
  }, 'all stored');
  expect(server.numbers('camera')).toEqual([0, 0, 1]);
  expect(lost).toEqual([]);
  await uploader.stop();
});

test('bytes that the browser cannot give back are reported and do not hold up the next', async () => {
  const server = new TestServer();
  const { uploader, store } = await uploaderWith(server);
  const read = store.bytesOf.bind(store);
  vi.spyOn(store, 'bytesOf').mockImplementation((meta) =>
    meta.number === 0 ? Promise.reject(new DOMException('gone', 'DataError')) : read(meta),
  );
  const lost: [number, string][] = [];
  uploader.on('lost', ({ meta, problem: why }) => lost.push([meta.number, why.type]));
  await uploader.keep(chunk('camera', 1));
  await uploader.keep(chunk('camera', 2));
  await uploader.start();
  await until(() => {
    uploader.wake();
    return uploader.backlog.chunks === 0;
  }, 'moved on');
  expect(lost).toEqual([[0, 'unreadable']]);
  expect(server.numbers('camera')).toEqual([1]);
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
