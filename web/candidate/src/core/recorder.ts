import { persistently } from './backoff';
import type { Clock } from './clock';
import { holdsFragment, type RecorderType } from './container';
import type { Store } from './store';
import type { TrackName, TrackPolicy } from './types';

export interface NewChunk {
  track: TrackName;
  part: number;
  partStartedAt: number;
  recordedAt: number;
  contentType: string;
  recorderType: string;
  announces: boolean;
  bytes: ArrayBuffer;
}

export interface PartEnd {
  track: TrackName;
  /** Null when it never got a number, or the store cannot tell. */
  part: number | null;
  lastNumber: number | null;
  reason: string;
  at: number;
}

export interface RecorderSettings {
  track: TrackName;
  session: string;
  policy: TrackPolicy;
  type: RecorderType;
  chunkMs: number;
  stallMs: number;
}

interface Piece {
  recorder: MediaRecorder;
  startedAt: number;
  startedPage: number;
  stopped: Promise<void>;
  /** Its part once that is kept, and the work of getting there. */
  part: number | null;
  opened: Promise<number> | null;
}

type Options = MediaRecorderOptions & { videoKeyFrameIntervalDuration?: number };

/** WebM pieces are files of their own; shorter ones would cost more in starts than they bring. */
const WEBM_PIECE_MS = 6_000;
/** A disk may refuse a new part for a moment; what is recorded meanwhile waits. */
const OPEN_TRIES = 10;
const OPEN_EVERY_MS = 1_000;

/**
 * Records one track. MP4: one recorder a part, a fragment every chunk. WebM: a fresh recorder for every piece, the next
 * one started before the last one stops, since a WebM cut in the middle cannot be played alone.
 */
export class TrackRecorder {
  #stream: MediaStream | null = null;
  #piece: Piece | null = null;
  #announced = false;
  #lastDataPage = 0;
  #chain: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | null = null;

  constructor(
    private readonly settings: RecorderSettings,
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly keep: (chunk: NewChunk) => Promise<void>,
    private readonly ended: (end: PartEnd) => void,
    private readonly make: (stream: MediaStream, options: Options) => MediaRecorder = (stream, options) =>
      new MediaRecorder(stream, options),
    private readonly openEveryMs = OPEN_EVERY_MS,
  ) {}

  get recording(): boolean {
    return this.#piece !== null;
  }

  /** The part now being recorded; null before it has a number. */
  get part(): number | null {
    return this.#piece?.part ?? null;
  }

  get track(): TrackName {
    return this.settings.track;
  }

  /** Starts a new part from this stream. Throws when the browser cannot. */
  start(stream: MediaStream): void {
    if (this.#piece) throw new Error('already recording');
    this.#stream = stream;
    this.#announced = false;
    this.#lastDataPage = this.clock.pageNow();
    this.#piece = this.#startPiece(stream);
  }

  /** Ends the part; resolves when its last bytes are kept. */
  async stop(reason: string): Promise<void> {
    const piece = this.#piece;
    if (!piece) {
      await this.#stopping;
      return;
    }
    this.#piece = null;
    this.#stream = null;
    this.#stopping = this.#finish(piece, reason);
    await this.#stopping;
  }

  /** Called about once a second. Says `stalled` when the browser has stopped giving data. */
  check(): 'fine' | 'stalled' {
    const piece = this.#piece;
    if (!piece || !this.#stream) return 'fine';
    const now = this.clock.pageNow();
    if (this.settings.type.contentType === 'video/webm' && now - piece.startedPage >= this.#pieceMs) {
      this.#rotate(piece, this.#stream);
      return 'fine';
    }
    return now - this.#lastDataPage > this.settings.stallMs ? 'stalled' : 'fine';
  }

  get #pieceMs(): number {
    return Math.max(WEBM_PIECE_MS, this.settings.chunkMs);
  }

  #rotate(old: Piece, stream: MediaStream): void {
    try {
      this.#piece = this.#startPiece(stream);
    } catch {
      return;
    }
    if (old.recorder.state !== 'inactive') old.recorder.stop();
  }

