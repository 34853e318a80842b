/** One tab a session: a Web Lock says which, and the tabs can hand it over. */

const GIVE_WAY_MS = 6_000;

export class TabLock {
  #release: () => void = () => undefined;
  readonly #channel: BroadcastChannel | null;
  #onLost: () => Promise<void> | void = () => undefined;
  #held = true;
  #lost = false;

  private constructor(name: string) {
    this.#channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name);
    if (this.#channel) {
      this.#channel.onmessage = ({ data }) => {
        if (data === 'give way' && this.#held) void this.#giveWay();
      };
    }
  }

  /** What to do before the lock goes to another tab: stop recording, let the socket go. At once when it has gone already. */
  whenLost(act: () => Promise<void> | void): void {
    this.#onLost = act;
    if (this.#lost) void act();
  }

  /** True when another tab of this browser holds the session. */
  static async isHeld(session: string): Promise<boolean> {
    if (!navigator.locks) return false;
    const { held = [] } = await navigator.locks.query();
    return held.some((one) => one.name === nameOf(session));
  }

  /** Null when another tab has it. Where browsers know no locks, everybody gets one. */
  static take(session: string): Promise<TabLock | null> {
    return TabLock.#request(session, { ifAvailable: true });
  }

  /** Asks the other tab to stop, waits for it, and takes the lock from it if it does not answer. */
  static async takeOver(session: string): Promise<TabLock | null> {
    if (typeof BroadcastChannel !== 'undefined') {
      const channel = new BroadcastChannel(nameOf(session));
      channel.postMessage('give way');
      channel.close();
    }
    try {
      return await TabLock.#request(session, { signal: AbortSignal.timeout(GIVE_WAY_MS) });
    } catch {
      return TabLock.#request(session, { steal: true });
    }
  }

  static #request(session: string, options: LockOptions): Promise<TabLock | null> {
    if (!navigator.locks) return Promise.resolve(new TabLock(nameOf(session)));
    return new Promise((resolve, reject) => {
      let mine: TabLock | null = null;
      navigator.locks
        .request(nameOf(session), options, (lock) => {
          if (!lock) {
            resolve(null);
            return undefined;
          }
          const held = new TabLock(nameOf(session));
          mine = held;
          resolve(held);
          return new Promise<void>((done) => {
            held.#release = done;
          });
        })
        .catch((error: unknown) => {
          // Rejected after we had it: another tab took it from us.
          if (mine) void mine.#giveWay();
          else reject(error);
        });
    });
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#channel?.close();
    this.#release();
  }

  async #giveWay(): Promise<void> {
    if (!this.#held || this.#lost) return;
    this.#lost = true;
    try {
      await this.#onLost();
    } finally {
      this.release();
    }
  }
}

function nameOf(session: string): string {
  return `openproctor-session-${session}`;
}
