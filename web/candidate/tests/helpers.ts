import 'fake-indexeddb/auto';
import { Clock } from '../src/core/clock';
import { Store } from '../src/core/store';

/** A clock that the test turns. Page time begins at 1,000,000 ms. */
export class Hands {
  page = 1_000_000;
  wall = 5_000_000;
  readonly clock = new Clock(
    () => this.page,
    () => this.wall,
  );

  pass(ms: number): void {
    this.page += ms;
    this.wall += ms;
  }
}

let stores = 0;

export function freshStore(): Promise<Store> {
  stores += 1;
  return Store.open(`test-${stores}`);
}

/** The store as a page loaded later would open it. */
export function sameStore(number = stores): Promise<Store> {
  return Store.open(`test-${number}`);
}

/** Waits until something holds; fails loudly when it never does. */
export async function until(holds: () => boolean, what: string, withinMs = 3_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function bytesOf(...values: number[]): ArrayBuffer {
  return new Uint8Array(values).buffer;
}
