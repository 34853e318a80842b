import { Backoff, persistently } from './backoff';
import { type EventData, type EventKey, eventId } from './catalog';
import type { Clock } from './clock';
import { Emitter } from './emitter';
import type { Store } from './store';
import type { BatchAnswer, Evidence, Refusal, WireEvent } from './types';

export interface EventBatch {
  stream: string;
  sent_at: number;
  events: WireEvent[];
}

/** Carries a batch to the server; resolves after the server's commit, rejects when the line is gone. */
export interface EventCarrier {
  readonly ready: boolean;
  readonly maxBatch: number;
  send(batch: EventBatch): Promise<BatchAnswer>;
}

/** The server cannot read the batch at all; sending it again as it is would never end. */
export class BadBatch extends Error {}

export type EventAnswer = { accepted: true } | { accepted: false; refusal: Refusal };

export interface Raised {
  /** The event is on this machine's disk. */
  stored: Promise<number>;
  /** The server has committed or refused it. */
  answered: Promise<EventAnswer>;
}

interface Kept {
  type_id: number;
  data: Record<string, unknown>;
  evidence?: Evidence[];
  /** Page time of the load that raised it, and the corrected time as known then. */
  page: string;
  pageAt: number;
  at: number;
  atKnown: boolean;
}

interface QueueEvents {
  change: number;
  refused: { typeId: number; refusal: Refusal };
}

const MAX_BATCH_BYTES = 256 * 1024;
/** No event type: stands for an event of which only the number can be sent. */
const NOTHING = 0;
/** A full disk gets room again as recordings are sent; so long an event waits for it in memory, and those after it. */
const KEEP_TRYING_MS = 120_000;

/** Events in the order they were raised: kept on disk first, sent in batches, deleted only when answered. */
export class EventQueue extends Emitter<QueueEvents> {
  #tail: Promise<unknown> = Promise.resolve();
  #carrier: EventCarrier | null = null;
  #busy = false;
  #again = false;
  #waiting = 0;
  #lastSeq = 0;
  #pauseUntil = 0;
  #oneByOne = 0;
  /** Events that the server cannot read. */
  readonly #hollow = new Set<number>();
  readonly #listening = new Map<number, (answer: EventAnswer) => void>();

  constructor(
    private readonly store: Store,
    private readonly session: string,
    private readonly clock: Clock,
    /** Random name of this page load: only its own page times can be corrected later. */
    private readonly page: string,
  ) {
    super();
  }

  #stream = '';

  /** Finds what an earlier page load left behind. */
  async load(): Promise<void> {
    const record = await this.store.patch(this.session, () => undefined);
    this.#stream = record.stream;
    this.#lastSeq = record.nextSeq - 1;
    this.#setWaiting(await this.store.countEvents(this.session));
  }

  get stream(): string {
    return this.#stream;
  }

