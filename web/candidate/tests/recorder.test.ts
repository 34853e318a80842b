import { expect, test, vi } from 'vitest';
import { type NewChunk, type PartEnd, TrackRecorder } from '../src/core/recorder';
import type { Store } from '../src/core/store';
import { bytesOf, freshStore, Hands, sameStore, until } from './helpers';

const SESSION = 'session';

/** A browser's recorder, giving data when the test says so. */
class BrowserRecorder {
  state: RecordingState = 'inactive';
  mimeType = 'video/mp4;codecs="avc1.42001f,opus"';
  timeslice: number | undefined;
  onstart: (() => void) | null = null;
  onstop: (() => void) | null = null;
  onerror: (() => void) | null = null;
  ondataavailable: ((event: { data: Blob }) => void) | null = null;

  start(timeslice?: number): void {
    this.timeslice = timeslice;
    this.state = 'recording';
    this.onstart?.();
  }

  give(bytes: ArrayBuffer): void {
    this.ondataavailable?.({ data: new Blob([bytes]) });
  }

  stop(): void {
    this.state = 'inactive';
    this.give(bytesOf(99));
    this.onstop?.();
  }
}

const INIT = box('ftyp');
const FRAGMENT = box('moof');

function box(name: string): ArrayBuffer {
  const bytes = new Uint8Array(8);
  bytes[3] = 8;
  bytes.set(new TextEncoder().encode(name), 4);
  return bytes.buffer;
}

async function recorderWith(container: 'video/mp4' | 'video/webm', store?: Store) {
  const hands = new Hands();
  const mine = store ?? (await freshStore());
  const browsers: BrowserRecorder[] = [];
  const kept: (NewChunk & { number: number })[] = [];
  const ends: PartEnd[] = [];
  const recorder = new TrackRecorder(
    {
      track: 'camera',
      session: SESSION,
      policy: { width: 640, height: 480, frame_rate: 15, video_bits_per_second: 300_000 },
      type: { mimeType: container, contentType: container },
      chunkMs: 2_000,
      stallMs: 15_000,
    },
    mine,
    hands.clock,
    async (chunk) => {
      const { bytes, ...about } = chunk;
      const meta = { ...about, session: SESSION, size: bytes.byteLength, digest: '' };
      kept.push({ ...chunk, number: await mine.addChunk(meta, await mine.vault.seal(bytes)) });
    },
    (end) => ends.push(end),
    () => {
      const browser = new BrowserRecorder();
      browsers.push(browser);
      return browser as unknown as MediaRecorder;
    },
    1,
  );
  return { recorder, hands, browsers, kept, ends, store: mine };
}

const stream = {} as MediaStream;

test('numbers run on over all parts without a hole, parts count the starts', async () => {
  const { recorder, browsers, kept, ends } = await recorderWith('video/mp4');
  recorder.start(stream);
  browsers[0]!.give(INIT);
  browsers[0]!.give(FRAGMENT);
  await recorder.stop('track_ended');
  recorder.start(stream);
  browsers[1]!.give(INIT);
  await recorder.stop('finished');
  expect(kept.map(({ part, number }) => [part, number])).toEqual([
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 3],
    [1, 4],
  ]);
  expect(ends).toMatchObject([
    { part: 0, lastNumber: 2, reason: 'track_ended' },
    { part: 1, lastNumber: 4, reason: 'finished' },
  ]);
  expect(browsers[0]!.timeslice).toBe(2_000);
});

test('the start of a part is announced by its first media, not by the head of the file', async () => {
  const { recorder, browsers, kept } = await recorderWith('video/mp4');
  recorder.start(stream);
  browsers[0]!.give(INIT);
  browsers[0]!.give(FRAGMENT);
  browsers[0]!.give(FRAGMENT);
  await recorder.stop('finished');
  expect(kept.map((one) => one.announces)).toEqual([false, true, false, false]);
});

