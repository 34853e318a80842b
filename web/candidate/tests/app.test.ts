// @vitest-environment jsdom
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Store } from '../src/core/store';
import type { SessionState } from '../src/core/types';
import { App } from '../src/room/app';
import { words } from '../src/room/words';

const SESSION = 'session';

class LineWorker {
  onmessage = null;
  postMessage = () => undefined;
}

/** The server: every question waits until the test answers it. */
let asked: ((answer: Response | Error) => void)[] = [];

function room(state: SessionState = 'waiting'): Response {
  return Response.json({
    session_id: SESSION,
    state,
    server_time: Date.now(),
    exam: { title: 'Exam', url: null },
    candidate: { name: 'Kim' },
    organization: { name: 'School' },
    policy: { checks: [], tracks: {}, offline_ms: 15_000, focus_debounce_ms: 300 },
    checks: [],
    deadline_at: null,
    recorded_numbers: {},
    last_part: {},
  });
}

const heading = (app: App) => app.querySelector('op-message')?.getAttribute('heading');

beforeEach(async () => {
  asked = [];
  vi.stubGlobal('Worker', LineWorker);
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('scrollTo', () => undefined);
  vi.stubGlobal('fetch', () => {
    return new Promise<Response>((resolve, reject) => {
      asked.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
    });
  });
  Object.defineProperty(navigator, 'mediaDevices', { value: new EventTarget(), configurable: true });
  history.replaceState(null, '', `/room/${SESSION}`);
  const store = await Store.open();
  await store.patch(SESSION, (record) => {
    record.token = 'token';
  });
  store.close();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

test('tries of its own leave the fault and its button in place, and end once the room is open', async () => {
  const app = new App();
  document.body.append(app);
  await vi.waitFor(() => expect(asked.length).toBe(1));
  expect(heading(app)).toBe(words.loading);
  asked[0]!(new TypeError('no line'));
  await vi.waitFor(() => expect(heading(app)).toBe(words.faults['no-answer'].title));
  const shown = app.querySelector('op-message')!;

  await vi.advanceTimersByTimeAsync(4_000);
  await vi.waitFor(() => expect(asked.length).toBe(2));
  await app.updateComplete;
  expect(heading(app)).toBe(words.faults['no-answer'].title);
  asked[1]!(new TypeError('no line'));
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0));

  // The candidate does not wait for the next one.
  shown.dispatchEvent(new CustomEvent('act'));
  await vi.waitFor(() => expect(asked.length).toBe(3));
  await app.updateComplete;
  expect(heading(app)).toBe(words.loading);
  asked[2]!(room());
  await vi.waitFor(() => expect(heading(app)).toBe(words.waiting.title));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.length).toBe(3);
  expect(heading(app)).toBe(words.waiting.title);
});

test.each([
  [1, '1 piece of the recording was still waiting'],
  [3, '3 pieces of the recording were still waiting'],
])('a page loaded again after the end says that %i of its pieces came too late', async (late, said) => {
  const store = await Store.open();
  await store.patch(SESSION, (record) => {
    record.late = late;
  });
  store.close();
  const app = new App();
  document.body.append(app);
  await vi.waitFor(() => expect(asked.length).toBe(1));
  asked[0]!(room('completed'));
  await vi.waitFor(() => expect(asked.length).toBe(2));
  asked[1]!(Response.json({ state: 'completed', missing: {} }));
  await vi.waitFor(() => expect(heading(app)).toBe(words.ended.completed.title));
  const shown = app.querySelector('op-message')!.shadowRoot!.textContent;
  expect(shown).toContain(words.ended.late.title);
  expect(shown).toContain(said);
  expect(shown).not.toContain('Everything has arrived');
});
