import { slugOf } from './api';
import type { Clock } from './clock';
import { recorderType } from './container';
import type { DeviceDesk } from './desk';
import { Emitter } from './emitter';
import type { EventQueue } from './queue';
import { type PartEnd, TrackRecorder } from './recorder';
import type { ScreenDesk } from './screen';
import { platePicture, type StandIn, silence } from './stand-in';
import type { ChunkMeta, Store } from './store';
import type { Policy, TrackName } from './types';
import type { Uploader } from './uploader';

/** What is recorded at this moment, for the bar. `lost`: should be, but the device is away. */
export type SourceState = 'live' | 'lost' | 'off';
export interface RecordingState {
  camera: SourceState;
  microphone: SourceState;
  screen: SourceState;
}

interface Parts {
  store: Store;
  clock: Clock;
  queue: EventQueue;
  uploader: Uploader;
  desk: DeviceDesk;
  screen: ScreenDesk;
}

const RETRY_MS = 2_000;

/** Records what the policy asks for, part after part, from whatever devices are there. */
export class Recording extends Emitter<{ change: RecordingState }> {
  #on = false;
  #recorders: Partial<Record<TrackName, TrackRecorder>> = {};
  #plate: StandIn | null = null;
  #silence: StandIn | null = null;
  #cameraMix = '';
  #work: Promise<void> = Promise.resolve();

