import { type Api, ApiProblem } from './api';
import { persistently } from './backoff';
import type { Clock } from './clock';
import type { EventQueue } from './queue';
import type { Store } from './store';
import { type Manifest, type Outcome, type SessionState, TRACKS, type TrackName } from './types';
import type { Uploader } from './uploader';

export interface FinishProgress {
  /** Still to be sent from this browser. */
  chunks: number;
  bytes: number;
  events: number;
  /** False while the server cannot be reached. */
  reachable: boolean;
}

export interface FinishResult {
  /** How the server has closed the session; null when it has not said so. */
  how: SessionState | null;
  /** Nothing of the recording is missing, as far as this browser can know. */
  complete: boolean;
  /** Chunks that were still here when the session was closed: the server takes them no more. */
  late: number;
}

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
const OVER: readonly SessionState[] = ['completed', 'terminated', 'expired'];

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
    const record = await persistently(() => this.parts.store.session(this.session));
    const manifest: Manifest = { streams: {}, tracks: {} };
    if (!record) return manifest;
    if (record.nextSeq > 1) manifest.streams[record.stream] = record.nextSeq - 1;
    for (const track of TRACKS) {
      const last = record.tracks[track].nextNumber - 1;
      if (last >= 0) manifest.tracks[track] = last;
    }
    return manifest;
  }

  /** Null when it was stopped. */
  async run(outcome: Outcome, manifest: Manifest): Promise<FinishResult | null> {
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
          if (OVER.includes(body.state)) return await this.#closed(body.state);
          const missing = lostChunks(body.missing.chunks);
          if (allSent) {
            patience -= 1;
            if (patience <= 0) return { how: null, complete: false, late: 0 };
            if (patience === PATIENCE / 2 && !reported && missing.length > 0) {
              // Everything we hold is in, so these are gone: say so, openly.
              reported = true;
              this.#reportLost(body.missing.chunks ?? {});
            }
          }
        } catch (error) {
          if (error instanceof ApiProblem && error.status === 410) return await this.#closed(null);
          this.#reachable = error instanceof ApiProblem && error.status < 500;
          if (this.#reachable && allSent) patience -= 1;
          if (patience <= 0) return { how: null, complete: false, late: 0 };
        }
        this.#show();
        if (!this.#stopped) await this.#sleep(allSent ? ASK_AFTER_ALL_MS : ASK_EVERY_MS, !allSent);
      }
      return null;
    } finally {
      for (const stop of stops) stop();
    }
  }

  /** The page lets go of the session; another one goes on with it. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** The session is closed at the server, perhaps by its own clock: what is still here has come too late. */
  async #closed(how: SessionState | null): Promise<FinishResult | null> {
    const { store, uploader } = this.parts;
    // The answer to the last chunk may still be on its way.
    await uploader.stop();
    if (this.#stopped) return null;
    const earlier = await store.session(this.session).catch(() => undefined);
    const late = Math.max(uploader.backlog.chunks, earlier?.late ?? 0);
    return { how, complete: late === 0, late };
  }

  /** Once the end was shown: lets go of what waited here. A page loaded again still knows how much came too late. */
  async forget({ complete, late }: FinishResult): Promise<void> {
    const { store, uploader } = this.parts;
    await uploader.stop();
    if (late > 0) {
      await store.patch(this.session, (record) => {
        record.late = late;
      });
    }
    if (complete || late > 0) await store.clear(this.session);
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
