import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { randomId } from './ids';
import { type Manifest, type Outcome, TRACKS, type TrackName } from './types';
import { type Sealed, Vault } from './vault';

/** What a recording part needs to be finished properly if the page disappears in the middle of it. */
export interface OpenPart {
  part: number;
  startedAt: number;
  lastAt: number;
  lastNumber: number | null;
}

export interface TrackLedger {
  nextNumber: number;
  nextPart: number;
  open: OpenPart | null;
}

export interface SessionRecord {
  sessionId: string;
  token: string;
  expiresAt: number;
  /** SHA-256 of the join token, to know the session again when its link is opened twice. */
  joinDigest: string | null;
  stream: string;
  nextSeq: number;
  tracks: Record<TrackName, TrackLedger>;
  cameraId: string | null;
  microphoneId: string | null;
  /** Devices that were reported already (60 and 159), so that a reload does not report them again. */
  reportedDevices: string[];
  /** Checks that only the page decides. */
  passedHere: string[];
  /** Since when the screen is shared, or null; a reload ends sharing. */
  screenSharedSince: number | null;
  finishing: { outcome: Outcome; manifest: Manifest } | null;
  /** Chunks that came too late for the server, which had closed the session. */
  late?: number;
  aliveAt: number | null;
  /** The room as the server described it last, and how far its clock was then: for a reload without a line. */
  room?: Sealed | null;
  clockOffset?: number;
}

export interface StoredEvent {
  session: string;
  seq: number;
  sealed: Sealed;
}

export interface ChunkMeta {
  session: string;
  track: TrackName;
  number: number;
  part: number;
  partStartedAt: number;
  recordedAt: number;
  contentType: string;
  recorderType: string;
  size: number;
  digest: string;
  /** When this chunk is acknowledged, the part counts as started (event 13). */
  announces: boolean;
  /** Its first number held another chunk at the server: the session went on in another browser meanwhile. */
  renumbered?: boolean;
  /** The number it had before: its bytes still lie under that. */
  bytesAt?: number;
}

interface Schema extends DBSchema {
  device: { key: string; value: unknown };
  sessions: { key: string; value: SessionRecord };
  events: { key: [string, number]; value: StoredEvent };
  chunks: { key: [string, TrackName, number]; value: ChunkMeta };
  bytes: { key: [string, TrackName, number]; value: Sealed };
}

export interface TrackTotals {
  chunks: number;
  bytes: number;
}

function emptyLedger(): TrackLedger {
  return { nextNumber: 0, nextPart: 0, open: null };
}

export function newSessionRecord(sessionId: string): SessionRecord {
  return {
    sessionId,
    token: '',
    expiresAt: 0,
    joinDigest: null,
    stream: randomId(),
    nextSeq: 1,
    tracks: { camera: emptyLedger(), screen: emptyLedger() },
    cameraId: null,
    microphoneId: null,
    reportedDevices: [],
    passedHere: [],
    screenSharedSince: null,
    finishing: null,
    aliveAt: null,
  };
}

/** The page's own store in IndexedDB. Numbers are given out inside the same transaction that keeps the thing. */
export class Store {
  private constructor(
    private readonly db: IDBPDatabase<Schema>,
    readonly vault: Vault,
    /** Random name of this browser on this machine. */
    readonly device: string,
  ) {}