  constructor(
    private readonly session: string,
    private readonly policy: Policy,
    private readonly parts: Parts,
    /** Written on the plate that stands in for a lost camera. */
    private readonly plateText: string,
  ) {
    super();
    const { uploader, desk, screen, queue } = parts;
    uploader.on('stored', (meta) => {
      if (!meta.announces) return;
      queue.raise(
        'recordingStarted',
        { track: meta.track, part: meta.part, mime_type: meta.recorderType.slice(0, 500) },
        { at: meta.partStartedAt },
      );
    });
    uploader.on('lost', ({ meta, problem }) => {
      const numbers = meta.number >= 0 ? [meta.number] : [];
      const from = Math.max(meta.partStartedAt, meta.recordedAt - policy.chunk_ms);
      queue.raise('recordingGap', {
        track: meta.track,
        from,
        until: Math.max(from, meta.recordedAt),
        numbers,
        reason: problem.title.slice(0, 500),
      });
      if (slugOf(problem.type) === 'init-missing') this.#beginAgain(meta);
    });
    desk.on('lost', () => this.#later(() => this.#mixCamera('track_ended')));
    desk.on('live', () => this.#later(() => this.#mixCamera('device_changed')));
    screen.on('ended', () => this.#later(() => this.#stop('screen', 'track_ended')));
  }

  get state(): RecordingState {
    const { desk, screen } = this.parts;
    const { camera, screen: display } = this.policy.tracks;
    const of = (wanted: unknown, there: unknown): SourceState => (!wanted ? 'off' : there ? 'live' : 'lost');
    return {
      camera: of(camera, desk.track('camera')),
      microphone: of(camera?.audio, desk.track('microphone')),
      screen: of(display, screen.track),
    };
  }

  /** Starts every track that has a source; those without one start when it comes. */
  async start(): Promise<void> {
    this.#on = true;
    await this.#later(() => this.#mixCamera('device_changed'));
    await this.#later(() => this.#recordScreen());
  }

  /** The display was shared (again). */
  screenShared(): Promise<void> {
    return this.#later(() => this.#recordScreen());
  }

  /** Ends all parts; resolves when their last chunks and events are kept. */
  async stop(reason: string): Promise<void> {
    await this.#later(async () => {
      this.#on = false;
      await Promise.all([this.#stop('camera', reason), this.#stop('screen', reason)]);
      this.#plate?.stop();
      this.#silence?.stop();
      this.#plate = null;
      this.#silence = null;
    });
  }

  /** Once a second, from the worker's pulse. */
  tick(): void {
    if (!this.#on) return;
    this.#plate?.pulse();
    for (const recorder of Object.values(this.#recorders)) {
      if (recorder.check() === 'stalled') {
        this.#later(async () => {
          await this.#stop(recorder.track, 'stalled');
          await this.#restart(recorder.track);
        });
      }
    }
  }

  /** What an earlier page load left open: the page was closed or has crashed in the middle of a part. */
  async closeLeftOver(): Promise<void> {
    for (const track of ['camera', 'screen'] as const) {
      const open = await this.parts.store.closePart(this.session, track);
      if (!open || open.lastNumber === null) continue;
      this.parts.queue.raise(
        'recordingStopped',
        { track, part: open.part, reason: 'page_closed', last_number: open.lastNumber },
        { at: open.lastAt },
      );
    }
  }

  async #mixCamera(reason: string): Promise<void> {
    const policy = this.policy.tracks.camera;
    this.emit('change', this.state);
    if (!this.#on || !policy) return;
    const { desk } = this.parts;
    const camera = desk.track('camera');
    const microphone = policy.audio ? desk.track('microphone') : null;
    const mix = `${camera?.id ?? '-'} ${microphone?.id ?? '-'}`;
    if (this.#recorders.camera?.recording && mix === this.#cameraMix) return;
    await this.#stop('camera', reason);
    this.#cameraMix = mix;
    if (!camera && !microphone) return;
    const tracks: MediaStreamTrack[] = [];
    if (camera) {
      await desk.sizeForRecording();
      this.#plate?.stop();
      this.#plate = null;
      tracks.push(camera);
    } else {
      this.#plate ??= platePicture(policy.width, policy.height, this.plateText);
      if (this.#plate) tracks.push(this.#plate.track);
    }
    if (microphone) {
      this.#silence?.stop();
      this.#silence = null;
      tracks.push(microphone);
    } else if (policy.audio) {
      this.#silence ??= await silence();
      if (this.#silence) tracks.push(this.#silence.track);
    }
    this.#record('camera', new MediaStream(tracks));
  }

  async #recordScreen(): Promise<void> {
    this.emit('change', this.state);
    const track = this.parts.screen.track;
    if (!this.#on || !this.policy.tracks.screen || !track) return;
    await this.#stop('screen', 'device_changed');
    this.#record('screen', new MediaStream([track]));
  }

  #record(track: TrackName, stream: MediaStream): void {
    const policy = this.policy.tracks[track];
    const type = recorderType(stream.getAudioTracks().length > 0);
    if (!policy || !type) return;
    const recorder = new TrackRecorder(
      {
        track,
        session: this.session,
        policy,
        type,
        chunkMs: this.policy.chunk_ms,
        stallMs: this.policy.recording_stall_ms,
      },
      this.parts.store,
      this.parts.clock,
      (chunk) => this.parts.uploader.keep(chunk),
      (end) => this.#ended(end),
    );
    try {
      recorder.start(stream);
      this.#recorders[track] = recorder;
    } catch {
      setTimeout(() => void this.#later(() => this.#restart(track)), RETRY_MS);
    }
  }

  async #stop(track: TrackName, reason: string): Promise<void> {
    const recorder = this.#recorders[track];
    delete this.#recorders[track];
    await recorder?.stop(reason);
    this.emit('change', this.state);
  }

  async #restart(track: TrackName): Promise<void> {
    if (track === 'camera') await this.#mixCamera('error');
    else await this.#recordScreen();
  }

  /** Nothing of a part can be played without its beginning: what follows gets a part of its own. */
  #beginAgain({ track, part }: ChunkMeta): void {
    void this.#later(async () => {
      if (this.#recorders[track]?.part !== part) return;
      await this.#stop(track, 'error');
      await this.#restart(track);
    });
  }

  #ended(end: PartEnd): void {
    const broke = end.reason === 'error' || end.reason === 'stalled';
    // A part that ended before its first chunk was never announced, so nobody needs to hear of its end.
    if (end.part !== null && (end.lastNumber !== null || broke)) {
      this.parts.queue.raise(
        'recordingStopped',
        {
          track: end.track,
          part: end.part,
          reason: end.reason,
          ...(end.lastNumber === null ? {} : { last_number: end.lastNumber }),
        },
        { at: end.at },
      );
    }
    const recorder = this.#recorders[end.track];
    if (
      this.#on &&
      recorder &&
      !recorder.recording &&
      (end.reason === 'error' || end.reason === 'track_ended')
    ) {
      // It stopped by itself: begin a new part from what is still there.
      setTimeout(() => {
        if (this.#on && this.#recorders[end.track] === recorder) {
          void this.#later(() => this.#restart(end.track));
        }
      }, RETRY_MS);
    }
  }

  /** One change at a time: a part is closed before the next one opens. */
  #later(work: () => Promise<void>): Promise<void> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }
}
