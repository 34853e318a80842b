import { type Api, ApiProblem } from './api';
import { Backoff, Nap } from './backoff';
import { beginsPart } from './container';
import { sha256Base64 } from './digest';
import type { DirectUpload } from './direct';
import { Emitter } from './emitter';
import type { NewChunk } from './recorder';
import type { ChunkMeta, Store, TrackTotals } from './store';
import { type Problem, TRACKS, type TrackName } from './types';
import type { Sealed } from './vault';

export interface Backlog {
  chunks: number;
  bytes: number;
}

interface UploaderEvents {
  backlog: Backlog;
  /** 200 or 201: the server has it. */
  stored: ChunkMeta;
  /** Can never be delivered; `problem` says why. */
  lost: { meta: ChunkMeta; problem: Pick<Problem, 'type' | 'title'> };
  /** The token no longer counts, or the session is over. */
  refused: ApiProblem;
}

interface Held {
  meta: ChunkMeta;
  bytes: ArrayBuffer;
}

/** When the disk is full, so much may wait in memory. */
const MEMORY_LIMIT = 96 * 1024 * 1024;
/** A digest may break on the way; when it breaks again and again, the bytes themselves are at fault. */
const DIGEST_TRIES = 3;
/** A disk may fail for a moment; bytes that cannot be read so many times in a row are gone. */
const READ_TRIES = 5;

/** A chunk that can be sent is found, there is none, or the one in question is not to be waited for. */
type Found = Held | 'again' | null;