  #startPiece(stream: MediaStream): Piece {
    const { policy, type, chunkMs, track } = this.settings;
    const options: Options = {
      mimeType: type.mimeType,
      videoBitsPerSecond: policy.video_bits_per_second,
      videoKeyFrameIntervalDuration: chunkMs,
    };
    if (policy.audio) options.audioBitsPerSecond = policy.audio_bits_per_second ?? 32_000;
    const recorder = this.make(stream, options);
    let stopped: () => void = () => undefined;
    const piece: Piece = {
      recorder,
      startedAt: this.clock.now(),
      startedPage: this.clock.pageNow(),
      stopped: new Promise((resolve) => {
        stopped = resolve;
      }),
      part: null,
      opened: null,
    };
    recorder.onstart = () => {
      piece.startedAt = this.clock.now();
      piece.startedPage = this.clock.pageNow();
      this.#then(async () => {
        await this.#partOf(piece);
      });
    };
    recorder.ondataavailable = (event) => {
      if (event.data.size === 0) return;
      this.#lastDataPage = this.clock.pageNow();
      const recordedAt = this.clock.now();
      const recorderMime = recorder.mimeType || type.mimeType;
      this.#then(async () => {
        const part = await this.#partOf(piece);
        const bytes = await event.data.arrayBuffer();
        const announces = !this.#announced && (type.contentType === 'video/webm' || holdsFragment(bytes));
        if (announces) this.#announced = true;
        await this.keep({
          track,
          part,
          partStartedAt: piece.startedAt,
          recordedAt,
          contentType: type.contentType,
          recorderType: recorderMime,
          announces,
          bytes,
        });
      });
    };
    recorder.onerror = () => {
      if (this.#piece === piece) void this.stop('error');
    };
    recorder.onstop = () => {
      stopped();
      // Stopped by itself: its tracks have all ended.
      if (this.#piece === piece) void this.stop('track_ended');
    };
    if (type.contentType === 'video/mp4') recorder.start(chunkMs);
    else recorder.start();
    return piece;
  }

  /** The number of a piece's part. Without one nothing of the piece can be sent, so the recording begins anew. */
  #partOf(piece: Piece): Promise<number> {
    piece.opened ??= this.#openPart(piece).catch((error: unknown) => {
      if (this.#piece === piece) void this.stop('error');
      throw error;
    });
    return piece.opened;
  }

  async #openPart(piece: Piece): Promise<number> {
    piece.part = await persistently(
      () => this.store.openPart(this.settings.session, this.settings.track, piece.startedAt),
      { next: () => this.openEveryMs },
      (tries) => tries >= OPEN_TRIES,
    );
    return piece.part;
  }

  async #finish(piece: Piece, reason: string): Promise<void> {
    const at = this.clock.now();
    if (piece.recorder.state === 'inactive') {
      // An error leaves the recorder inactive, its last data and stop event may still be on the way.
      await Promise.race([piece.stopped, new Promise((resolve) => setTimeout(resolve, 2_000))]);
    } else {
      piece.recorder.stop();
      await piece.stopped;
    }
    await this.#chain;
    const { session, track } = this.settings;
    // Where the store fails, the next load of the page finds the part open and says that it has ended.
    const open = await this.store.closePart(session, track).catch(() => null);
    this.ended({ track, part: open?.part ?? null, lastNumber: open?.lastNumber ?? null, reason, at });
  }

  /** Everything about one track happens in order: part, its chunks, the next part. */
  #then(work: () => Promise<void>): void {
    this.#chain = this.#chain.then(work).catch((error: unknown) => {
      // The next chunk is still worth keeping; the error is shown in the browser's console.
      queueMicrotask(() => {
        throw error;
      });
    });
  }
}
