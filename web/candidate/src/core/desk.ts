import { Emitter } from './emitter';
import { Gate } from './gate';
import type { TrackPolicy } from './types';

export type DeviceKind = 'camera' | 'microphone';
export type DeviceFault = 'denied' | 'missing' | 'busy' | 'error';

export class DeviceError extends Error {
  constructor(
    readonly fault: DeviceFault,
    detail: string,
  ) {
    super(detail);
    this.name = 'DeviceError';
  }
}

/** What the browser's error means for the candidate. */
export function deviceFault(error: unknown): DeviceError {
  const name = error instanceof DOMException || error instanceof Error ? error.name : '';
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return new DeviceError('denied', detail);
    case 'NotFoundError':
    case 'OverconstrainedError':
      return new DeviceError('missing', detail);
    case 'NotReadableError':
    case 'AbortError':
      return new DeviceError('busy', detail);
    default:
      return new DeviceError('error', detail);
  }
}

export interface DeviceInfo {
  id: string;
  label: string;
}

interface DeskEvents {
  /** A live device went away without us asking. */
  lost: { kind: DeviceKind; label: string; reason: string };
  /** A device delivers (again). */
  live: { kind: DeviceKind; label: string };
  /** The list of devices changed. */
  devices: undefined;
}

const IDEAL_STILL = { width: 1280, height: 720 };
const REAL_KIND = { camera: 'videoinput', microphone: 'audioinput' } as const;

/** Holds the camera and the microphone; everybody else borrows their tracks from here. */
export class DeviceDesk extends Emitter<DeskEvents> {
  readonly #tracks: Record<DeviceKind, MediaStreamTrack | null> = { camera: null, microphone: null };
  readonly #chosen: Record<DeviceKind, string | null> = { camera: null, microphone: null };
  #watching = false;
  readonly #gate = new Gate((detail) => new DeviceError('error', detail));

  constructor(
    private readonly media: MediaDevices,
    private readonly policy: TrackPolicy | undefined,
  ) {
    super();
  }

  choose(kind: DeviceKind, id: string | null): void {
    this.#chosen[kind] = id;
  }

  track(kind: DeviceKind): MediaStreamTrack | null {
    const track = this.#tracks[kind];
    return track?.readyState === 'live' ? track : null;
  }

  chosenId(kind: DeviceKind): string | null {
    return this.track(kind)?.getSettings().deviceId ?? this.#chosen[kind];
  }

  async list(kind: DeviceKind): Promise<DeviceInfo[]> {
    const all = await this.media.enumerateDevices();
    const seen = all.filter((one) => one.kind === REAL_KIND[kind] && one.deviceId !== '');
    // “default” and “communications” are second names of a device that is in the list anyway.
    const real = seen.filter((one) => !['default', 'communications'].includes(one.deviceId));
    return (real.length > 0 ? real : seen).map((one) => ({ id: one.deviceId, label: one.label }));
  }

  /** How many there are, also before permission, when ids and labels are still hidden. */
  async count(kind: DeviceKind): Promise<number> {
    const all = await this.media.enumerateDevices();
    return Math.max(
      (await this.list(kind)).length,
      Math.min(1, all.filter((one) => one.kind === REAL_KIND[kind]).length),
    );
  }

  /** A live track of this kind, asking the candidate where needed. Throws DeviceError. */
  async open(kind: DeviceKind): Promise<MediaStreamTrack> {
    this.#gate.pass();
    this.#watch();
    const live = this.track(kind);
    if (live) return live;
    const id = this.#chosen[kind];
    try {
      return await this.#ask(kind, id);
    } catch (error) {
      const fault = deviceFault(error);
      // The chosen one may be unplugged for good; any other is better than none.
      if (id === null || fault.fault !== 'missing') throw fault;
    }
    try {
      return await this.#ask(kind, null);
    } catch (error) {
      throw deviceFault(error);
    }
  }

  async #ask(kind: DeviceKind, id: string | null): Promise<MediaStreamTrack> {
    const deviceId = id === null ? undefined : { exact: id };
    const stream = await this.media.getUserMedia(
      kind === 'camera'
        ? {
            video: {
              deviceId,
              width: { ideal: IDEAL_STILL.width },
              height: { ideal: IDEAL_STILL.height },
              frameRate: { ideal: this.policy?.frame_rate ?? 15 },
            },
          }
        : {
            // Noise suppression would take away what is said in the background.
            audio: { deviceId, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
          },
    );
    const track = stream.getTracks()[0];
    if (!track) throw new DeviceError('missing', 'no track');
    this.#gate.pass(track);
    this.#adopt(kind, track);
    return track;
  }

  #adopt(kind: DeviceKind, track: MediaStreamTrack): void {
    this.#tracks[kind]?.stop();
    this.#tracks[kind] = track;
    track.addEventListener('ended', () => {
      if (this.#tracks[kind] !== track) return;
      this.#tracks[kind] = null;
      this.emit('lost', { kind, label: track.label, reason: 'track ended' });
    });
    this.emit('live', { kind, label: track.label });
  }

  /** Smaller pictures for the recording than for the stills. Best effort: some cameras cannot change. */
  async sizeForRecording(): Promise<void> {
    const track = this.track('camera');
    if (!track || !this.policy) return;
    const { width, height, frame_rate } = this.policy;
    await track
      .applyConstraints({
        width: { ideal: width },
        height: { ideal: height },
        frameRate: { ideal: frame_rate, max: Math.max(frame_rate, 1) },
      })
      .catch(() => undefined);
  }

  async sizeForStills(): Promise<void> {
    await this.track('camera')
      ?.applyConstraints({
        width: { ideal: IDEAL_STILL.width },
        height: { ideal: IDEAL_STILL.height },
        frameRate: { ideal: this.policy?.frame_rate ?? 15 },
      })
      .catch(() => undefined);
  }

  /** Lets a device go: its light goes out. Not a loss. */
  release(kind: DeviceKind): void {
    const track = this.#tracks[kind];
    this.#tracks[kind] = null;
    track?.stop();
  }

  /** Lets all go for good: what an answer to a question of the browser still opens is closed at once. */
  close(): void {
    this.#gate.close();
    this.release('camera');
    this.release('microphone');
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.media.addEventListener('devicechange', () => this.emit('devices', undefined));
  }
}
