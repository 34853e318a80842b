// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Api } from '../src/core/api';
import type { Entered } from '../src/core/entry';
import { TabLock } from '../src/core/lock';
import { ExamSession } from '../src/core/session';
import type { Room } from '../src/core/types';
import { freshStore, Hands, until } from './helpers';

const SESSION = 'session';

/** The line's worker, speaking when the test says so. */
class LineWorker {
  static last: LineWorker;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  heard: { t: string }[] = [];

  constructor() {
    LineWorker.last = this;
  }

  postMessage(message: { t: string }): void {
    this.heard.push(message);
  }

  say(data: unknown): void {
    this.onmessage?.({ data });
  }
}

function roomOf(hands: Hands, change: Partial<Room> = {}): Room {
  return {
    session_id: SESSION,
    state: 'running',
    server_time: hands.page,
    exam: { title: 'Exam', url: null },
    candidate: { name: 'Kim' },
    organization: { name: 'School' },
    attempt: 1,
    policy: {
      checks: [],
      tracks: {},
      offline_ms: 15_000,
      focus_debounce_ms: 300,
      idle_ms: 60_000,
      chunk_ms: 2_000,
    },
    checks: [],
    deadline_at: null,
    started_at: 1,
    recorded_numbers: {},
    last_part: {},
    direct_upload: false,
    ...change,
  } as Room;
}

function problem(status: number, slug: string): Response {
  return new Response(
    JSON.stringify({ type: `https://openproctor.org/problems/${slug}`, title: slug, status }),
    {
      status,
      headers: { 'content-type': 'application/problem+json' },
    },
  );
}

async function sessionWith(hands: Hands, room: Room, answer: (path: string) => Response | Error) {
  const store = await freshStore();
  const api = new Api('', () => hands.page, (async (url: string) => {
    const answered = answer(url.slice(url.lastIndexOf('/') + 1));
    if (answered instanceof Error) throw answered;
    return answered;
  }) as typeof fetch);
  const record = await store.patch(SESSION, (mine) => {
    mine.token = 'token';
  });
  const lock = (await TabLock.take(SESSION))!;
  const entered: Entered = { store, api, clock: hands.clock, record, room, lock, offline: false };
  const media = Object.assign(new EventTarget(), { enumerateDevices: async () => [] });
  return { lock, store, session: new ExamSession(entered, '', media as unknown as MediaDevices) };
}

beforeEach(() => vi.stubGlobal('Worker', LineWorker));
afterEach(() => vi.unstubAllGlobals());

test('how a session ended is asked until the server says it; until then nothing is over', async () => {
  const hands = new Hands();
  const answers = [new TypeError('no line'), problem(503, 'busy'), problem(429, 'slow')];
  const { session } = await sessionWith(hands, roomOf(hands), (path) => {
    if (path === 'finish') return Response.json({ state: 'terminated', missing: {} });
    return answers.shift() ?? Response.json(roomOf(hands, { state: 'terminated' }));
  });
  const phases: string[] = [];
  session.on('change', (view) => phases.push(view.phase));
  await session.open();
  await until(() => session.view.phase === 'exam', 'in the exam');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    LineWorker.last.say({ t: 'stopped', code: 4410 });
    while (answers.length > 0) {
      expect(session.view.phase).toBe('exam');
      await vi.advanceTimersByTimeAsync(500);
    }
    await vi.advanceTimersByTimeAsync(30_000);
  } finally {
    vi.useRealTimers();
  }
  await until(() => session.view.phase === 'ended', 'ended');
  expect(session.view.ended).toMatchObject({ how: 'terminated', complete: true });
  expect(phases.indexOf('finishing')).toBeGreaterThan(0);
});

test('a page that may not ask how the session ended lets go of everything and says so', async () => {
  const hands = new Hands();
  const { session } = await sessionWith(hands, roomOf(hands), () => problem(401, 'unauthorized'));
  await session.open();
  await until(() => session.view.phase === 'exam', 'in the exam');
  LineWorker.last.say({ t: 'stopped', code: 4410 });
  await until(() => session.view.phase === 'signed-out', 'signed out');
  expect(session.view.ended).toBeNull();
  await expect(session.desk.open('camera')).rejects.toThrow();
});

test('a clock that no server has confirmed does not end the exam', async () => {
  const hands = new Hands();
  const room = roomOf(hands, { deadline_at: hands.page + 60_000 });
  const { session } = await sessionWith(hands, room, () => Response.json({ state: 'running', missing: {} }));
  // The machine's clock was moved by an hour while the page was reloaded without a line.
  hands.clock.assume(3_600_000);
  await session.open();
  await until(() => session.view.phase === 'exam', 'in the exam');
  LineWorker.last.say({ t: 'tick' });
  expect(session.view.phase).toBe('exam');
  hands.clock.sample({ sentAt: hands.page, receivedAt: hands.page, serverTime: hands.page });
  LineWorker.last.say({ t: 'tick' });
  expect(session.view.phase).toBe('exam');
  hands.pass(61_000);
  LineWorker.last.say({ t: 'tick' });
  expect(session.view.phase).toBe('finishing');
});

test('a tab that was taken over while it was opening does not open its line', async () => {
  const hands = new Hands();
  const { session, lock } = await sessionWith(hands, roomOf(hands), () => new TypeError('no line'));
  let told = false;
  const witness = (await TabLock.take(SESSION))!;
  witness.whenLost(() => {
    told = true;
  });
  await TabLock.takeOver(SESSION);
  await until(() => told, 'the call was delivered');
  await session.open();
  expect(session.view.phase).toBe('locked-out');
  expect(LineWorker.last.heard.map(({ t }) => t)).not.toContain('sync');
  lock.release();
});
