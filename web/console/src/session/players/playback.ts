/** The common clock of all players of a session, in wall time. Not React: it ticks with every frame. */

import type { Span } from '../../api/types';
import type { Range } from '../timeline/viewport';
import { lastRecorded, nextRecording, positionAt } from './spans';
import { nextSpeed } from './steering';
import { type TrackHealth, TrackPlayer } from './trackPlayer';

export interface PlaybackState {
  playing: boolean;
  rate: number;
  /** Held up: a picture is being loaded. */
  waiting: boolean;
  /** Stays at the newest picture of a running session. */
  following: boolean;
  muted: boolean;
  volume: number;
  health: Readonly<Record<string, TrackHealth>>;
}

/** How far behind the newest recording live playing stays, so that it does not stop for every chunk. */
const LIVE_MARGIN_MS = 3_000;
/** Live playing that fell behind by more than its margin and this catches up a little faster than life. */
const CATCH_UP_MS = 2_500;
const CATCH_UP_RATE = 1.15;
const TOO_FAR_BEHIND_MS = 15_000;
/** A track that is this far behind the newest one has stopped, and is not waited for. */
const STOPPED_MS = 10_000;

export class Playback {
  at: number;
  private bounds: Range = { from: 0, until: 0 };
  private live = false;
  private readonly tracks = new Map<string, TrackPlayer>();
  private readonly watchers = new Set<() => void>();
  private readonly tickers = new Set<(at: number) => void>();
  private frame = 0;
  private last = 0;
  private held = false;
  private state: PlaybackState = {
    playing: false,
    rate: 1,
    waiting: false,
    following: false,
    muted: false,
    volume: 1,
    health: {},
  };
  /** The track whose sound is heard; all others are silent. */
  private soundTrack: string | null = null;

  constructor(at: number) {
    this.at = at;
  }

  /** For useSyncExternalStore: play state and health, not the time. */
  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
  readonly snapshot = (): PlaybackState => this.state;

  /** Calls back whenever the time moves, up to once a frame. */
  readonly onTick = (ticker: (at: number) => void): (() => void) => {
    this.tickers.add(ticker);
    return () => this.tickers.delete(ticker);
  };

  private set(change: Partial<PlaybackState>): void {
    const next = { ...this.state, ...change };
    const keys = Object.keys(change) as (keyof PlaybackState)[];
    if (keys.every((key) => next[key] === this.state[key])) return;
    this.state = next;
    for (const watcher of this.watchers) watcher();
  }

  player(track: string): TrackPlayer {
    let player = this.tracks.get(track);
    if (!player) {
      player = new TrackPlayer(track, {
        changed: () => this.onPlayerChange(),
        // Browsers refuse sound before the first click on the page.
        soundRefused: () => this.setSound({ muted: true }),
      });
      player.setSound(this.loudness(track));
      this.tracks.set(track, player);
    }
    return player;
  }

  private onPlayerChange(): void {
    const health: Record<string, TrackHealth> = {};
    let different = false;
    for (const [track, player] of this.tracks) {
      health[track] = player.health;
      different ||= this.state.health[track] !== player.health;
    }
    if (different) this.set({ health });
    if (!this.state.playing) this.settle();
  }

  setSoundTrack(track: string | null): void {
    this.soundTrack = track;
    this.applySound();
  }

  setSound(sound: Partial<Pick<PlaybackState, 'muted' | 'volume'>>): void {
    this.set(sound);
    this.applySound();
  }

  private loudness(track: string): number {
    return track === this.soundTrack && !this.state.muted ? this.state.volume : 0;
  }

  private applySound(): void {
    for (const [track, player] of this.tracks) player.setSound(this.loudness(track));
  }

  setBounds(bounds: Range, live: boolean): void {
    this.bounds = bounds;
    this.live = live;
    if (!live && this.state.following) this.set({ following: false });
  }

  setSpans(track: string, spans: readonly Span[]): void {
    this.player(track).spans = spans;
    if (!this.state.playing) this.settle();
  }

  /** The newest moment that every track still recording has reached; null before anything was recorded. */
  liveEdge(): number | null {
    const ends = [...this.tracks.values()]
      .map((player) => lastRecorded(player.spans))
      .filter((end) => end !== null);
    if (ends.length === 0) return null;
    const newest = Math.max(...ends);
    return Math.min(...ends.filter((end) => newest - end < STOPPED_MS));
  }

  /** While scrubbing, a player finishes one jump before it takes the next. */
  seek(at: number, options: { scrubbing?: boolean } = {}): void {
    this.at = Math.min(Math.max(at, this.bounds.from), this.bounds.until);
    this.set({ following: false });
    this.held = false;
    if (!options.scrubbing) for (const player of this.tracks.values()) player.jump(this.at);
    this.settle();
    this.tick();
  }

