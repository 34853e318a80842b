import type { Api } from '../api';
import type { EventData } from '../catalog';
import type { Clock } from '../clock';
import { type DeviceDesk, DeviceError, type DeviceKind } from '../desk';
import type { EventAnswer, EventQueue } from '../queue';
import { type ScreenDesk, type SharedScreen, ShareError } from '../screen';
import type { DeviceSensor } from '../sensors/devices';
import type { Store } from '../store';
import type { CaptureAnswer, CheckId, CheckResult, Policy, Room } from '../types';
import type { CameraMeasures } from './camera';
import type { Hearing } from './speech';
import { sendStill, takeStill } from './still';

export interface CheckParts {
  room: Room;
  store: Store;
  api: Api;
  clock: Clock;
  queue: EventQueue;
  desk: DeviceDesk;
  screen: ScreenDesk;
  devices: DeviceSensor;
  /** A check passed, as the page knows; the server's own view comes with the next room. */
  passed(check: CheckId): void;
  /** Runs while a prompt of ours may take focus from the window. */
  during<T>(prompt: Promise<T>): Promise<T>;
}

export type CameraVerdict = { passed: true } | { passed: false; detail: string };
export type NotificationState = 'granted' | 'refused' | 'blocked' | 'unsupported';

const BETWEEN_STILLS_MS = 800;

/** What the candidate can do in the checks, and the events that come of it. */
export class Checks {
  #lastFault = '';

  constructor(private readonly parts: CheckParts) {}

