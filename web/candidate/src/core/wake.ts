/** Keeps the display from going dark in mid-exam; the browser drops the lock whenever the page is hidden. */
export class Wakefulness {
  #on = false;
  #lock: WakeLockSentinel | null = null;
  readonly #again = () => void this.#take();

  start(): void {
    if (this.#on) return;
    this.#on = true;
    document.addEventListener('visibilitychange', this.#again);
    void this.#take();
  }

  stop(): void {
    this.#on = false;
    document.removeEventListener('visibilitychange', this.#again);
    void this.#lock?.release().catch(() => undefined);
    this.#lock = null;
  }

  async #take(): Promise<void> {
    if (document.hidden) return;
    const lock = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null;
    if (this.#on) this.#lock = lock;
    else void lock?.release().catch(() => undefined);
  }
}