  skip(ms: number): void {
    this.seek(this.at + ms);
  }

  /** One picture on or back; the clock stands still afterwards. */
  step(direction: 1 | -1, framesPerSecond: number): void {
    this.pause();
    this.seek(this.at + (direction * 1000) / framesPerSecond);
  }

  play(): void {
    if (this.state.playing) return;
    if (!this.live && this.at >= this.bounds.until - 50) this.at = this.bounds.from;
    this.set({ playing: true });
    this.last = performance.now();
    this.frame = requestAnimationFrame(this.run);
  }

  pause(): void {
    if (!this.state.playing) return;
    cancelAnimationFrame(this.frame);
    this.set({ playing: false, following: false, waiting: false });
    this.held = false;
    this.settle();
  }

  toggle(): void {
    if (this.state.playing) this.pause();
    else this.play();
  }

  setRate(rate: number): void {
    this.set({ rate });
  }

  changeSpeed(direction: 1 | -1): void {
    this.setRate(nextSpeed(this.state.rate, direction));
  }

  jumpToLive(): void {
    const edge = this.liveEdge();
    this.seek(edge === null ? this.bounds.until : edge - LIVE_MARGIN_MS);
    this.set({ rate: 1, following: true });
    this.play();
  }

  /** Over a stretch without any recording to where one goes on. */
  skipGap(): void {
    const next = this.nextRecording();
    if (next !== null) this.seek(next);
  }

  nextRecording(): number | null {
    return nextRecording(
      [...this.tracks.values()].map((player) => player.spans),
      this.at,
    );
  }

  hasRecording(track: string): boolean {
    const player = this.tracks.get(track);
    return player !== undefined && positionAt(player.spans, this.at) !== null;
  }

  private readonly run = (now: number): void => {
    if (!this.state.playing) return;
    this.frame = requestAnimationFrame(this.run);
    const passed = Math.max(0, now - this.last);
    this.last = now;
    if (!this.held) this.at += passed * this.pace();
    this.stayInside();
    if (!this.state.playing) return;
    this.steerAll(now);
    this.tick();
  };

  /** The speed at this moment: what was chosen, or a little more to catch up with a running session. */
  private pace(): number {
    const { rate, following } = this.state;
    if (!following || !this.live) return rate;
    const behind = (this.liveEdge() ?? this.at) - this.at;
    return behind > LIVE_MARGIN_MS + CATCH_UP_MS ? CATCH_UP_RATE : rate;
  }

  private stayInside(): void {
    if (!this.live) {
      if (this.at >= this.bounds.until) {
        this.at = this.bounds.until;
        this.pause();
      }
      return;
    }
    const edge = this.liveEdge() ?? this.bounds.until;
    if (this.state.following && edge - this.at > TOO_FAR_BEHIND_MS) this.at = edge - LIVE_MARGIN_MS;
    const limit = this.at > edge + STOPPED_MS ? this.bounds.until : edge - 50;
    if (this.at > limit) {
      this.at = limit;
      this.set({ rate: 1, following: true });
    }
  }

  private steerAll(now: number): void {
    const { playing } = this.state;
    const rate = this.pace();
    const players = [...this.tracks.values()];
    let leaderFound = false;
    const advice = players.map((player) => {
      const leader = !leaderFound && player.health !== 'failed' && positionAt(player.spans, this.at) !== null;
      leaderFound ||= leader;
      return player.advise(this.at, playing, rate, leader);
    });
    const hold = this.held;
    let waits = false;
    for (const [i, player] of players.entries()) {
      const steering = advice[i];
      if (!steering) continue;
      // One that waits has to run to load; the others stand still until it is there.
      const makesWait = player.apply(steering, { playing, hold: hold && steering.do === 'run', now });
      waits ||= makesWait;
      if (steering.do === 'run' && steering.nudge !== 0 && !hold) this.at += steering.nudge * 1000;
    }
    this.held = waits;
    this.set({ waiting: waits });
  }

  /** While paused: brings every picture to the clock's time, once. */
  private settle(): void {
    const now = performance.now();
    for (const player of this.tracks.values()) {
      player.apply(player.advise(this.at, false, this.state.rate, false), {
        playing: false,
        hold: false,
        now,
      });
    }
  }

  private tick(): void {
    for (const ticker of this.tickers) ticker(this.at);
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    for (const player of this.tracks.values()) player.destroy();
    this.tracks.clear();
  }
}
