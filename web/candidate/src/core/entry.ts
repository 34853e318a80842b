import { Api, ApiProblem } from './api';
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
}

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
  let early: TabLock | null = null;
  if (known && takeOver) early = await lockFor(known.sessionId, true);
  const clock = new Clock();
  const api = new Api('', () => clock.pageNow());
  try {
    const answer = await api.join(token, store.device);
    const { session_id: id, candidate_token: fresh, expires_at: expiresAt, room } = answer.body;
    const lock = early ?? (await lockFor(id, takeOver));
    clock.sample({ ...answer, serverTime: room.server_time });
    await store.patch(id, (record) => {
      record.token = fresh;
      record.expiresAt = expiresAt;
      record.joinDigest = joinDigest;
    });
    api.token = fresh;
    return { store, api, clock, record: await reconciled(store, room), room, lock };
  } catch (error) {
    early?.release();
    throw faultOf(error, true);
  }
}

/** Goes on with a session this browser has opened before. Throws EntryError. */
export async function enterAgain(session: string, takeOver = false): Promise<Entered> {
  const store = await openStore();
  const record = await store.session(session);
  if (!record?.token) throw new EntryError('no-session');
  const lock = await lockFor(session, takeOver);
  const clock = new Clock();
  const api = new Api('', () => clock.pageNow());
  api.token = record.token;
  try {
    const answer = await api.room(session);
    clock.sample({ ...answer, serverTime: answer.body.server_time });
    return { store, api, clock, record: await reconciled(store, answer.body), room: answer.body, lock };
  } catch (error) {
    lock.release();
    throw faultOf(error, false);
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
