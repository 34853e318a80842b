import { type Api, ApiProblem } from './api';
import type { Clock } from './clock';
import { Emitter } from './emitter';
import type { ToWorker } from './line.worker';
import { BadBatch, type EventBatch, type EventCarrier } from './queue';
import type { ServerFrame, SocketNews, SocketSettings } from './socket';
import type { BatchAnswer, Room } from './types';

/** `http`: sockets are blocked here, events travel by plain requests. */
export type LineState = 'connecting' | 'online' | 'http' | 'reconnecting' | 'stopped';

type FromWorker =
  | SocketNews
  | { t: 'tick' }
  | { t: 'sync'; pageAt: number; workerAt: number }
  | { t: 'unsent'; frame: { id?: number } };

export interface WorkerLike {
  postMessage(message: ToWorker): void;
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
}

interface LineEvents {
  state: LineState;
  room: Room;
  tick: undefined;
  frame: ServerFrame;
  /** An attempt to open the socket failed (158). */
  failed: { attempt: number; error: string; pageAt: number };
  /** The server closed the socket for good: 4401, 4403, 4409 or 4410. */
  stopped: number;
}

const SYNC_ROUNDS = 5;
const ANSWER_LIMIT_MS = 20_000;
/** After so many failed attempts in a row, plain requests are tried. */
const TRIES_BEFORE_HTTP = 3;
const HTTP_POLL_MS = 5_000;

interface Waiting {
  resolve(answer: BatchAnswer): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/** The line to the server as the page sees it: the worker's socket, or plain requests where sockets are blocked. */
export class Line extends Emitter<LineEvents> implements EventCarrier {
  state: LineState = 'connecting';
  maxBatch = 50;
  #failures = 0;
  #nextId = 1;
  #bestSync: { rtt: number; skew: number } | null = null;
  #syncs = 0;
  #polledAt = 0;
  #probing = false;
  readonly #waiting = new Map<number, Waiting>();

  constructor(
    private readonly worker: WorkerLike,
    private readonly api: Api,
    private readonly session: string,
    private readonly clock: Clock,
  ) {
    super();
    worker.onmessage = ({ data }) => this.#hear(data);
  }

  get ready(): boolean {
    return this.state === 'online' || this.state === 'http';
  }

  start(settings: SocketSettings): void {
    this.worker.postMessage({ t: 'sync', pageAt: this.clock.pageNow() });
    this.#settings = settings;
  }

  #settings: SocketSettings | null = null;

  /** The browser says that the network is back. */
  kick(): void {
    this.worker.postMessage({ t: 'kick' });
  }

  stop(): void {
    this.#settings = null;
    this.worker.postMessage({ t: 'stop' });
    this.#breakWaiting();
    this.#enter('stopped');
  }

  async send(batch: EventBatch): Promise<BatchAnswer> {
    return this.state === 'http' ? this.#post(batch) : this.#overSocket(batch);
  }

