import { afterEach, expect, test, vi } from 'vitest';
import { Api } from '../src/core/api';
import { DeviceDesk } from '../src/core/desk';
import { hexOf } from '../src/core/digest';
import { EventQueue } from '../src/core/queue';
import { Recording } from '../src/core/recording';
import { ScreenDesk } from '../src/core/screen';
import type { Policy } from '../src/core/types';
import { Uploader } from '../src/core/uploader';
import { freshStore, Hands, until } from './helpers';

const SESSION = 'session';

/** A browser's recorder, giving data when the test says so. */
class BrowserRecorder {
  static all: BrowserRecorder[] = [];
  static isTypeSupported = (type: string) => type.startsWith('video/mp4');
  state: RecordingState = 'inactive';
  mimeType = 'video/mp4';
  onstart: (() => void) | null = null;
  onstop: (() => void) | null = null;
  ondataavailable: ((event: { data: Blob }) => void) | null = null;

  constructor() {
    BrowserRecorder.all.push(this);
  }

  start(): void {
    this.state = 'recording';
    this.onstart?.();
  }

  give(name: string): void {
    const bytes = new Uint8Array(8);
    bytes[3] = 8;
    bytes.set(new TextEncoder().encode(name), 4);
    this.ondataavailable?.({ data: new Blob([bytes]) });
  }

  stop(): void {
    this.state = 'inactive';
    this.onstop?.();
  }
}

class Stream {
  constructor(private readonly tracks: MediaStreamTrack[] = []) {}
  getVideoTracks = () => this.tracks;
  getAudioTracks = () => [];
}

class Display extends EventTarget {
  readyState: MediaStreamTrackState = 'live';
  label = 'a display';
  getSettings = () => ({ displaySurface: 'monitor' });
  stop = () => undefined;
}

afterEach(() => {
  vi.unstubAllGlobals();
  BrowserRecorder.all = [];
});

test('a part whose beginning never reached the server is given up for a new one', async () => {
  vi.stubGlobal('MediaRecorder', BrowserRecorder);
  vi.stubGlobal('MediaStream', Stream);
  const parts: string[] = [];
  const api = new Api('http://server', () => 0, (async (url: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    const part = headers.get('x-recording-part')!;
    parts.push(part);
    if (part === '0') {
      const type = 'https://openproctor.org/problems/init-missing';
      return new Response(JSON.stringify({ type, title: 'The beginning is missing', status: 409 }), {
        status: 409,
        headers: { 'content-type': 'application/problem+json' },
      });
    }
    const digest = hexOf(/^sha-256=:(.+):$/.exec(headers.get('content-digest')!)![1]!);
    return Response.json({ track: 'screen', number: Number(/\d+$/.exec(url)![0]), digest }, { status: 201 });
  }) as typeof fetch);

  const store = await freshStore();
  const { clock } = new Hands();
  const queue = new EventQueue(store, SESSION, clock, 'page');
  await queue.load();
  const uploader = new Uploader(store, api, SESSION);
  const media = Object.assign(new EventTarget(), {
    getDisplayMedia: async () => new Stream([new Display() as unknown as MediaStreamTrack]),
  }) as unknown as MediaDevices;
  const track = { width: 1280, height: 720, frame_rate: 5, video_bits_per_second: 250_000 };
  const policy = { tracks: { screen: track }, chunk_ms: 2_000, recording_stall_ms: 15_000 } as Policy;
  const desk = new DeviceDesk(media, undefined);
  const screen = new ScreenDesk(media, track, true);
  const recording = new Recording(SESSION, policy, { store, clock, queue, uploader, desk, screen }, '');
  await uploader.start();
  await screen.share();
  await recording.start();

  BrowserRecorder.all[0]!.give('moof');
  BrowserRecorder.all[0]!.give('moof');
  await until(() => BrowserRecorder.all.length === 2, 'a new recorder');
  expect(BrowserRecorder.all.map((one) => one.state)).toEqual(['inactive', 'recording']);
  BrowserRecorder.all[1]!.give('ftyp');
  BrowserRecorder.all[1]!.give('moof');
  await until(() => parts.length === 4 && uploader.backlog.chunks === 0, 'the new part is stored');
  expect(parts).toEqual(['0', '0', '1', '1']);
  expect(BrowserRecorder.all.length).toBe(2);
  await recording.stop('finished');
  await uploader.stop();
});
