import type { DeviceDesk, DeviceKind } from './desk';

/** Gets lost devices back: by itself where the browser needs no new answer, else from a click. */
export class Recovery {
  readonly #busy = new Set<DeviceKind>();

  constructor(
    private readonly desk: DeviceDesk,
    private readonly during: <T>(prompt: Promise<T>) => Promise<T>,
  ) {}

  async reopen(kind: DeviceKind): Promise<boolean> {
    if (this.#busy.has(kind)) return false;
    this.#busy.add(kind);
    try {
      await this.during(this.desk.open(kind));
      return true;
    } catch {
      return false;
    } finally {
      this.#busy.delete(kind);
    }
  }

  /** Only when no question would be put to the candidate. */
  async reopenQuietly(kind: DeviceKind): Promise<void> {
    try {
      const { state } = await navigator.permissions.query({ name: kind as PermissionName });
      if (state !== 'granted') return;
    } catch {
      // Where permissions cannot be asked (older Firefox), trying is the only way to know.
    }
    if ((await this.desk.count(kind)) > 0) await this.reopen(kind);
  }
}
