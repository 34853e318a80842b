import { type Api, ApiProblem } from './api';
import type { Clock } from './clock';
import type { EventQueue } from './queue';
import type { Store } from './store';
import { type Manifest, type Outcome, TRACKS, type TrackName } from './types';
import type { Uploader } from './uploader';

export interface FinishProgress {
  /** Still to be sent from this browser. */
  chunks: number;
  bytes: number;
  events: number;
  /** False while the server cannot be reached. */
  reachable: boolean;
}

export type FinishResult = { complete: true } | { complete: false; missingChunks: number };

interface FinishParts {
  api: Api;
  clock: Clock;
  store: Store;
  queue: EventQueue;
  uploader: Uploader;
}

/** How often the server is asked while something is still on its way, and how often after that. */
const ASK_EVERY_MS = 5_000;
const ASK_AFTER_ALL_MS = 1_000;
/** When all we had is sent and the server still misses something, it will not come from here. */
const PATIENCE = 8;

/** Says to the server what belongs to the session, and waits until all of it is in. */
export class Finisher {
  #stopped = false;
  #wake: () => void = () => undefined;
  #reachable = true;

  constructor(
    private readonly session: string,
    private readonly parts: FinishParts,
    private readonly progress: (progress: FinishProgress) => void,
  ) {}

  /** The last numbers of everything raised and recorded; call after the recorders have stopped. */
  async manifest(): Promise<Manifest> {
    await this.parts.queue.settled();
    const record = await this.parts.store.patch(this.session, () => undefined);
    const manifest: Manifest = { streams: {}, tracks: {} };
    if (record.nextSeq > 1) manifest.streams[record.stream] = record.nextSeq - 1;
    for (const track of TRACKS) {
      const last = record.tracks[track].nextNumber - 1;
      if (last >= 0) manifest.tracks[track] = last;
    }
    return manifest;
  }

  async run(outcome: Outcome, manifest: Manifest): Promise<FinishResult> {
    const { api, queue, uploader } = this.parts;
    const nudge = () => this.#nudge();
    const arrived = () => {
      this.#reachable = true;
    };
    const stops = [uploader.on('stored', arrived), uploader.on('backlog', nudge), queue.on('change', nudge)];
    let patience = PATIENCE;
    let reported = false;
    try {
      while (!this.#stopped) {
        const { chunks } = uploader.backlog;
        const events = queue.waiting;
        this.#show();
        const allSent = chunks === 0 && events === 0;
        try {
          const { body } = await api.finish(this.session, outcome, manifest);
          this.#reachable = true;
          if (body.state === 'completed') return { complete: true };
          const missing = lostChunks(body.missing.chunks);
          if (allSent) {
            patience -= 1;
            if (body.state === 'terminated' || body.state === 'expired') return { complete: true };
            if (patience <= 0) return { complete: false, missingChunks: missing.length };
            if (patience === PATIENCE / 2 && !reported && missing.length > 0) {
              // Everything we hold is in, so these are gone: say so, openly.
              reported = true;
              this.#reportLost(body.missing.chunks ?? {});
            }
          }
        } catch (error) {
          if (error instanceof ApiProblem && error.status === 410) {
            // Over on the server's side: nothing more will be taken.
            return allSent ? { complete: true } : { complete: false, missingChunks: chunks };
          }
          this.#reachable = error instanceof ApiProblem && error.status < 500;
          if (this.#reachable && allSent) patience -= 1;
          if (patience <= 0) return { complete: false, missingChunks: chunks };
        }
        this.#show();
        await this.#sleep(allSent ? ASK_AFTER_ALL_MS : ASK_EVERY_MS, !allSent);
      }
      return { complete: false, missingChunks: uploader.backlog.chunks };
    } finally {
      for (const stop of stops) stop();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  #reportLost(chunks: Partial<Record<TrackName, number[]>>): void {
    const now = this.parts.clock.now();
    for (const track of TRACKS) {
      const numbers = chunks[track];
      if (!numbers?.length) continue;
      this.parts.queue.raise('recordingGap', {
        track,
        from: now,
        until: now,
        numbers: numbers.slice(0, 10_000),
        reason: 'no longer in the browser',
      });
    }
  }

  /** Shows progress at once, and asks the server as soon as the last thing is sent. */
  #nudge(): void {
    this.#show();
    if (this.parts.uploader.backlog.chunks === 0 && this.parts.queue.waiting === 0) this.#wake();
  }

  #show(): void {
    const events = this.parts.queue.waiting;
    this.progress({ ...this.parts.uploader.backlog, events, reachable: this.#reachable });
  }

  #sleep(ms: number, wakeable: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        if (!wakeable && !this.#stopped) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function lostChunks(chunks: Partial<Record<TrackName, number[]>> | undefined): number[] {
  return TRACKS.flatMap((track) => chunks?.[track] ?? []);
}
