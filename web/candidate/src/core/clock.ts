import { Emitter } from './emitter';

/** Page time: wall milliseconds at load plus monotonic time since, so that it never runs backwards. */
export function pageTime(): number {
  return performance.timeOrigin + performance.now();
}

export interface ClockSample {
  /** Page time when the question left and when the answer came. */
  sentAt: number;
  receivedAt: number;
  serverTime: number;
}

interface Measured {
  offset: number;
  rtt: number;
  at: number;
}

/** Samples older than this no longer speak for the offset. */
const SAMPLE_LIFE_MS = 10 * 60_000;
const JUMP_MS = 1_000;

/** The server's time as well as this page can know it; one place that knows the offset. */
export class Clock extends Emitter<{ jump: number }> {
  #samples: Measured[] = [];
  #offset = 0;
  #known = false;
  #wallDrift: number | null = null;
  #pending: { change: number; offsetBefore: number } | null = null;

  constructor(
    private readonly page: () => number = pageTime,
    private readonly wall: () => number = Date.now,
  ) {
    super();
  }

  /** Page time, ms, uncorrected and monotonic. */
  pageNow(): number {
    return this.page();
  }

  /** Server time, whole ms. */
  now(): number {
    return this.correct(this.page());
  }

  correct(pageMs: number): number {
    return Math.round(pageMs + this.#offset);
  }

  /** False until the first answer of the server; before that, times are the page's own. */
  get known(): boolean {
    return this.#known;
  }

  get offset(): number {
    return this.#offset;
  }

  /** The offset that an earlier load of this page had measured, until there is an answer. */
  assume(offset: number): void {
    if (!this.#known) this.#offset = offset;
  }

  /** Takes one measured answer; of the recent ones the quickest decides. */
  sample({ sentAt, receivedAt, serverTime }: ClockSample): void {
    const rtt = receivedAt - sentAt;
    if (!(rtt >= 0)) return;
    const measured = { offset: serverTime - (sentAt + rtt / 2), rtt, at: receivedAt };
    this.#samples = this.#samples.filter((one) => receivedAt - one.at < SAMPLE_LIFE_MS);
    this.#samples.push(measured);
    let best = measured;
    for (const one of this.#samples) if (one.rtt < best.rtt) best = one;
    this.#offset = best.offset;
    this.#known = true;
    this.#settle(measured);
  }

  /** Called once a second: compares wall and monotonic time. A jump is judged at the next answer of the server. */
  check(): void {
    const drift = this.wall() - this.page();
    if (this.#wallDrift !== null) {
      const change = drift - this.#wallDrift;
      if (Math.abs(change) >= JUMP_MS) {
        const before = this.#pending;
        this.#pending = {
          change: change + (before?.change ?? 0),
          offsetBefore: before?.offsetBefore ?? this.#offset,
        };
        // A machine that slept may have stopped our monotonic clock too: measure again.
        this.#samples = [];
      }
    }
    this.#wallDrift = drift;
  }

  #settle(measured: Measured): void {
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = null;
    // If the server moved by as much against our monotonic clock, the machine slept and nobody set a clock.
    const serverMoved = measured.offset - pending.offsetBefore;
    const slept = Math.abs(serverMoved - pending.change) < JUMP_MS + measured.rtt;
    if (!slept && Math.abs(pending.change) >= JUMP_MS) this.emit('jump', Math.round(pending.change));
  }
}