  get #policy(): Policy {
    return this.parts.room.policy;
  }

  get #session(): string {
    return this.parts.room.session_id;
  }

  /** 1080 */
  async agree(language: string): Promise<EventAnswer> {
    const answer = await this.parts.queue.raise('consentGiven', {
      text_digest: this.parts.room.consent.text_digest,
      language,
    }).answered;
    if (answer.accepted) this.parts.passed('consent');
    return answer;
  }

  /** 1081 */
  async refuse(): Promise<void> {
    const { answered } = this.parts.queue.raise('consentRefused', {
      text_digest: this.parts.room.consent.text_digest,
    });
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 5_000))]);
  }

  async passBrowser(): Promise<void> {
    await this.parts.store.patch(this.#session, (record) => {
      if (!record.passedHere.includes('browser')) record.passedHere.push('browser');
    });
    this.parts.passed('browser');
  }

  /** Opens a device and says that it is there (60, 159). Throws DeviceError. */
  async openDevice(kind: DeviceKind): Promise<MediaStreamTrack> {
    const track = await this.parts.during(this.parts.desk.open(kind));
    await this.parts.devices.reportPresent(kind);
    await this.parts.store.patch(this.#session, (record) => {
      const id = track.getSettings().deviceId ?? null;
      if (kind === 'camera') record.cameraId = id;
      else record.microphoneId = id;
    });
    return track;
  }

  /** 26, confirmed by the server from two stills. */
  async confirmCamera(video: HTMLVideoElement, measures: CameraMeasures): Promise<CameraVerdict> {
    const { api, clock, queue, desk } = this.parts;
    const first = await takeStill(video, 'camera_test', clock);
    await sendStill(api, this.#session, first);
    const wait = BETWEEN_STILLS_MS - (clock.now() - first.capturedAt);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const second = await takeStill(video, 'camera_test', clock);
    await sendStill(api, this.#session, second);
    const answer = await queue.raise('cameraPassed', {
      ...cameraData(measures, desk.track('camera')),
      evidence_ids: [first.id, second.id],
    }).answered;
    if (!answer.accepted)
      return { passed: false, detail: answer.refusal.detail ?? answer.refusal.title ?? '' };
    this.#lastFault = '';
    this.parts.passed('camera');
    return { passed: true };
  }

  /** 27; the same reason again and again is raised once. */
  cameraFailed(
    reason: EventData['cameraFailed']['reason'],
    detail: string,
    measures: CameraMeasures | null,
  ): void {
    const fault = `camera ${reason}`;
    if (fault === this.#lastFault) return;
    this.#lastFault = fault;
    this.parts.queue.raise('cameraFailed', {
      reason,
      ...(detail ? { detail: detail.slice(0, 500) } : {}),
      ...(measures ? cameraData(measures, this.parts.desk.track('camera')) : {}),
    });
  }

  /** A new try: the same fault counts again. */
  tryAgain(): void {
    this.#lastFault = '';
  }

  /** 34 */
  async audioPassed(hearing: Hearing): Promise<EventAnswer> {
    const label = this.parts.desk.track('microphone')?.label;
    const answer = await this.parts.queue.raise('audioPassed', {
      level_db: round(hearing.speechLevel),
      noise_floor_db: round(hearing.floor),
      speech_ms: hearing.speechMs,
      ...(label ? { label: label.slice(0, 500) } : {}),
    }).answered;
    if (answer.accepted) this.parts.passed('microphone');
    return answer;
  }

  /** 1001 */
  audioFailed(reason: EventData['audioFailed']['reason'], detail: string, hearing: Hearing | null): void {
    const fault = `microphone ${reason}`;
    if (fault === this.#lastFault) return;
    this.#lastFault = fault;
    const label = this.parts.desk.track('microphone')?.label;
    this.parts.queue.raise('audioFailed', {
      reason,
      ...(detail ? { detail: detail.slice(0, 500) } : {}),
      ...(hearing ? { level_db: round(hearing.level), noise_floor_db: round(hearing.floor) } : {}),
      ...(label ? { label: label.slice(0, 500) } : {}),
    });
  }

  /** 17 or 18. Ask from a click: browsers ignore anything else. */
  async askNotifications(): Promise<NotificationState> {
    const { queue } = this.parts;
    if (typeof Notification === 'undefined') {
      await this.#notificationsDenied('unsupported');
      return 'unsupported';
    }
    const before = Notification.permission;
    const now =
      before === 'default'
        ? await this.parts.during(Promise.resolve(Notification.requestPermission()))
        : before;
    if (now === 'granted') {
      const { answered } = queue.raise('notificationsGranted', before === 'granted' ? { already: true } : {});
      if ((await answered).accepted) this.parts.passed('notifications');
      return 'granted';
    }
    const how = before === 'denied' ? 'blocked' : 'refused';
    await this.#notificationsDenied(how);
    return how;
  }

  async #notificationsDenied(reason: EventData['notificationsDenied']['reason']): Promise<void> {
    const answer = await this.parts.queue.raise('notificationsDenied', { reason }).answered;
    if (answer.accepted && !this.#policy.notifications_required) this.parts.passed('notifications');
  }

  /** 146, then the server's verdict (154, 155). */
  async face(video: HTMLVideoElement, taken: (image: Blob) => void): Promise<CaptureAnswer> {
    const { api, clock, queue } = this.parts;
    const still = await takeStill(video, 'face', clock);
    taken(still.image);
    const answer = await sendStill(api, this.#session, still);
    await queue.raise('faceCaptured', { evidence_id: answer.id }, evidence(answer.id, still.capturedAt))
      .answered;
    if (answer.check?.passed) this.parts.passed('face');
    return answer;
  }

  /** 145, then the server's verdict (156, 1002). */
  async document(video: HTMLVideoElement, taken: (image: Blob) => void): Promise<CaptureAnswer> {
    const { api, clock, queue } = this.parts;
    const still = await takeStill(video, 'document', clock);
    taken(still.image);
    const answer = await sendStill(api, this.#session, still);
    await queue.raise('documentCaptured', { evidence_id: answer.id }, evidence(answer.id, still.capturedAt))
      .answered;
    if (answer.check?.passed) this.parts.passed('document');
    return answer;
  }

  async roomPicture(video: HTMLVideoElement): Promise<{ id: string; image: Blob }> {
    const still = await takeStill(video, 'room', this.parts.clock);
    const answer = await sendStill(this.parts.api, this.#session, still);
    return { id: answer.id, image: still.image };
  }

  /** The server raises 161 or 1003. */
  async roomPictures(ids: string[]): Promise<CheckResult> {
    const { body } = await this.parts.api.checkRoomPictures(this.#session, ids);
    if (body.passed) this.parts.passed('room');
    return body;
  }

  /** 149, or 150 and ShareError. Must be called from a click. */
  async shareScreen(): Promise<SharedScreen> {
    const { queue, screen } = this.parts;
    try {
      const shared = await this.parts.during(screen.share());
      const { label, ...size } = shared;
      const { answered } = queue.raise('screenShared', {
        ...size,
        ...(label ? { label: label.slice(0, 500) } : {}),
      });
      if ((await answered).accepted) this.parts.passed('screen');
      return shared;
    } catch (error) {
      if (error instanceof ShareError) this.screenDenied(error);
      throw error;
    }
  }

  screenDenied(error: ShareError): void {
    this.parts.queue.raise('screenDenied', {
      reason: error.fault,
      ...(error.message ? { detail: error.message.slice(0, 500) } : {}),
    });
  }
}

function evidence(id: string, at: number) {
  return { at, evidence: [{ kind: 'capture' as const, id }] };
}

function cameraData(measures: CameraMeasures, track: MediaStreamTrack | null) {
  return {
    width: measures.width,
    height: measures.height,
    frame_rate: round(measures.frameRate),
    brightness: round(measures.brightness),
    ...(track?.label ? { label: track.label.slice(0, 500) } : {}),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export { DeviceError };
