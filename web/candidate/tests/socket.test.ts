import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LineSocket, type SocketNews } from '../src/core/socket';

/** A browser's socket whose other end is the test. */
class Wire {
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  hear(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  welcome(): void {
    this.open();
    this.hear({
      t: 'welcome',
      server_time: 5,
      heartbeat_ms: 5_000,
      heartbeat_limit_ms: 12_500,
      max_batch: 200,
      room: {},
    });
  }

  close(): void {
    this.readyState = 3;
  }

  drop(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

function lineWith() {
  const wires: Wire[] = [];
  const news: SocketNews[] = [];
  const line = new LineSocket(
    { url: 'ws://x', token: 'token', device: 'device', page: 'page', offlineMs: 15_000 },
    (one) => news.push(one),
    () => Date.now(),
    () => 1_000_000,
    () => {
      const wire = new Wire();
      wires.push(wire);
      return wire as unknown as WebSocket;
    },
    () => 0,
  );
  line.start();
  const kinds = () => news.map((one) => one.t);
  return { line, wires, news, kinds };
}

/** Lets time pass until the next attempt. */
function nextAttempt(wires: Wire[]): Wire {
  const before = wires.length;
  for (let ms = 0; wires.length === before && ms < 60_000; ms += 50) vi.advanceTimersByTime(50);
  return wires.at(-1)!;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

test('hello comes first, then ready at once, then a heartbeat', () => {
  const { wires } = lineWith();
  wires[0]!.welcome();
  expect(wires[0]!.sent.map((frame) => frame.t)).toEqual(['hello', 'ready', 'ping']);
  expect(wires[0]!.sent[0]).toMatchObject({ token: 'token', device: 'device', page: 'page', attempt: 1 });
  vi.advanceTimersByTime(5_000);
  expect(wires[0]!.sent.filter((frame) => frame.t === 'ping').map((frame) => frame.n)).toEqual([1, 2]);
});

test('every failed attempt is told with its number, and waits grow', () => {
  const { wires, news } = lineWith();
  wires[0]!.drop(1006);
  nextAttempt(wires).drop(1006);
  nextAttempt(wires).welcome();
  const failed = news.filter((one) => one.t === 'failed');
  expect(failed.map((one) => [one.attempt, one.error])).toEqual([
    [1, 'closed with code 1006'],
    [2, 'closed with code 1006'],
  ]);
  expect(failed[1]!.retryInMs).toBeGreaterThan(failed[0]!.retryInMs);
  expect(wires[2]!.sent[0]).toMatchObject({ attempt: 3 });
});

test('a server that never says welcome counts as a failed attempt', () => {
  const { wires, kinds } = lineWith();
  wires[0]!.open();
  vi.advanceTimersByTime(10_000);
  expect(kinds()).toContain('failed');
});

test('a half-open line is noticed by missing answers and replaced', () => {
  const { wires, kinds } = lineWith();
  wires[0]!.welcome();
  vi.advanceTimersByTime(20_000);
  expect(kinds()).toContain('lost');
  expect(wires.length).toBeGreaterThan(1);
  // What the dead socket says later is of no interest.
  const before = kinds().length;
  wires[0]!.hear({ t: 'pong', n: 1, at: 0, server_time: 1 });
  expect(kinds().length).toBe(before);
});

test('answers to the heartbeat keep the line and measure it', () => {
  const { wires, news } = lineWith();
  wires[0]!.welcome();
  for (let i = 0; i < 10; i += 1) {
    vi.advanceTimersByTime(5_000);
    const ping = wires[0]!.sent.at(-1)!;
    wires[0]!.hear({ t: 'pong', n: ping.n, at: ping.at, server_time: 77 });
  }
  expect(wires.length).toBe(1);
  expect(news.filter((one) => one.t === 'sample').length).toBe(10);
});

test('after a long loss the page says since when it was offline, in the server’s time', () => {
  const { wires } = lineWith();
  wires[0]!.welcome();
  vi.advanceTimersByTime(1_000);
  wires[0]!.drop(1006);
  for (let i = 1; i < 8; i += 1) nextAttempt(wires).drop(1006);
  nextAttempt(wires).open();
  const { offline } = wires.at(-1)!.sent[0] as { offline: { from: number; until: number } };
  expect(offline.from).toBe(1_000_000);
  expect(offline.until - offline.from).toBeGreaterThan(15_000);
});

test('a short loss is not called offline', () => {
  const { wires } = lineWith();
  wires[0]!.welcome();
  wires[0]!.drop(1012);
  vi.advanceTimersByTime(2_000);
  wires[1]!.open();
  expect(wires[1]!.sent[0]).not.toHaveProperty('offline');
});

test.each([4401, 4403, 4409, 4410])('code %i ends it: no attempt follows', (code) => {
  const { wires, news } = lineWith();
  wires[0]!.welcome();
  wires[0]!.drop(code);
  vi.advanceTimersByTime(600_000);
  expect(wires.length).toBe(1);
  expect(news.at(-1)).toEqual({ t: 'stopped', code });
});

test('when the network comes back, the next attempt is made at once', () => {
  const { wires, line } = lineWith();
  wires[0]!.drop(1006);
  for (let i = 0; i < 6; i += 1) nextAttempt(wires).drop(1006);
  nextAttempt(wires);
  const last = wires.length;
  wires.at(-1)!.drop(1006);
  line.kick();
  expect(wires.length).toBe(last + 1);
});