  /** Throws when the browser keeps nothing (some private windows). */
  static async open(name = 'openproctor'): Promise<Store> {
    const db = await openDB<Schema>(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore('device');
        fresh.createObjectStore('sessions', { keyPath: 'sessionId' });
        fresh.createObjectStore('events', { keyPath: ['session', 'seq'] });
        fresh.createObjectStore('chunks', { keyPath: ['session', 'track', 'number'] });
        fresh.createObjectStore('bytes');
      },
    });
    const freshKey = await Vault.newKey();
    const tx = db.transaction('device', 'readwrite', { durability: 'strict' });
    let key = (await tx.store.get('key')) as CryptoKey | undefined;
    let device = (await tx.store.get('id')) as string | undefined;
    if (!key) {
      key = freshKey;
      await tx.store.put(key, 'key');
    }
    if (!device) {
      device = randomId();
      await tx.store.put(device, 'id');
    }
    await tx.done;
    return new Store(db, new Vault(key), device);
  }

  close(): void {
    this.db.close();
  }

  session(id: string): Promise<SessionRecord | undefined> {
    return this.db.get('sessions', id);
  }

  async sessionOfLink(joinDigest: string): Promise<SessionRecord | undefined> {
    const all = await this.db.getAll('sessions');
    return all.find((one) => one.joinDigest === joinDigest);
  }

  /** Changes the record of a session, creating it when it is new. */
  async patch(id: string, change: (record: SessionRecord) => void): Promise<SessionRecord> {
    const tx = this.db.transaction('sessions', 'readwrite', { durability: 'strict' });
    const record = (await tx.store.get(id)) ?? newSessionRecord(id);
    change(record);
    await tx.store.put(record);
    await tx.done;
    return record;
  }

  // Events

  /** Keeps one event and gives it the next number of the stream. Strict: a number is never given twice. */
  async addEvent(session: string, sealed: Sealed): Promise<number> {
    const tx = this.db.transaction(['sessions', 'events'], 'readwrite', { durability: 'strict' });
    const sessions = tx.objectStore('sessions');
    const record = (await sessions.get(session)) ?? newSessionRecord(session);
    const seq = record.nextSeq;
    record.nextSeq = seq + 1;
    await sessions.put(record);
    await tx.objectStore('events').put({ session, seq, sealed });
    await tx.done;
    return seq;
  }

  events(session: string, limit: number): Promise<StoredEvent[]> {
    return this.db.getAll('events', IDBKeyRange.bound([session, 0], [session, Infinity]), limit);
  }

  countEvents(session: string): Promise<number> {
    return this.db.count('events', IDBKeyRange.bound([session, 0], [session, Infinity]));
  }

  async deleteEvents(session: string, seqs: number[]): Promise<void> {
    const tx = this.db.transaction('events', 'readwrite');
    for (const seq of seqs) void tx.store.delete([session, seq]);
    await tx.done;
  }

  // Recording

  /** After a look at what the server has: numbers and parts go on behind both. */
  async reconcile(session: string, track: TrackName, lastNumber: number, lastPart: number): Promise<void> {
    await this.patch(session, (record) => {
      const ledger = record.tracks[track];
      ledger.nextNumber = Math.max(ledger.nextNumber, lastNumber + 1);
      ledger.nextPart = Math.max(ledger.nextPart, lastPart + 1);
    });
  }

  /** A new part for every start of a recorder. */
  async openPart(session: string, track: TrackName, startedAt: number): Promise<number> {
    let part = 0;
    await this.patch(session, (record) => {
      const ledger = record.tracks[track];
      part = ledger.nextPart;
      ledger.nextPart = part + 1;
      ledger.open = { part, startedAt, lastAt: startedAt, lastNumber: null };
    });
    return part;
  }

  /** Forgets the open part, and says which it was. */
  async closePart(session: string, track: TrackName): Promise<OpenPart | null> {
    let open: OpenPart | null = null;
    await this.patch(session, (record) => {
      open = record.tracks[track].open;
      record.tracks[track].open = null;
    });
    return open;
  }

  /** Keeps one chunk before anybody tries to send it; returns its number. */
  async addChunk(meta: Omit<ChunkMeta, 'number'>, sealed: Sealed): Promise<number> {
    const tx = this.db.transaction(['sessions', 'chunks', 'bytes'], 'readwrite');
    const sessions = tx.objectStore('sessions');
    const record = (await sessions.get(meta.session)) ?? newSessionRecord(meta.session);
    const ledger = record.tracks[meta.track];
    const number = ledger.nextNumber;
    ledger.nextNumber = number + 1;
    if (ledger.open && ledger.open.part === meta.part) {
      ledger.open.lastNumber = number;
      ledger.open.lastAt = meta.recordedAt;
    }
    try {
      await sessions.put(record);
      await tx.objectStore('chunks').put({ ...meta, number });
      await tx.objectStore('bytes').put(sealed, [meta.session, meta.track, number]);
      await tx.done;
    } catch (error) {
      await tx.done.catch(() => undefined);
      throw error;
    }
    return number;
  }

  /** Takes the next number without keeping bytes: for a chunk that lives in memory because the disk is full. */
  async takeNumber(session: string, track: TrackName): Promise<number> {
    let number = 0;
    await this.patch(session, (record) => {
      number = record.tracks[track].nextNumber;
      record.tracks[track].nextNumber = number + 1;
    });
    return number;
  }

  async firstChunk(session: string, track: TrackName): Promise<ChunkMeta | null> {
    const [first] = await this.db.getAll('chunks', trackRange(session, track), 1);
    return first ?? null;
  }

  /** The bytes of a chunk; asked for apart, for a browser may have lost them and still know of the chunk. */
  bytesOf(meta: ChunkMeta): Promise<Sealed | undefined> {
    return this.db.get('bytes', bytesKey(meta));
  }

  async deleteChunk(meta: ChunkMeta): Promise<void> {
    const tx = this.db.transaction(['chunks', 'bytes'], 'readwrite');
    void tx.objectStore('chunks').delete([meta.session, meta.track, meta.number]);
    void tx.objectStore('bytes').delete(bytesKey(meta));
    await tx.done;
  }

  /**
   * Gives a chunk and all that follow in its part the next free numbers, in order. `begins`: it is the part's first, so
   * the server knows nothing of the part, and its number may be another browser's by now: it gets a fresh one too.
   */
  async renumberPart(meta: ChunkMeta, begins: boolean): Promise<void> {
    const { session, track, part } = meta;
    const tx = this.db.transaction(['sessions', 'chunks'], 'readwrite', { durability: 'strict' });
    const [sessions, chunks] = [tx.objectStore('sessions'), tx.objectStore('chunks')];
    const record = (await sessions.get(session)) ?? newSessionRecord(session);
    const ledger = record.tracks[track];
    const { open } = ledger;
    const mine = begins ? ledger.nextPart : part;
    if (begins) ledger.nextPart += 1;
    for (const one of await chunks.getAll(trackRange(session, track, meta.number))) {
      if (one.part !== part || one.renumbered) continue;
      const number = ledger.nextNumber;
      ledger.nextNumber += 1;
      if (open?.part === part && open.lastNumber === one.number) open.lastNumber = number;
      await chunks.delete([session, track, one.number]);
      await chunks.put({ ...one, number, part: mine, renumbered: true, bytesAt: one.number });
    }
    if (open?.part === part) open.part = mine;
    await sessions.put(record);
    await tx.done;
  }

  /** Forgets what waited of a session; for when the server has said that it is complete. */
  async clear(session: string): Promise<void> {
    const tx = this.db.transaction(['events', 'chunks', 'bytes'], 'readwrite');
    void tx.objectStore('events').delete(IDBKeyRange.bound([session, 0], [session, Infinity]));
    for (const track of TRACKS) {
      void tx.objectStore('chunks').delete(trackRange(session, track));
      void tx.objectStore('bytes').delete(trackRange(session, track));
    }
    await tx.done;
  }

  async chunkTotals(session: string, track: TrackName): Promise<TrackTotals> {
    const metas = await this.db.getAll('chunks', trackRange(session, track));
    return { chunks: metas.length, bytes: metas.reduce((sum, meta) => sum + meta.size, 0) };
  }
}

function trackRange(session: string, track: TrackName, from = 0): IDBKeyRange {
  return IDBKeyRange.bound([session, track, from], [session, track, Infinity]);
}

function bytesKey({ session, track, number, bytesAt }: ChunkMeta): [string, TrackName, number] {
  return [session, track, bytesAt ?? number];
}
