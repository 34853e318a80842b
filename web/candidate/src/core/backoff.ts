/** Waits that grow and are spread at random, so that a thousand pages do not come back in the same second. */
export class Backoff {
  #tries = 0;

  constructor(
    private readonly firstMs = 500,
    private readonly limitMs = 30_000,
    private readonly random: () => number = Math.random,
  ) {}

  /** The next wait, ms: between half and the whole of first × 2^tries. */
  next(): number {
    const whole = Math.min(this.limitMs, this.firstMs * 2 ** this.#tries);
    this.#tries += 1;
    return Math.round(whole * (0.5 + this.random() / 2));
  }

  reset(): void {
    this.#tries = 0;
  }
}

/** A wait that can be cut short. */
export class Nap {
  #wake: (() => void) | null = null;

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const self = this;
      function done(): void {
        clearTimeout(timer);
        self.#wake = null;
        resolve();
      }
      this.#wake = done;
    });
  }

  wake(): void {
    this.#wake?.();
  }
}

/** Does something until it works, with waits in between; its error is thrown once so many tries are `enough`. */
export async function persistently<T>(
  work: () => Promise<T>,
  waits: Pick<Backoff, 'next'> = new Backoff(),
  enough: (tries: number) => boolean = () => false,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (enough(tries)) throw error;
      await new Promise((resolve) => setTimeout(resolve, waits.next()));
    }
  }
}
