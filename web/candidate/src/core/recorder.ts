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
  part: number;
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
}

type Options = MediaRecorderOptions & { videoKeyFrameIntervalDuration?: number };

/** WebM pieces are files of their own; shorter ones would cost more in starts than they bring. */
const WEBM_PIECE_MS = 6_000;

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
  ) {}

  get recording(): boolean {
    return this.#piece !== null;
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
    const { policy, type, chunkMs, session, track } = this.settings;
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
    };
    let part = -1;
    recorder.onstart = () => {
      piece.startedAt = this.clock.now();
      piece.startedPage = this.clock.pageNow();
      this.#then(async () => {
        part = await this.store.openPart(session, track, piece.startedAt);
      });
    };
    recorder.ondataavailable = (event) => {
      if (event.data.size === 0) return;
      this.#lastDataPage = this.clock.pageNow();
      const recordedAt = this.clock.now();
      const recorderMime = recorder.mimeType || type.mimeType;
      this.#then(async () => {
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
    const open = await this.store.closePart(this.settings.session, this.settings.track);
    if (open) {
      this.ended({ track: this.settings.track, part: open.part, lastNumber: open.lastNumber, reason, at });
    }
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
