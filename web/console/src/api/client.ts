/** The one place that speaks HTTP. Errors arrive as RFC 9457 problem details and leave as `ApiProblem`. */

export interface ProblemDetails {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  what_to_do?: string;
  errors?: unknown[];
}

export class ApiProblem extends Error {
  readonly status: number;
  readonly type: string;
  readonly detail: string | undefined;
  readonly whatToDo: string | undefined;

  constructor(status: number, problem: ProblemDetails) {
    super(problem.title ?? `The server answered ${status}`);
    this.name = 'ApiProblem';
    this.status = status;
    this.type = problem.type ?? 'about:blank';
    this.detail = problem.detail;
    this.whatToDo = problem.what_to_do;
  }

  /** The last part of the problem's type, such as `sign-in-refused`. */
  get slug(): string {
    return this.type.slice(this.type.lastIndexOf('/') + 1);
  }
}

export const isSignedOut = (error: unknown): boolean => error instanceof ApiProblem && error.status === 401;
export const isMissing = (error: unknown): boolean => error instanceof ApiProblem && error.status === 404;

async function problemOf(response: Response): Promise<ApiProblem> {
  let problem: ProblemDetails = {};
  try {
    const body: unknown = await response.json();
    if (body !== null && typeof body === 'object') problem = body;
  } catch {
    // A proxy may answer with a page instead of a problem; the status alone has to do then.
  }
  return new ApiProblem(response.status, problem);
}

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-OpenProctor'] = 'console';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, {
      title: 'The server cannot be reached',
      detail: 'The connection may be down, or the server is not running.',
    });
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>('GET', path, undefined, signal);
export const post = <T>(path: string, body: unknown = {}) => request<T>('POST', path, body);
export const put = <T>(path: string, body: unknown) => request<T>('PUT', path, body);

/** A query string of the parameters that are set. */
export function query(parameters: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
