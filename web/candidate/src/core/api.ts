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
  StoredChunk,
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

/** Our server says why it refuses; a bare refusal comes from something in between, and decides nothing about what we sent. */
async function problemOf(response: Response): Promise<ApiProblem | NoAnswer> {
  const { status, headers, statusText } = response;
  let told: Partial<Problem> = {};
  if ((headers.get('content-type') ?? '').includes('application/problem+json')) {
    // A cut-off body says no more than a bare status does.
    told = await response.json().then(
      (body: Partial<Problem> | null) => body ?? {},
      () => ({}),
    );
  }
  if (typeof told.type !== 'string' && status < 500 && status !== 429) {
    return new NoAnswer(`something in between answered ${status}`);
  }
  const problem: Problem = { type: 'about:blank', title: statusText || 'Error', ...told, status };
  return new ApiProblem(problem, retryAfterMs(headers.get('retry-after')));
}

/** Whether the server says that it holds this very chunk. */
function holds(chunk: ChunkUpload): (stored: StoredChunk) => boolean {
  return ({ number, digest }) => number === chunk.number && digest === hexOf(chunk.digest);
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
    return this.json(
      'POST',
      `/api/v1/sessions/${session}/finish`,
      { outcome, manifest },
      ({ state }) => typeof state === 'string',
    );
  }

  events(
    session: string,
    batch: { stream: string; sent_at: number; events: WireEvent[] },
  ): Promise<Answered<BatchAnswer>> {
    return this.json(
      'POST',
      `/api/v1/sessions/${session}/events`,
      batch,
      ({ acknowledged, refused }) => Array.isArray(acknowledged) && Array.isArray(refused),
    );
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

  chunk(session: string, track: TrackName, chunk: ChunkUpload): Promise<Answered<StoredChunk>> {
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
      holds(chunk),
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
  ): Promise<Answered<StoredChunk>> {
    const told = new URLSearchParams({ upload, digest: hexOf(chunk.digest) });
    const path = `/api/v1/sessions/${session}/media/${track}/chunks/${chunk.number}/uploaded?${told}`;
    const headers = {
      'Content-Type': 'application/octet-stream',
      'X-Recording-Part': String(chunk.part),
      'X-Part-Started-At': String(chunk.partStartedAt),
    };
    return this.send(path, { method: 'POST', headers, body: index }, 20_000, holds(chunk));
  }

  private json<T>(
    method: string,
    path: string,
    body?: unknown,
    fits?: (body: T) => boolean,
  ): Promise<Answered<T>> {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.headers = { 'Content-Type': 'application/json' };
      init.body = JSON.stringify(body);
    }
    return this.send<T>(path, init, 20_000, fits);
  }

  /** Throws ApiProblem, and NoAnswer for anything that the server would not have said: every answer of it is an object. */
  private async send<T>(
    path: string,
    init: RequestInit,
    timeoutMs: number,
    fits: (body: T) => boolean = () => true,
  ): Promise<Answered<T>> {
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
      body = JSON.parse(text) as T;
    } catch (error) {
      throw new NoAnswer(error);
    }
    if (typeof body !== 'object' || body === null || !fits(body))
      throw new NoAnswer('not what was asked for');
    return { body, status: response.status, sentAt, receivedAt };
  }
}
