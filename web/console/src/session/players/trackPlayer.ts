/** One track in one <video>: loads its playlist with hls.js, and does what the steering rule says. */

import workerUrl from 'hls.js/dist/hls.worker.js?url';
import Hls, { type ErrorData, type HlsConfig } from 'hls.js/light';
import type { Span } from '../../api/types';
import { nextRecording, positionAt } from './spans';
import { STEP_S, type Steering, steer } from './steering';

export type TrackHealth = 'empty' | 'loading' | 'ready' | 'failed';

/** A picture that does not come within this does not hold up the other tracks any longer. */
const PATIENCE_MS = 6_000;
const MOST_RELOADS = 4;
const EXPIRED = new Set([401, 403, 404, 410]);

const CONFIG: Partial<HlsConfig> = {
  workerPath: workerUrl,
  autoStartLoad: false,
  maxBufferLength: 40,
  maxMaxBufferLength: 120,
  backBufferLength: 60,
  startFragPrefetch: true,
};

interface Listener {
  changed: () => void;
  soundRefused: () => void;
}

export class TrackPlayer {
  readonly track: string;
  health: TrackHealth = 'empty';
  spans: readonly Span[] = [];
  private video: HTMLVideoElement | null = null;
  private hls: Hls | null = null;
  private playlist: string | null = null;
  private waitingSince: number | null = null;
  private pausedTarget: number | null = null;
  private reloads = 0;
  private reloading: number | null = null;
  /** The wall time last asked for. */
  private at = 0;
  private loudness = 0;
  private readonly tell: Listener;
  private readonly abort = new AbortController();

  constructor(track: string, tell: Listener) {
    this.track = track;
    this.tell = tell;
  }

  attach(video: HTMLVideoElement): void {
    if (this.video === video) return;
    this.video = video;
    for (const name of ['loadeddata', 'seeked', 'canplay', 'stalled', 'emptied']) {
      video.addEventListener(name, this.tell.changed, { signal: this.abort.signal });
    }
    this.setSound(this.loudness);
    this.hls?.attachMedia(video);
  }

  /** From 0, silent, to 1. */
  setSound(loudness: number): void {
    this.loudness = loudness;
    if (!this.video) return;
    this.video.muted = loudness === 0;
    this.video.volume = loudness;
  }

  /** `playlist` null while nothing was recorded yet; `at` is the wall time to begin loading at. */
  load(playlist: string | null, at: number): void {
    if (playlist === this.playlist) return;
    this.playlist = playlist;
    this.reloads = 0;
    this.at = at;
    this.begin();
  }

  private begin(): void {
    this.hls?.destroy();
    this.hls = null;
    this.pausedTarget = null;
    if (this.playlist === null) {
      this.setHealth('empty');
      return;
    }
    if (!Hls.isSupported()) {
      this.setHealth('failed');
      return;
    }
    this.setHealth('loading');
    const hls = new Hls({ ...CONFIG });
    this.hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, () => hls.startLoad(this.positionFrom(this.at)));
    hls.on(Hls.Events.FRAG_BUFFERED, () => {
      this.reloads = 0;
      if (this.health !== 'ready') this.setHealth('ready');
    });
    hls.on(Hls.Events.ERROR, (_, error) => this.onError(hls, error));
    hls.loadSource(this.playlist);
    if (this.video) hls.attachMedia(this.video);
  }

  /** Where to begin loading for a wall time; in a gap that is where the recording goes on. */
  private positionFrom(at: number): number {
    const next = nextRecording([this.spans], at);
    return (next === null ? null : positionAt(this.spans, next)) ?? 0;
  }

  /** Links of segments are short-lived: what was refused is asked for again through a fresh playlist. */
  private onError(hls: Hls, error: ErrorData): void {
    if (!error.fatal && !EXPIRED.has(error.response?.code ?? 0)) return;
    if (this.hls !== hls || this.reloading !== null) return;
    if (this.reloads >= MOST_RELOADS) {
      hls.stopLoad();
      this.setHealth('failed');
      return;
    }
    this.reloads += 1;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
      return;
    }
    hls.stopLoad();
    this.reloading = window.setTimeout(
      () => {
        this.reloading = null;
        if (this.hls === hls) this.begin();
      },
      250 * 2 ** this.reloads,
    );
  }

  /** Tries again after it gave up. */
  retry(): void {
    this.reloads = 0;
    this.begin();
  }

  private setHealth(health: TrackHealth): void {
    this.health = health;
    this.tell.changed();
  }

  /** Goes to a wall time at once, also when an earlier jump is still under way. */
  jump(at: number): void {
    this.at = at;
    const target = positionAt(this.spans, at);
    if (!this.video || this.video.readyState < 1 || target === null) return;
    if (Math.abs(this.video.currentTime - target) < 0.001) return;
    this.video.currentTime = target;
    this.pausedTarget = target;
  }

  /** What has to be done for the wall time `at`. */
  advise(at: number, playing: boolean, rate: number, leader: boolean): Steering {
    this.at = at;
    const video = this.video;
    const target = positionAt(this.spans, at);
    if (target === null || this.health === 'empty') return { do: 'nothing-recorded' };
    if (!video || video.readyState < 1) return { do: 'wait' };
    return steer({
      target,
      current: video.currentTime,
      seeking: video.seeking,
      ready: video.readyState >= 3 || (!playing && video.readyState >= 2) || this.atEnd(video),
      playing,
      rate,
      leader,
    });
  }

  /** Behind the last picture readyState stays low for good; that is not worth waiting for. */
  private atEnd(video: HTMLVideoElement): boolean {
    return video.ended || (Number.isFinite(video.duration) && video.duration - video.currentTime < 0.25);
  }

  /** Does it; with `hold` the player stands still while another track is waiting. Returns whether it makes others wait. */
  apply(steering: Steering, options: { playing: boolean; hold: boolean; now: number }): boolean {
    const video = this.video;
    if (!video) return false;
    const waits = steering.do === 'wait' || steering.do === 'seek';
    if (!waits) this.waitingSince = null;
    else this.waitingSince ??= options.now;
    if (steering.do === 'seek') {
      // While paused one jump to a place is enough: a player that lands beside it will land there again.
      const again =
        !options.playing &&
        this.pausedTarget !== null &&
        Math.abs(this.pausedTarget - steering.to) < STEP_S / 2;
      if (!again) {
        video.currentTime = steering.to;
        this.pausedTarget = steering.to;
      }
    }
    const run = options.playing && !options.hold && steering.do === 'run';
    if (run) {
      this.pausedTarget = null;
      const rate = Math.round(steering.rate * 50) / 50;
      if (video.playbackRate !== rate) video.playbackRate = rate;
      if (video.paused && !video.ended) void this.play(video);
    } else if (!video.paused && (steering.do !== 'wait' || options.hold || !options.playing)) {
      video.pause();
    }
    return (
      waits && this.health !== 'failed' && options.now - (this.waitingSince ?? options.now) < PATIENCE_MS
    );
  }

  private async play(video: HTMLVideoElement): Promise<void> {
    try {
      await video.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError' && !video.muted)
        this.tell.soundRefused();
    }
  }

  get waiting(): boolean {
    return this.waitingSince !== null;
  }

  destroy(): void {
    this.abort.abort();
    if (this.reloading !== null) window.clearTimeout(this.reloading);
    this.hls?.destroy();
    this.hls = null;
    this.video = null;
  }
}
