import type { Clock } from '../clock';
import type { EventQueue } from '../queue';
import type { Policy } from '../types';
import { FocusSensor } from './focus';
import { IdleSensor } from './idle';
import { type SurroundingsNews, SurroundingsSensor } from './surroundings';

/** The sensors that run while the exam runs, and the events they raise. */
export class Sensors {
  readonly #focus: FocusSensor;
  readonly #surroundings: SurroundingsSensor;
  #idle: IdleSensor | null = null;
  #frame: HTMLIFrameElement | null = null;
  #on = false;

  constructor(
    private readonly policy: Policy,
    private readonly clock: Clock,
    private readonly queue: EventQueue,
    /** The page left full screen (true) or is back in it. */
    private readonly fullScreen: (left: boolean) => void,
  ) {
    const pageNow = () => clock.pageNow();
    this.#focus = new FocusSensor(policy.focus_debounce_ms, pageNow, (news) => {
      if (news.kind === 'out') queue.raise('focusOut', { reason: news.reason }, { pageAt: news.at });
      else queue.raise('focusIn', { away_ms: news.awayMs }, { pageAt: news.at });
    });
    this.#surroundings = new SurroundingsSensor(pageNow, (news) => this.#surrounding(news));
  }

  start(): void {
    if (this.#on) return;
    this.#on = true;
    this.#focus.start();
    this.#surroundings.start();
    const pageNow = () => this.clock.pageNow();
    this.#idle = new IdleSensor(this.policy.idle_ms, pageNow, (news) => {
      if (news.kind === 'idle')
        this.queue.raise('idle', { idle_after_ms: news.afterMs }, { pageAt: news.at });
      else this.queue.raise('active', { idle_ms: news.idleMs }, { pageAt: news.at });
    });
    this.#idle.start();
    this.watchFrame(this.#frame);
  }

  stop(): void {
    this.#on = false;
    this.#focus.stop();
    this.#surroundings.stop();
    this.#idle?.stop();
    this.#idle = null;
  }

  watchFrame(frame: HTMLIFrameElement | null): void {
    this.#frame = frame;
    if (!this.#on) return;
    this.#idle?.watchFrame(frame);
    this.#surroundings.watchFrame(frame);
  }

  /** A prompt of our own takes focus while this runs; that is not leaving the window. */
  during<T>(prompt: Promise<T>): Promise<T> {
    return this.#on ? this.#focus.during(prompt) : prompt;
  }

  #surrounding(news: SurroundingsNews): void {
    const { queue } = this;
    switch (news.kind) {
      case 'fullScreenExited':
        queue.raise('fullScreenExited', {});
        this.fullScreen(true);
        break;
      case 'fullScreenEntered':
        queue.raise('fullScreenEntered', news.exitedMs === null ? {} : { exited_ms: news.exitedMs });
        this.fullScreen(false);
        break;
      case 'clipboard':
        queue.raise('clipboardUsed', {
          action: news.action,
          ...(news.length === null ? {} : { length: news.length }),
        });
        break;
      case 'print':
        queue.raise('printAttempted', {});
        break;
      case 'displays':
        queue.raise('additionalDisplay', news.count === null ? {} : { count: news.count });
        break;
      case 'resized':
        queue.raise('windowResized', { width: news.width, height: news.height });
        break;
    }
  }
}
