import { contentDigest, hexOf } from './digest';
import type {
  BatchAnswer,
  CaptureAnswer,
  CaptureKind,
  CheckResult,
  ChunkUpload,
  FinishAnswer,
  Joined,
  Manifest,
  Outcome,
  Problem,
  Room,
  TrackName,
  UploadLink,
  WireEvent,
} from './types';

/** The server answered, and the answer is no. */
export class ApiProblem extends Error {
  constructor(
    readonly problem: Problem,
    /** From a Retry-After header, ms. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(problem.detail ?? problem.title);
    this.name = 'ApiProblem';
  }

  get status(): number {
    return this.problem.status;
  }

  /** The last word of the problem's type, such as `join-token-expired`. */
  get slug(): string {
    return slugOf(this.problem.type);
  }
}

/** The server could not be reached: no line, or it does not answer. */
export class NoAnswer extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = 'NoAnswer';
  }
}

export function slugOf(type: string): string {
  return type.slice(type.lastIndexOf('/') + 1);
}

/** Retry-After is a number of seconds or a date. */
export function retryAfterMs(value: string | null, now: number = Date.now()): number | null {
  if (value === null || value.trim() === '') return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

async function problemOf(response: Response): Promise<ApiProblem> {
  let problem: Problem = {
    type: 'about:blank',
    title: response.statusText || 'Error',
    status: response.status,
  };
  if ((response.headers.get('content-type') ?? '').includes('json')) {
    try {
      problem = { ...problem, ...((await response.json()) as Partial<Problem>) };
    } catch {
      // A cut-off body still leaves the status, which is enough to act on.
    }
  }
  return new ApiProblem(problem, retryAfterMs(response.headers.get('retry-after')));
}

export interface Answered<T> {
  body: T;
  status: number;
  /** Page time around the call, for the clock. */
  sentAt: number;
  receivedAt: number;
}

/** The candidate's side of the HTTP API. */
export class Api {
  token = '';

  constructor(
    private readonly base: string = '',
    private readonly pageNow: () => number = () => performance.timeOrigin + performance.now(),
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  join(token: string, device: string): Promise<Answered<Joined>> {
    return this.json('POST', '/api/v1/join', { token, device });
  }

  room(session: string): Promise<Answered<Room>> {
    return this.json('GET', `/api/v1/sessions/${session}/room`);
  }

  start(session: string): Promise<Answered<Room>> {
    return this.json('POST', `/api/v1/sessions/${session}/start`, {});
  }

  finish(session: string, outcome: Outcome, manifest: Manifest): Promise<Answered<FinishAnswer>> {
    return this.json('POST', `/api/v1/sessions/${session}/finish`, { outcome, manifest });
  }

  events(
    session: string,
    batch: { stream: string; sent_at: number; events: WireEvent[] },
  ): Promise<Answered<BatchAnswer>> {
    return this.json('POST', `/api/v1/sessions/${session}/events`, batch);
  }

  checkRoomPictures(session: string, captureIds: string[]): Promise<Answered<CheckResult>> {
    return this.json('POST', `/api/v1/sessions/${session}/captures/room/check`, { capture_ids: captureIds });
  }

  capture(
    session: string,
    still: { id: string; kind: CaptureKind; image: Blob; digest: string; capturedAt: number },
  ): Promise<Answered<CaptureAnswer>> {
    return this.send<CaptureAnswer>(
      `/api/v1/sessions/${session}/captures/${still.id}?kind=${still.kind}`,
      {
        method: 'PUT',
        headers: {
          'Content-Type': still.image.type,
          'Content-Digest': contentDigest(still.digest),
          'X-Captured-At': String(still.capturedAt),
        },
        body: still.image,
      },
      60_000,
    );
  }

  chunk(session: string, track: TrackName, chunk: ChunkUpload): Promise<Answered<unknown>> {
    return this.send(
      `/api/v1/sessions/${session}/media/${track}/chunks/${chunk.number}`,
      {
        method: 'PUT',
        headers: {
          'Content-Type': chunk.contentType,
          'Content-Digest': contentDigest(chunk.digest),
          'X-Recording-Part': String(chunk.part),
          'X-Part-Started-At': String(chunk.partStartedAt),
        },
        body: chunk.bytes,
      },
      // A slow line may need long for one chunk; a dead one shall not hold us for ever.
      120_000,
    );
  }

  /** Where the next chunks may be put straight into the store; `uploads` null where the server takes them. */
  uploads(
    session: string,
    track: TrackName,
    first: number,
    count: number,
  ): Promise<Answered<{ uploads: UploadLink[] | null; valid_ms: number }>> {
    const path = `/api/v1/sessions/${session}/media/${track}/uploads?first=${first}&count=${count}`;
    return this.send(path, { method: 'POST' }, 20_000);
  }

  /** Puts bytes to a signed address of the store. Throws NoAnswer when that does not take them. */
  async putToStore(url: string, bytes: ArrayBuffer): Promise<void> {
    let response: Response;
    try {
      response = await this.fetcher(url, {
        method: 'PUT',
        body: bytes,
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(120_000),
      });
    } catch (error) {
      throw new NoAnswer(error);
    }
    if (!response.ok) throw new NoAnswer(`the store answered ${response.status}`);
  }

  /** Tells the server of a chunk that is in the store. `index` is the chunk without the content of its `mdat` boxes. */
  uploaded(
    session: string,
    track: TrackName,
    chunk: ChunkUpload,
    upload: string,
    index: Uint8Array<ArrayBuffer>,
  ): Promise<Answered<unknown>> {
    const told = new URLSearchParams({ upload, digest: hexOf(chunk.digest) });
    const path = `/api/v1/sessions/${session}/media/${track}/chunks/${chunk.number}/uploaded?${told}`;
    const headers = {
      'Content-Type': 'application/octet-stream',
      'X-Recording-Part': String(chunk.part),
      'X-Part-Started-At': String(chunk.partStartedAt),
    };
    return this.send(path, { method: 'POST', headers, body: index }, 20_000);
  }

  private json<T>(method: string, path: string, body?: unknown): Promise<Answered<T>> {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.headers = { 'Content-Type': 'application/json' };
      init.body = JSON.stringify(body);
    }
    return this.send<T>(path, init, 20_000);
  }

  private async send<T>(path: string, init: RequestInit, timeoutMs: number): Promise<Answered<T>> {
    const headers = new Headers(init.headers);
    if (this.token) headers.set('Authorization', `Bearer ${this.token}`);
    const sentAt = this.pageNow();
    let response: Response;
    let text: string;
    try {
      response = await this.fetcher(this.base + path, {
        ...init,
        headers,
        credentials: 'omit',
        cache: 'no-store',
        // A hotel's sign-in page answers in our place by a redirect; that must never count as stored.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok) throw await problemOf(response);
      text = await response.text();
    } catch (error) {
      throw error instanceof ApiProblem ? error : new NoAnswer(error);
    }
    const receivedAt = this.pageNow();
    let body: T;
    try {
      body = (text ? JSON.parse(text) : undefined) as T;
    } catch (error) {
      throw new NoAnswer(error);
    }
    return { body, status: response.status, sentAt, receivedAt };
  }
}
