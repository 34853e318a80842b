import { expect, test, vi } from 'vitest';
import { Api } from '../src/core/api';
import { hexOf } from '../src/core/digest';
import { Finisher } from '../src/core/finish';
import { EventQueue } from '../src/core/queue';
import type { Store } from '../src/core/store';
import type { SessionState } from '../src/core/types';
import { Uploader } from '../src/core/uploader';
import { bytesOf, freshStore, Hands, sameStore, until } from './helpers';

const SESSION = 'session';

/** A server whose session is in some state; it takes chunks while that is none of the last ones. */
class TestServer {
  state: SessionState = 'running';
  asked = 0;
  /** Holds the answers to chunks back until it resolves. */
  gate: Promise<void> = Promise.resolve();
  onChunk: () => void = () => undefined;
  readonly api = new Api('http://server', () => 0, ((url: string, init: RequestInit) =>
    this.#fetch(url, init)) as typeof fetch);

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    if (url.endsWith('/finish')) {
      this.asked += 1;
      return Response.json({ state: this.state, missing: { events: 0, chunks: {} } });
    }
    if (this.state !== 'running') return over();
    const [, track, number] = /media\/(\w+)\/chunks\/(\d+)$/.exec(url)!;
    const base64 = /^sha-256=:(.+):$/.exec(new Headers(init.headers).get('content-digest')!)![1]!;
    this.onChunk();
    await this.gate;
    return Response.json({ track, number: Number(number), digest: hexOf(base64) }, { status: 201 });
  }
}

function over(): Response {
  return new Response(
    JSON.stringify({ type: 'https://openproctor.org/problems/session-over', title: 'Over', status: 410 }),
    { status: 410, headers: { 'content-type': 'application/problem+json' } },
  );
}

async function finisherWith(server: TestServer, store: Store, recorded: number) {
  const { clock } = new Hands();
  const queue = new EventQueue(store, SESSION, clock, 'page');
  await queue.load();
  const uploader = new Uploader(store, server.api, SESSION, () => 0);
  for (let n = 0; n < recorded; n += 1) {
    await uploader.keep({
      track: 'camera',
      part: 0,
      partStartedAt: 1_000,
      recordedAt: 3_000,
      contentType: 'video/mp4',
      recorderType: 'video/mp4',
      announces: false,
      bytes: bytesOf(n),
    });
  }
  await uploader.start();
  const finisher = new Finisher(SESSION, { api: server.api, clock, store, queue, uploader }, () => undefined);
  return { finisher, uploader };
}

test.each<SessionState>(['completed', 'terminated', 'expired'])(
  'a session that is %s while chunks wait here ends with the truth, also after a reload',
  async (state) => {
    const server = new TestServer();
    server.state = state;
    const store = await freshStore();
    const { finisher } = await finisherWith(server, store, 3);
    const manifest = await finisher.manifest();
    expect(manifest.tracks).toEqual({ camera: 2 });
    const result = await finisher.run('finished', manifest);
    expect(result).toEqual({ how: state, complete: false, late: 3 });
    expect((await store.chunkTotals(SESSION, 'camera')).chunks).toBe(3);
    await finisher.forget(result!);
    expect((await store.chunkTotals(SESSION, 'camera')).chunks).toBe(0);
    store.close();

    const again = await finisherWith(server, await sameStore(), 0);
    expect(await again.finisher.run('finished', manifest)).toEqual({ how: state, complete: false, late: 3 });
  },
);

test('a chunk whose acknowledgement is on its way when the session is completed has arrived', async () => {
  const server = new TestServer();
  let open: () => void = () => undefined;
  server.gate = new Promise((resolve) => {
    open = resolve;
  });
  const store = await freshStore();
  server.onChunk = () => {
    server.state = 'completed';
  };
  const { finisher, uploader } = await finisherWith(server, store, 1);
  await until(() => server.state === 'completed', 'the chunk is at the server');
  const result = finisher.run('finished', { streams: {}, tracks: { camera: 0 } });
  await until(() => server.asked > 0, 'asked');
  expect(uploader.backlog.chunks).toBe(1);
  open();
  expect(await result).toEqual({ how: 'completed', complete: true, late: 0 });
});

test('a disk that cannot be read for a moment does not hold up the end', async () => {
  const server = new TestServer();
  server.state = 'completed';
  const store = await freshStore();
  const { finisher } = await finisherWith(server, store, 1);
  vi.spyOn(store, 'session').mockRejectedValueOnce(new DOMException('the disk', 'UnknownError'));
  expect((await finisher.manifest()).tracks).toEqual({ camera: 0 });
});

test('a page that has to let go says nothing about the end', async () => {
  const server = new TestServer();
  server.gate = new Promise(() => undefined);
  const { finisher } = await finisherWith(server, await freshStore(), 1);
  const result = finisher.run('finished', { streams: {}, tracks: { camera: 0 } });
  await until(() => server.asked > 0, 'asked');
  finisher.stop();
  expect(await result).toBeNull();
});