/** Takes chunks to disk first, then to the server: in order, one at a time per track, until each is acknowledged. */
export class Uploader extends Emitter<UploaderEvents> {
  #totals: Record<TrackName, TrackTotals> = {
    camera: { chunks: 0, bytes: 0 },
    screen: { chunks: 0, bytes: 0 },
  };
  #memory: Record<TrackName, Held[]> = { camera: [], screen: [] };
  #memoryBytes = 0;
  #running = false;
  /** Sleeping because there is nothing to send, or because sending just failed. */
  readonly #idle: Record<TrackName, Nap> = { camera: new Nap(), screen: new Nap() };
  readonly #failed: Record<TrackName, Nap> = { camera: new Nap(), screen: new Nap() };
  #added: Record<TrackName, number> = { camera: 0, screen: 0 };
  readonly #digestTries: Record<TrackName, number> = { camera: 0, screen: 0 };
  readonly #unread: Record<TrackName, number> = { camera: 0, screen: 0 };
  #loops: Promise<void>[] = [];

  constructor(
    private readonly store: Store,
    private readonly api: Api,
    private readonly session: string,
    private readonly random: () => number = Math.random,
    private readonly direct: DirectUpload | null = null,
  ) {
    super();
  }

  get backlog(): Backlog {
    const { camera, screen } = this.#totals;
    return { chunks: camera.chunks + screen.chunks, bytes: camera.bytes + screen.bytes };
  }

  /** Counts what an earlier page load left, and begins to send. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (const track of TRACKS) this.#totals[track] = await this.store.chunkTotals(this.session, track);
    this.emit('backlog', this.backlog);
    this.#loops = TRACKS.map((track) => this.#loop(track));
  }

  async stop(): Promise<void> {
    this.#running = false;
    for (const track of TRACKS) {
      this.#idle[track].wake();
      this.#failed[track].wake();
    }
    await Promise.all(this.#loops);
  }

  /** The line is back: try at once. A wait the server asked for is kept. */
  wake(): void {
    for (const track of TRACKS) if (!this.#toldToWait[track]) this.#failed[track].wake();
  }

  #toldToWait: Record<TrackName, boolean> = { camera: false, screen: false };

  /** Keeps a chunk. It is on disk (or, when the disk is full, in memory) when this resolves. */
  async keep(chunk: NewChunk): Promise<void> {
    const { bytes, ...about } = chunk;
    const meta = {
      ...about,
      session: this.session,
      size: bytes.byteLength,
      digest: await sha256Base64(bytes),
    };
    try {
      await this.store.addChunk(meta, await this.store.vault.seal(bytes));
    } catch {
      if (!(await this.#keepInMemory(meta, bytes))) return;
    }
    const total = this.#totals[chunk.track];
    total.chunks += 1;
    total.bytes += meta.size;
    this.emit('backlog', this.backlog);
    this.#added[chunk.track] += 1;
    this.#idle[chunk.track].wake();
  }

  async #keepInMemory(about: Omit<ChunkMeta, 'number'>, bytes: ArrayBuffer): Promise<boolean> {
    const problem = { type: 'storage-full', title: 'No room left in this browser' };
    if (this.#memoryBytes + bytes.byteLength > MEMORY_LIMIT) {
      // No number was used up, so the track stays without holes; the lost stretch is reported.
      this.emit('lost', { meta: { ...about, number: -1 }, problem });
      return false;
    }
    try {
      const number = await this.store.takeNumber(about.session, about.track);
      this.#memory[about.track].push({ meta: { ...about, number }, bytes });
      this.#memoryBytes += bytes.byteLength;
      return true;
    } catch {
      this.emit('lost', { meta: { ...about, number: -1 }, problem });
      return false;
    }
  }

  async #loop(track: TrackName): Promise<void> {
    const backoff = new Backoff(1_000, 30_000, this.random);
    while (this.#running) {
      try {
        await this.#turn(track, backoff);
      } catch {
        // The page's own store failed, perhaps only for a moment; what it holds waits there.
        await this.#rest(track, backoff.next());
      }
    }
  }

  /** Sends one chunk, or waits for one. Throws when the page's store fails. */
  async #turn(track: TrackName, backoff: Backoff): Promise<void> {
    const added = this.#added[track];
    const next = await this.#next(track);
    if (next === 'again') return;
    if (next === null) {
      if (added === this.#added[track] && this.#running) await this.#idle[track].sleep(60_000);
      return;
    }
    const refusal = await this.#send(track, next);
    if (refusal === null) {
      await this.#forget(next);
      backoff.reset();
      this.#digestTries[track] = 0;
      this.emit('stored', next.meta);
      return;
    }
    if (!(refusal instanceof ApiProblem)) {
      await this.#rest(track, backoff.next());
      return;
    }
    if (refusal.slug === 'digest-mismatch') this.#digestTries[track] += 1;
    if (refusal.slug === 'number-taken' && !next.meta.renumbered && !this.#inMemory(next.meta)) {
      await this.store.renumberPart(next.meta, beginsPart(next.meta.contentType, next.bytes));
      return;
    }
    const verdict = this.#judge(refusal, this.#digestTries[track]);
    if (verdict === 'lost') {
      await this.#forget(next);
      this.#digestTries[track] = 0;
      this.emit('lost', { meta: next.meta, problem: refusal.problem });
      return;
    }
    if (verdict === 'refused') this.emit('refused', refusal);
    this.#toldToWait[track] = refusal.retryAfterMs !== null;
    await this.#rest(track, Math.max(refusal.retryAfterMs ?? 0, backoff.next()));
    this.#toldToWait[track] = false;
  }

  async #rest(track: TrackName, ms: number): Promise<void> {
    if (this.#running) await this.#failed[track].sleep(ms);
  }

  /** Null when the server has it, else what came in place of its word. */
  async #send(track: TrackName, { meta, bytes }: Held): Promise<unknown> {
    const chunk = { ...meta, bytes };
    try {
      if (!(await this.direct?.chunk(this.session, track, chunk))) {
        await this.api.chunk(this.session, track, chunk);
      }
      return null;
    } catch (error) {
      return error;
    }
  }

  #inMemory({ track, number }: ChunkMeta): boolean {
    return this.#memory[track].some((one) => one.meta.number === number);
  }

  #judge(error: ApiProblem, digestTries: number): 'later' | 'lost' | 'refused' {
    const { status, slug } = error;
    if (status === 401 || status === 410) return 'refused';
    // Going on in another browser, or not ours to send any more: kept here, for this browser may come back.
    if (slug === 'open-elsewhere' || slug === 'forbidden') return 'refused';
    if (status >= 500 || [404, 408, 425, 429].includes(status) || slug === 'not-started') return 'later';
    if (slug === 'digest-mismatch' && digestTries < DIGEST_TRIES) return 'later';
    return 'lost';
  }

  async #next(track: TrackName): Promise<Found> {
    const inMemory = this.#memory[track][0];
    const meta = await this.store.firstChunk(this.session, track);
    if (!meta || (inMemory && inMemory.meta.number < meta.number)) return inMemory ?? null;
    let sealed: Sealed | undefined;
    try {
      sealed = await this.store.bytesOf(meta);
      this.#unread[track] = 0;
    } catch (error) {
      this.#unread[track] += 1;
      if (this.#unread[track] < READ_TRIES) throw error;
    }
    try {
      if (sealed) return { meta, bytes: await this.store.vault.open(sealed) };
    } catch {
      // Changed, or sealed with a key that is gone.
    }
    await this.#forget({ meta, bytes: new ArrayBuffer(0) });
    this.#unread[track] = 0;
    this.emit('lost', { meta, problem: { type: 'unreadable', title: 'Unreadable on this machine' } });
    return 'again';
  }

  async #forget({ meta }: Held): Promise<void> {
    const { track, number } = meta;
    const held = this.#memory[track];
    const index = held.findIndex((one) => one.meta.number === number);
    if (index >= 0) {
      this.#memoryBytes -= held[index]!.bytes.byteLength;
      held.splice(index, 1);
    } else {
      await this.store.deleteChunk(meta);
    }
    const total = this.#totals[track];
    total.chunks = Math.max(0, total.chunks - 1);
    total.bytes = Math.max(0, total.bytes - meta.size);
    this.emit('backlog', this.backlog);
  }
}