  /** The number of the last event raised so far. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Raises an event. `pageAt` is the page time it happened at (now, when left out); `at` a corrected time. */
  raise<K extends EventKey>(
    key: K,
    data: EventData[K],
    when: { pageAt?: number; at?: number; evidence?: Evidence[] } = {},
  ): Raised {
    const raisedAt = this.clock.pageNow();
    const pageAt = when.pageAt ?? raisedAt;
    const kept: Kept = {
      type_id: eventId(key),
      data: { ...data },
      evidence: when.evidence,
      page: this.page,
      pageAt,
      at: when.at ?? this.clock.correct(pageAt),
      atKnown: when.at !== undefined || this.clock.known,
    };
    let answer: (value: EventAnswer) => void = () => undefined;
    const answered = new Promise<EventAnswer>((resolve) => {
      answer = resolve;
    });
    const stored = this.#inOrder(async () => {
      const seq = await this.#keep(kept, raisedAt);
      this.#lastSeq = Math.max(this.#lastSeq, seq);
      this.#listening.set(seq, answer);
      this.#setWaiting(this.#waiting + 1);
      return seq;
    });
    stored.then(
      () => this.wake(),
      () => answer({ accepted: false, refusal: { seq: 0, type: 'not-kept', title: 'Could not be kept' } }),
    );
    return { stored, answered };
  }

  /** Puts an event on the disk, again and again for a while; throws when that did not take it. */
  async #keep(kept: Kept, raisedAt: number): Promise<number> {
    const sealed = await this.store.vault.sealJson(kept);
    return persistently(
      () => this.store.addEvent(this.session, sealed),
      new Backoff(250, 5_000),
      () => this.clock.pageNow() - raisedAt >= KEEP_TRYING_MS,
    );
  }

  /** Resolves when everything raised so far is on disk. */
  settled(): Promise<void> {
    return this.#inOrder(async () => undefined);
  }

  useCarrier(carrier: EventCarrier): void {
    this.#carrier = carrier;
    this.wake();
  }

  /** The server asks for less: no batch for so many ms. */
  slowDown(ms: number): void {
    this.#pauseUntil = Math.max(this.#pauseUntil, this.clock.pageNow() + ms);
    setTimeout(() => this.wake(), ms);
  }

  /** Sends what waits, if the line is there. */
  wake(): void {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    void this.#pump().finally(() => {
      this.#busy = false;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  async #pump(): Promise<void> {
    for (;;) {
      const carrier = this.#carrier;
      if (!carrier?.ready || this.clock.pageNow() < this.#pauseUntil) return;
      const limit = this.#oneByOne > 0 ? 1 : carrier.maxBatch;
      const events = await this.#next(limit);
      if (events.length === 0) return;
      let answer: BatchAnswer;
      try {
        answer = await carrier.send({ stream: this.#stream, sent_at: this.clock.now(), events });
      } catch (error) {
        if (!(error instanceof BadBatch)) return;
        if (events.length > 1) {
          // Somewhere in here is an event the server cannot read: find it by sending singly.
          this.#oneByOne = events.length;
          continue;
        }
        const { seq } = events[0]!;
        if (!this.#hollow.has(seq)) {
          this.#hollow.add(seq);
          continue;
        }
        answer = {
          acknowledged: [],
          refused: [{ seq, type: 'unreadable', title: 'Unreadable', detail: error.message }],
        };
      }
      if (this.#oneByOne > 0) this.#oneByOne -= 1;
      const settled = await this.#settle(events, answer);
      if (settled === 0) {
        // An answer that names none of them would have us turn in circles.
        this.slowDown(1000);
        return;
      }
    }
  }

  async #next(limit: number): Promise<WireEvent[]> {
    const events: WireEvent[] = [];
    let bytes = 0;
    for (const stored of await this.store.events(this.session, limit)) {
      const kept = await this.store.vault.openJson<Kept>(stored.sealed).catch(() => null);
      if (kept === null || this.#hollow.has(stored.seq)) {
        // Unreadable on our own disk, or for the server: it refuses the number, and nobody waits for it at the end.
        events.push({ seq: stored.seq, type_id: NOTHING, at: this.clock.now(), data: {} });
        continue;
      }
      const correctNow = !kept.atKnown && kept.page === this.page && this.clock.known;
      const event: WireEvent = {
        seq: stored.seq,
        type_id: kept.type_id,
        at: correctNow ? this.clock.correct(kept.pageAt) : kept.at,
        data: kept.data,
      };
      if (kept.evidence) event.evidence = kept.evidence;
      bytes += JSON.stringify(event).length;
      if (events.length > 0 && bytes > MAX_BATCH_BYTES) break;
      events.push(event);
    }
    return events;
  }

  async #settle(events: WireEvent[], answer: BatchAnswer): Promise<number> {
    const sent = new Map(events.map((event) => [event.seq, event]));
    const refused = answer.refused.filter((one) => sent.has(one.seq));
    const done = [...answer.acknowledged.filter((seq) => sent.has(seq)), ...refused.map((one) => one.seq)];
    if (done.length === 0) return 0;
    await this.store.deleteEvents(this.session, done);
    for (const seq of answer.acknowledged) this.#tell(seq, { accepted: true });
    for (const refusal of refused) {
      this.#tell(refusal.seq, { accepted: false, refusal });
      this.emit('refused', { typeId: sent.get(refusal.seq)!.type_id, refusal });
    }
    this.#setWaiting(await this.store.countEvents(this.session));
    return done.length;
  }

  #tell(seq: number, answer: EventAnswer): void {
    this.#listening.get(seq)?.(answer);
    this.#listening.delete(seq);
  }

  #setWaiting(count: number): void {
    this.#waiting = Math.max(0, count);
    this.emit('change', this.#waiting);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
