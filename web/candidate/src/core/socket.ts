import { Backoff } from './backoff';
import type { Room } from './types';

/** What the socket needs to open; comes from the page. */
export interface SocketSettings {
  url: string;
  token: string;
  device: string;
  page: string;
  /** From how long on a loss is reported as having been offline, ms. */
  offlineMs: number;
}

export type ServerFrame =
  | {
      t: 'welcome';
      server_time: number;
      heartbeat_ms: number;
      heartbeat_limit_ms: number;
      max_batch: number;
      room: Room;
    }
  | { t: 'pong'; n: number; at: number; server_time: number }
  | {
      t: 'ack';
      id: number;
      acknowledged: number[];
      refused: { seq: number; type: string; title?: string; detail?: string }[];
    }
  | {
      t: 'state';
      state: Room['state'];
      deadline_at: number | null;
      reason?: string | null;
      finish_requested_at?: number | null;
      outcome?: string | null;
    }
  | { t: 'message'; text: string }
  | { t: 'slow'; milliseconds: number; id?: number }
  | { t: 'problem'; problem: { type: string; title: string; status: number; detail?: string } };

/** What the socket tells its owner. Times are page time, ms. */
export type SocketNews =
  | { t: 'connecting'; attempt: number }
  | { t: 'failed'; attempt: number; at: number; error: string; retryInMs: number }
  | {
      t: 'open';
      attempt: number;
      frame: Extract<ServerFrame, { t: 'welcome' }>;
      sentAt: number;
      receivedAt: number;
    }
  | { t: 'lost'; code: number; at: number; lastHeardAt: number }
  | { t: 'stopped'; code: number }
  | { t: 'sample'; sentAt: number; receivedAt: number; serverTime: number }
  | { t: 'frame'; frame: ServerFrame };

/** Closed for good: the page must not come back by itself. */
const FINAL_CODES = new Set([4401, 4403, 4409, 4410]);
const TRY_LATER = 1013;
const OPEN_LIMIT_MS = 10_000;
const NORMAL = 1000;
const OPEN = 1;

type SocketFactory = (url: string) => WebSocket;

/**
 * One socket to the server, kept open: hello, heartbeat, reconnect. Runs in a worker, where a dialog of the page or a
 * hidden tab does not hold up its heartbeat.
 */
export class LineSocket {
  #socket: WebSocket | null = null;
  #welcomed = false;
  #stopped = true;
  #attempt = 0;
  #lastHeardAt = 0;
  #lostAt: number | null = null;
  #beat: ReturnType<typeof setInterval> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pings = 0;
  readonly #backoff: Backoff;

  constructor(
    private readonly settings: SocketSettings,
    private readonly tell: (news: SocketNews) => void,
    private readonly now: () => number,
    /** Server time minus page time, ms, as known. */
    private readonly offset: () => number = () => 0,
    private readonly open: SocketFactory = (url) => new WebSocket(url),
    random: () => number = Math.random,
  ) {
    this.#backoff = new Backoff(500, 30_000, random);
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#connect();
  }

  /** The line may be back: try now instead of waiting. */
  kick(): void {
    if (this.#stopped || this.#socket) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  send(frame: object): boolean {
    if (!this.#welcomed || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#drop(NORMAL);
  }

  #connect(): void {
    this.#attempt += 1;
    this.tell({ t: 'connecting', attempt: this.#attempt });
    let socket: WebSocket;
    try {
      socket = this.open(this.settings.url);
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error), 0);
      return;
    }
    this.#socket = socket;
    this.#welcomed = false;
    let helloAt = 0;
    socket.onopen = () => {
      helloAt = this.now();
      const { token, device, page } = this.settings;
      const hello: Record<string, unknown> = { t: 'hello', token, device, attempt: this.#attempt, page };
      if (this.#lostAt !== null && helloAt - this.#lostAt >= this.settings.offlineMs) {
        const offset = this.offset();
        hello.offline = { from: Math.round(this.#lostAt + offset), until: Math.round(helloAt + offset) };
      }
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = (event) => {
      if (this.#socket === socket) this.#hear(event.data, helloAt);
    };
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#closed(event.code);
    };
    this.#timer = setTimeout(() => {
      if (this.#socket === socket && !this.#welcomed) {
        this.#drop(NORMAL);
        this.#failed(`no answer within ${OPEN_LIMIT_MS / 1000} s`, 0);
      }
    }, OPEN_LIMIT_MS);
  }

  #hear(data: unknown, helloAt: number): void {
    const receivedAt = this.now();
    this.#lastHeardAt = receivedAt;
    let frame: ServerFrame;
    try {
      frame = JSON.parse(String(data)) as ServerFrame;
    } catch {
      return;
    }
    if (frame.t === 'welcome') {
      clearTimeout(this.#timer);
      this.#welcomed = true;
      this.#lostAt = null;
      this.#backoff.reset();
      this.#socket?.send(JSON.stringify({ t: 'ready' }));
      this.tell({ t: 'open', attempt: this.#attempt, frame, sentAt: helloAt, receivedAt });
      this.#attempt = 0;
      this.#startHeartbeat(frame.heartbeat_ms, frame.heartbeat_limit_ms);
    } else if (frame.t === 'pong') {
      this.tell({ t: 'sample', sentAt: frame.at, receivedAt, serverTime: frame.server_time });
    } else {
      this.tell({ t: 'frame', frame });
    }
  }

  #startHeartbeat(everyMs: number, limitMs: number): void {
    clearInterval(this.#beat);
    const ping = () => {
      if (this.now() - this.#lastHeardAt > limitMs) {
        // Half open: the socket says it is fine, but nothing has come back for too long.
        this.#lost(4408);
        return;
      }
      this.#pings += 1;
      this.send({ t: 'ping', n: this.#pings, at: this.now() });
    };
    ping();
    this.#beat = setInterval(ping, everyMs);
  }

  #closed(code: number): void {
    if (FINAL_CODES.has(code)) {
      this.stop();
      this.tell({ t: 'stopped', code });
    } else if (this.#welcomed) {
      this.#lost(code);
    } else {
      this.#drop(NORMAL);
      this.#failed(`closed with code ${code}`, code);
    }
  }

  #lost(code: number): void {
    this.#drop(NORMAL);
    this.#lostAt = this.#lastHeardAt;
    this.tell({ t: 'lost', code, at: this.now(), lastHeardAt: this.#lastHeardAt });
    this.#later(code === TRY_LATER ? 5_000 : 0);
  }

  #failed(error: string, code: number): void {
    if (this.#lostAt === null && this.#lastHeardAt > 0) this.#lostAt = this.#lastHeardAt;
    const attempt = this.#attempt;
    const at = this.now();
    const retryInMs = this.#later(code === TRY_LATER ? 5_000 : 0);
    this.tell({ t: 'failed', attempt, at, error, retryInMs });
  }

  #later(atLeastMs: number): number {
    if (this.#stopped) return 0;
    clearTimeout(this.#timer);
    const wait = Math.max(atLeastMs, this.#backoff.next());
    this.#timer = setTimeout(() => this.#connect(), wait);
    return wait;
  }

  /** Lets go of the socket at once; waiting for a half-open one to close could take minutes. */
  #drop(code: number): void {
    clearInterval(this.#beat);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#welcomed = false;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    try {
      socket.close(code);
    } catch {
      // Already closing.
    }
  }
}