  #overSocket(batch: EventBatch): Promise<BatchAnswer> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error('no acknowledgement'));
      }, ANSWER_LIMIT_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.worker.postMessage({ t: 'send', frame: { t: 'events', id, ...batch } });
    });
  }

  async #post(batch: EventBatch): Promise<BatchAnswer> {
    try {
      return (await this.api.events(this.session, batch)).body;
    } catch (error) {
      if (error instanceof ApiProblem && [400, 413, 422].includes(error.status)) {
        throw new BadBatch(error.message);
      }
      if (error instanceof ApiProblem && error.retryAfterMs === null) this.#refused(error);
      if (this.state === 'http') this.#enter('reconnecting');
      throw error;
    }
  }

  #hear(news: FromWorker): void {
    switch (news.t) {
      case 'sync':
        this.#sync(news.pageAt, news.workerAt);
        break;
      case 'tick':
        this.clock.check();
        this.emit('tick', undefined);
        if (this.state === 'http') void this.#poll();
        break;
      case 'connecting':
        break;
      case 'failed':
        this.#failures += 1;
        this.emit('failed', { attempt: news.attempt, error: news.error, pageAt: news.at });
        if (this.state !== 'http') this.#enter('reconnecting');
        if (this.#failures >= TRIES_BEFORE_HTTP) void this.#tryHttp();
        break;
      case 'open':
        this.#failures = 0;
        this.maxBatch = Math.max(1, news.frame.max_batch);
        this.#sample(news.sentAt, news.receivedAt, news.frame.server_time);
        this.emit('room', news.frame.room);
        this.#enter('online');
        break;
      case 'sample':
        this.#sample(news.sentAt, news.receivedAt, news.serverTime);
        break;
      case 'lost':
        this.#breakWaiting(news.code === 4400);
        this.#enter('reconnecting');
        break;
      case 'stopped':
        this.#breakWaiting();
        this.#enter('stopped');
        this.emit('stopped', news.code);
        break;
      case 'unsent':
        this.#settle(news.frame.id, (one) => one.reject(new Error('not sent')));
        break;
      case 'frame':
        if (news.frame.t === 'ack') {
          const { acknowledged, refused } = news.frame;
          this.#settle(news.frame.id, (one) => one.resolve({ acknowledged, refused }));
        } else {
          // A batch the server had no room for; it comes again when the wait is over.
          if (news.frame.t === 'slow')
            this.#settle(news.frame.id, (one) => one.reject(new Error('slow down')));
          this.emit('frame', news.frame);
        }
        break;
    }
  }

  /** Measures how far the worker's clock is from the page's, then lets it start. */
  #sync(pageAt: number, workerAt: number): void {
    const now = this.clock.pageNow();
    const rtt = now - pageAt;
    if (!this.#bestSync || rtt < this.#bestSync.rtt) {
      this.#bestSync = { rtt, skew: (pageAt + now) / 2 - workerAt };
    }
    this.#syncs += 1;
    if (this.#syncs < SYNC_ROUNDS) {
      this.worker.postMessage({ t: 'sync', pageAt: this.clock.pageNow() });
      return;
    }
    this.worker.postMessage({ t: 'skew', ms: this.#bestSync.skew });
    this.worker.postMessage({ t: 'offset', ms: this.clock.offset });
    if (this.#settings) this.worker.postMessage({ t: 'start', settings: this.#settings });
  }

  #sample(sentAt: number, receivedAt: number, serverTime: number): void {
    this.clock.sample({ sentAt, receivedAt, serverTime });
    this.worker.postMessage({ t: 'offset', ms: this.clock.offset });
  }

  /** Sockets fail again and again: does a plain request get through? */
  async #tryHttp(): Promise<void> {
    if (this.#probing || this.state !== 'reconnecting') return;
    this.#probing = true;
    try {
      const room = await this.#askRoom();
      if (this.state === 'reconnecting') {
        this.#enter('http');
        this.emit('room', room);
      }
    } catch (error) {
      if (error instanceof ApiProblem) this.#refused(error);
    } finally {
      this.#probing = false;
    }
  }

  async #poll(): Promise<void> {
    const now = this.clock.pageNow();
    if (this.#probing || now - this.#polledAt < HTTP_POLL_MS) return;
    this.#probing = true;
    try {
      this.emit('room', await this.#askRoom());
    } catch (error) {
      if (error instanceof ApiProblem) this.#refused(error);
      else this.#enter('reconnecting');
    } finally {
      this.#probing = false;
      this.#polledAt = this.clock.pageNow();
    }
  }

  async #askRoom(): Promise<Room> {
    const { body, sentAt, receivedAt } = await this.api.room(this.session);
    this.#sample(sentAt, receivedAt, body.server_time);
    return body;
  }

  #refused(error: ApiProblem): void {
    const code = { 401: 4401, 403: 4403, 409: 4409, 410: 4410 }[error.status];
    if (code === undefined) return;
    this.stop();
    this.emit('stopped', code);
  }

  #settle(id: number | undefined, act: (one: Waiting) => void): void {
    const one = id === undefined ? undefined : this.#waiting.get(id);
    if (!one || id === undefined) return;
    clearTimeout(one.timer);
    this.#waiting.delete(id);
    act(one);
  }

  #breakWaiting(unreadable = false): void {
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id, (one) =>
        one.reject(unreadable ? new BadBatch('the server could not read it') : new Error('the line broke')),
      );
    }
  }

  #enter(state: LineState): void {
    if (this.state === state) return;
    this.state = state;
    this.emit('state', state);
  }
}

/** The page's worker; a file of its own, since the page's security policy allows no blob: workers. */
export function lineWorker(): WorkerLike {
  return new Worker(new URL('./line.worker.ts', import.meta.url), {
    type: 'module',
    name: 'openproctor-line',
  }) as WorkerLike;
}
