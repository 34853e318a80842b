import type { DeviceDesk, DeviceKind } from '../desk';
import type { EventQueue } from '../queue';
import type { Store } from '../store';

const PRESENT = { camera: 'cameraDetected', microphone: 'microphoneDetected' } as const;
const LOST = { camera: 'cameraLost', microphone: 'microphoneLost' } as const;
const BACK = { camera: 'cameraBack', microphone: 'microphoneBack' } as const;
const KINDS = ['camera', 'microphone'] as const;

/** Raises what happens to cameras and microphones: present, plugged in, gone, back. */
export class DeviceSensor {
  #known: Record<DeviceKind, Set<string>> | null = null;
  readonly #lostAt: Record<DeviceKind, number | null> = { camera: null, microphone: null };
  readonly #stops: (() => void)[] = [];
  #tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly desk: DeviceDesk,
    private readonly queue: EventQueue,
    private readonly store: Store,
    private readonly session: string,
    private readonly pageNow: () => number,
  ) {}

  start(): void {
    this.#stops.push(
      this.desk.on('lost', ({ kind, label, reason }) => void this.#lost(kind, label, reason)),
      this.desk.on('live', ({ kind, label }) => void this.#live(kind, label)),
      this.desk.on('devices', () => this.#inOrder(() => this.#changed())),
    );
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** At a check: says that one is present (60, 159), once for each session. */
  async reportPresent(kind: DeviceKind): Promise<void> {
    const count = await this.desk.count(kind);
    if (count === 0) return;
    const label = this.desk.track(kind)?.label ?? (await this.desk.list(kind))[0]?.label ?? '';
    let fresh = false;
    await this.store.patch(this.session, (record) => {
      const name = `${kind} ${label}`;
      fresh = !record.reportedDevices.includes(name);
      if (fresh) record.reportedDevices.push(name);
    });
    if (fresh) this.queue.raise(PRESENT[kind], { count, ...(label ? { label: label.slice(0, 500) } : {}) });
    await this.#inOrder(() => this.#remember());
  }

  async #live(kind: DeviceKind, label: string): Promise<void> {
    const lostAt = this.#lostAt[kind];
    this.#lostAt[kind] = null;
    if (lostAt !== null) {
      this.queue.raise(BACK[kind], {
        label: label.slice(0, 500),
        lost_ms: Math.max(0, Math.round(this.pageNow() - lostAt)),
      });
    }
    await this.#inOrder(() => this.#remember());
  }

  async #lost(kind: DeviceKind, label: string, reason: string): Promise<void> {
    if (this.#lostAt[kind] !== null) return;
    const pageAt = this.pageNow();
    this.#lostAt[kind] = pageAt;
    const count = await this.desk.count(kind).catch(() => 0);
    const permission = await permissionOf(kind);
    const why = permission === 'denied' || permission === 'prompt' ? 'permission withdrawn' : reason;
    this.queue.raise(LOST[kind], { label: label.slice(0, 500), count, reason: why }, { pageAt });
  }

  async #changed(): Promise<void> {
    const before = this.#known;
    await this.#remember();
    if (!before || !this.#known) return;
    for (const kind of KINDS) {
      const list = await this.desk.list(kind);
      for (const device of list) {
        if (before[kind].has(device.id)) continue;
        this.queue.raise(PRESENT[kind], {
          count: list.length,
          ...(device.label ? { label: device.label.slice(0, 500) } : {}),
          plugged_in: true,
        });
      }
    }
  }

  /** One look at the list at a time: browsers tell of one device several times in a row. */
  #inOrder(look: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(look).catch(() => undefined);
    return this.#tail;
  }

  async #remember(): Promise<void> {
    const known = { camera: new Set<string>(), microphone: new Set<string>() };
    for (const kind of KINDS) for (const device of await this.desk.list(kind)) known[kind].add(device.id);
    // Without permission the ids are hidden: then an empty list says nothing about what is new later.
    for (const kind of KINDS) {
      const hidden = known[kind].size === 0 && (await this.desk.count(kind)) > 0;
      if (hidden && this.#known) known[kind] = this.#known[kind];
    }
    this.#known = known;
  }
}

async function permissionOf(kind: DeviceKind): Promise<PermissionState | null> {
  try {
    return (await navigator.permissions.query({ name: kind as PermissionName })).state;
  } catch {
    return null;
  }
}