test('after a reload, and after the store was lost, numbers go on behind what the server has', async () => {
  const first = await recorderWith('video/mp4');
  first.recorder.start(stream);
  first.browsers[0]!.give(INIT);
  await first.recorder.stop('finished');
  first.store.close();

  const again = await recorderWith('video/mp4', await sameStore());
  again.recorder.start(stream);
  await again.recorder.stop('finished');
  expect(again.kept.map(({ part, number }) => [part, number])).toEqual([[1, 2]]);

  const lost = await recorderWith('video/mp4');
  await lost.store.reconcile(SESSION, 'camera', 41, 3);
  lost.recorder.start(stream);
  await lost.recorder.stop('finished');
  expect(lost.kept.map(({ part, number }) => [part, number])).toEqual([[4, 42]]);
});

test('a recorder that gives nothing for too long is called stalled', async () => {
  const { recorder, browsers, hands } = await recorderWith('video/mp4');
  recorder.start(stream);
  hands.pass(10_000);
  browsers[0]!.give(INIT);
  hands.pass(14_000);
  expect(recorder.check()).toBe('fine');
  hands.pass(2_000);
  expect(recorder.check()).toBe('stalled');
});

test('WebM comes in pieces that are files of their own, the next begun before the last one ends', async () => {
  const { recorder, browsers, kept, hands, ends } = await recorderWith('video/webm');
  recorder.start(stream);
  hands.pass(6_500);
  recorder.check();
  expect(browsers.map((one) => one.state)).toEqual(['inactive', 'recording']);
  hands.pass(6_500);
  recorder.check();
  await recorder.stop('finished');
  await until(() => kept.length === 3, 'three pieces');
  expect(kept.map(({ number, announces }) => [number, announces])).toEqual([
    [0, true],
    [1, false],
    [2, false],
  ]);
  expect(new Set(kept.map((one) => one.part)).size).toBe(3);
  expect(ends.length).toBe(1);
});

test('a recorder whose tracks have all ended closes its part by itself', async () => {
  const { recorder, browsers, ends } = await recorderWith('video/mp4');
  recorder.start(stream);
  browsers[0]!.give(INIT);
  browsers[0]!.stop();
  await until(() => ends.length === 1, 'closed');
  expect(ends[0]).toMatchObject({ reason: 'track_ended', lastNumber: 1 });
  expect(recorder.recording).toBe(false);
});

const full = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));

test('a part that the disk refuses for a moment keeps its beginning', async () => {
  const { recorder, browsers, kept, ends, store } = await recorderWith('video/mp4');
  vi.spyOn(store, 'openPart').mockImplementationOnce(full).mockImplementationOnce(full);
  recorder.start(stream);
  browsers[0]!.give(INIT);
  browsers[0]!.give(FRAGMENT);
  await recorder.stop('finished');
  expect(kept.map(({ part, number }) => [part, number])).toEqual([
    [0, 0],
    [0, 1],
    [0, 2],
  ]);
  expect(ends).toMatchObject([{ part: 0, lastNumber: 2 }]);
});

test('a part that the disk does not take at all ends at once, so that the next one can begin', async () => {
  const { recorder, browsers, kept, ends, store } = await recorderWith('video/mp4');
  const noDisk = vi.spyOn(store, 'openPart').mockImplementation(full);
  // The errors are passed on to the browser's console.
  const shown: (() => void)[] = [];
  const show = (error: () => void) => shown.push(error);
  vi.stubGlobal('queueMicrotask', show);
  try {
    recorder.start(stream);
    browsers[0]!.give(INIT);
    await until(() => ends.length === 1, 'ended');
  } finally {
    vi.unstubAllGlobals();
  }
  expect(ends).toMatchObject([{ part: null, reason: 'error' }]);
  for (const error of shown) expect(error).toThrow('full');
  expect(recorder.recording).toBe(false);
  expect(kept).toEqual([]);
  noDisk.mockRestore();
  recorder.start(stream);
  browsers[1]!.give(INIT);
  await recorder.stop('finished');
  expect(kept.map(({ part, number }) => [part, number])).toEqual([
    [0, 0],
    [0, 1],
  ]);
});
