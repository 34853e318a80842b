/** A small typed emitter; listeners get one value and may not break each other. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  /** Returns the function that takes the listener off again. */
  on<K extends keyof Events>(kind: K, listener: (value: Events[K]) => void): () => void {
    const set = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, set);
    set.add(listener as (value: never) => void);
    return () => set.delete(listener as (value: never) => void);
  }

  emit<K extends keyof Events>(kind: K, value: Events[K]): void {
    for (const listener of [...(this.#listeners.get(kind) ?? [])]) {
      try {
        (listener as (value: Events[K]) => void)(value);
      } catch (error) {
        // One listener's fault must not stop recording or upload; the browser's console still shows it.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
