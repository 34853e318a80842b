import { type Answered, Api, ApiProblem, NoAnswer } from './api';
import { Clock } from './clock';
import { sha256Hex } from './digest';
import { TabLock } from './lock';
import { type SessionRecord, Store } from './store';
import { type Room, TRACKS } from './types';

/** Why the room could not be entered. */
export type EntryFault =
  | 'invalid'
  | 'expired'
  | 'elsewhere'
  | 'over'
  | 'no-answer'
  | 'no-store'
  | 'no-session'
  | 'insecure'
  | 'other-tab'
  | 'other';

export class EntryError extends Error {
  constructor(
    readonly fault: EntryFault,
    detail = '',
    readonly sessionId: string | null = null,
  ) {
    super(detail);
    this.name = 'EntryError';
  }
}

export interface Entered {
  store: Store;
  api: Api;
  clock: Clock;
  record: SessionRecord;
  room: Room;
  lock: TabLock;
  /** There is no line: the room is as it was kept here. */
  offline: boolean;
}

const PATIENCE_MS = 2_500;

const FAULTS: Record<string, EntryFault> = {
  'join-token-invalid': 'invalid',
  'join-token-expired': 'expired',
  'open-elsewhere': 'elsewhere',
  'session-over': 'over',
};

function faultOf(error: unknown, joining: boolean): EntryError {
  if (error instanceof EntryError) return error;
  if (error instanceof ApiProblem) {
    const known = FAULTS[error.slug];
    if (known) return new EntryError(known, error.message);
    // The stored token of an earlier visit no longer counts: the link opens the room again.
    if (!joining && (error.status === 401 || error.status === 403)) return new EntryError('no-session');
    if (error.status === 410) return new EntryError('over', error.message);
    return error.status >= 500 || error.status === 429
      ? new EntryError('no-answer', error.message)
      : new EntryError('other', error.message);
  }
  return new EntryError('no-answer', error instanceof Error ? error.message : String(error));
}

async function openStore(): Promise<Store> {
  // Without a secure context the browser has neither camera nor keys to seal with.
  if (!globalThis.isSecureContext) throw new EntryError('insecure');
  try {
    return await Store.open();
  } catch (error) {
    throw new EntryError('no-store', error instanceof Error ? error.message : String(error));
  }
}

async function lockFor(session: string, takeOver: boolean): Promise<TabLock> {
  const lock = takeOver ? await TabLock.takeOver(session) : await TabLock.take(session);
  if (!lock) throw new EntryError('other-tab', '', session);
  return lock;
}

/** Opens the room with the token of a join link. Throws EntryError. */
export async function enterByLink(token: string, takeOver = false): Promise<Entered> {
  const store = await openStore();
  const joinDigest = await sha256Hex(token);
  const known = await store.sessionOfLink(joinDigest);
  // Looked at before joining, so that a second tab does not count as joining again.
  if (known && !takeOver && (await TabLock.isHeld(known.sessionId))) {
    throw new EntryError('other-tab', '', known.sessionId);
  }
  const early = known && takeOver ? await lockFor(known.sessionId, true) : null;
  return enterWith(store, early, true, (api) => joined(api, store, token, joinDigest, early, takeOver));
}

/**
 * Goes on with a session this browser has opened before. `rejoin` signs in anew, which brings the session back from
 * another browser. Throws EntryError.
 */
export async function enterAgain(session: string, takeOver = false, rejoin = false): Promise<Entered> {
  const store = await openStore();
  const record = await store.session(session);
  if (!record?.token) throw new EntryError('no-session');
  const lock = await lockFor(session, takeOver);
  return enterWith(store, lock, rejoin, async (api) => {
    if (rejoin) return joined(api, store, record.token, record.joinDigest, lock, false);
    api.token = record.token;
    try {
      return { answer: await soon(api.room(session), record), lock };
    } catch (error) {
      const kept = isAway(error) ? await keptRoom(store, record) : null;
      if (!kept) throw error;
      return { answer: kept, lock };
    }
  });
}

interface Admitted {
  /** Without times: the room as it was kept here. */
  answer: Answered<Room> | { body: Room };
  lock: TabLock;
}

/** A page that may go on without the line does not wait long for it: until then nothing is recorded. */
function soon<T>(answer: Promise<T>, record: SessionRecord): Promise<T> {
  if (!record.room) return answer;
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new NoAnswer(new Error('no answer yet'))), PATIENCE_MS);
  });
  return Promise.race([answer, late]);
}

function isAway(error: unknown): boolean {
  return error instanceof NoAnswer || (error instanceof ApiProblem && error.status >= 500);
}

/** What is needed to go on recording until the line is back; null before the exam. */
async function keptRoom(store: Store, record: SessionRecord): Promise<{ body: Room } | null> {
  if (!record.room) return null;
  try {
    const room = await store.vault.openJson<Room>(record.room);
    return room.state === 'running' || room.state === 'paused' ? { body: room } : null;
  } catch {
    return null;
  }
}

/** Keeps the room for a reload without a line. */
export async function keepRoom(store: Store, clock: Clock, room: Room): Promise<void> {
  const sealed = await store.vault.sealJson(room);
  await store.patch(room.session_id, (record) => {
    record.room = sealed;
    record.clockOffset = clock.offset;
  });
}

async function joined(
  api: Api,
  store: Store,
  token: string,
  joinDigest: string | null,
  early: TabLock | null,
  takeOver: boolean,
): Promise<Admitted> {
  const { body, ...times } = await api.join(token, store.device);
  const lock = early ?? (await lockFor(body.session_id, takeOver));
  await store.patch(body.session_id, (record) => {
    record.token = body.candidate_token;
    record.expiresAt = body.expires_at;
    record.joinDigest = joinDigest;
  });
  api.token = body.candidate_token;
  return { answer: { body: body.room, ...times }, lock };
}

async function enterWith(
  store: Store,
  early: TabLock | null,
  joining: boolean,
  admit: (api: Api) => Promise<Admitted>,
): Promise<Entered> {
  const clock = new Clock();
  const api = new Api('', () => clock.pageNow());
  let lock = early;
  try {
    const { answer, lock: mine } = await admit(api);
    lock = mine;
    const room = answer.body;
    const record = await reconciled(store, room);
    const offline = !('sentAt' in answer);
    if (offline) clock.assume(record.clockOffset ?? 0);
    else clock.sample({ ...answer, serverTime: room.server_time });
    return { store, api, clock, record, room, lock, offline };
  } catch (error) {
    lock?.release();
    throw faultOf(error, joining);
  }
}

async function reconciled(store: Store, room: Room): Promise<SessionRecord> {
  for (const track of TRACKS) {
    await store.reconcile(
      room.session_id,
      track,
      room.recorded_numbers[track] ?? -1,
      room.last_part[track] ?? -1,
    );
  }
  return store.patch(room.session_id, () => undefined);
}
