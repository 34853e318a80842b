import { expect, test } from 'vitest';
import { Api } from '../src/core/api';
import { chunkIndex } from '../src/core/container';
import { hexOf, sha256Base64 } from '../src/core/digest';
import { DirectUpload } from '../src/core/direct';

function box(kind: string, ...content: number[]): number[] {
  const size = 8 + content.length;
  return [0, 0, size >> 8, size & 255, ...[...kind].map((letter) => letter.charCodeAt(0)), ...content];
}

const MOOF = box('moof', 1, 2, 3);
const DATA = box('mdat', ...Array<number>(300).fill(7));
const CHUNK = new Uint8Array([...MOOF, ...DATA]).buffer;

interface Call {
  method: string;
  url: string;
  body: Uint8Array;
}

function apiWith(answer: (call: Call) => Response | Promise<Response> | Error) {
  const calls: Call[] = [];
  const fetcher = async (url: string, init: RequestInit) => {
    const call = { method: init.method!, url, body: new Uint8Array((init.body as ArrayBuffer) ?? 0) };
    calls.push(call);
    const answered = await answer(call);
    if (answered instanceof Error) throw answered;
    return answered;
  };
  return { calls, api: new Api('http://server', () => 0, fetcher as typeof fetch) };
}

/** Links for ten chunks from the asked number on, valid for five minutes. */
function links({ url }: Call): Response {
  const first = Number(new URL(url).searchParams.get('first'));
  const uploads = Array.from({ length: 10 }, (_, n) => ({
    number: first + n,
    upload: `${first + n}`.padStart(16, 'a'),
    url: `http://store/${first + n}?signature=1`,
  }));
  return Response.json({ uploads, valid_ms: 300_000 });
}

/** What the server says of the chunk of these tests. */
async function linked({ url }: Call): Promise<Response> {
  const number = Number(/chunks\/(\d+)/.exec(url)?.[1]);
  return Response.json({ track: 'camera', number, digest: hexOf(await sha256Base64(CHUNK)) });
}

const asksForLinks = ({ url }: Call) => url.includes('/uploads?');

async function upload(number = 3) {
  const digest = await sha256Base64(CHUNK);
  return { number, part: 0, partStartedAt: 1_000, contentType: 'video/mp4', digest, bytes: CHUNK };
}

test('the index of a chunk leaves out the media and nothing else', () => {
  expect([...(chunkIndex(CHUNK) ?? [])]).toEqual([...MOOF, ...DATA.slice(0, 8)]);
  expect(chunkIndex(CHUNK.slice(0, 100))).toBeNull();
  expect(chunkIndex(new ArrayBuffer(0))).toBeNull();
});

test('the bytes go to the store, what describes them to the server', async () => {
  const { calls, api } = apiWith((call) => (asksForLinks(call) ? links(call) : linked(call)));
  expect(await new DirectUpload(api).chunk('s', 'camera', await upload())).toBe(true);
  expect(calls.map(({ method }) => method)).toEqual(['POST', 'PUT', 'POST']);
  expect(calls[1]?.url).toBe('http://store/3?signature=1');
  expect(calls[1]?.body.byteLength).toBe(CHUNK.byteLength);
  expect([...(calls[2]?.body ?? [])]).toEqual([...(chunkIndex(CHUNK) ?? [])]);
  expect(calls[2]?.url).toContain('upload=aaaaaaaaaaaaaaa3');
});

test('links are asked for ten at a time, and again when they are old or used', async () => {
  let now = 0;
  const { calls, api } = apiWith((call) => (asksForLinks(call) ? links(call) : linked(call)));
  const direct = new DirectUpload(api, () => now);
  const asked = () => calls.filter(asksForLinks).length;
  for (const number of [0, 1, 9]) await direct.chunk('s', 'camera', await upload(number));
  expect(asked()).toBe(1);
  await direct.chunk('s', 'camera', await upload(10));
  expect(asked()).toBe(2);
  await direct.chunk('s', 'camera', await upload(10));
  expect(asked()).toBe(3);
  now = 280_000;
  await direct.chunk('s', 'camera', await upload(11));
  expect(asked()).toBe(4);
});

test.each([
  ['cannot be reached', () => new TypeError('failed to fetch')],
  ['refuses', () => new Response(null, { status: 403 })],
])('a store that %s is left alone for a while', async (_, store) => {
  let now = 0;
  const { calls, api } = apiWith((call) =>
    call.url.startsWith('http://store') ? store() : asksForLinks(call) ? links(call) : linked(call),
  );
  const direct = new DirectUpload(api, () => now);
  expect(await direct.chunk('s', 'camera', await upload())).toBe(false);
  const tried = calls.length;
  expect(await direct.chunk('s', 'camera', await upload())).toBe(false);
  expect(calls.length).toBe(tried);
  now = 61_000;
  expect(await direct.chunk('s', 'camera', await upload())).toBe(false);
  expect(calls.length).toBeGreaterThan(tried);
});

test('WebM goes to the server, which has to make it playable', async () => {
  const { calls, api } = apiWith(() => new Response(null));
  const chunk = { ...(await upload()), contentType: 'video/webm' };
  expect(await new DirectUpload(api).chunk('s', 'camera', chunk)).toBe(false);
  expect(calls).toEqual([]);
});
