export type IdleNews =
  | { kind: 'idle'; afterMs: number; at: number }
  | { kind: 'active'; idleMs: number; at: number };

/**
 * Decides when nobody has used keyboard, pointer, touch or wheel for the policy's time. While what the candidate does
 * cannot be seen (focus inside an exam frame of another origin), time does not count: nobody is called idle while typing
 * where we may not look.
 */
export class IdleJudge {
  #lastInput: number;
  #blindSince: number | null = null;
  #idle = false;

  constructor(
    private readonly limitMs: number,
    now: number,
  ) {
    this.#lastInput = now;
  }

  /** Something was typed, moved, touched or scrolled. */
  input(at: number): IdleNews | null {
    const idleMs = Math.round(at - this.#lastInput);
    this.#lastInput = at;
    if (!this.#idle) return null;
    this.#idle = false;
    return { kind: 'active', idleMs, at };
  }

  /** From now on input cannot be seen (true), or can again (false). */
  blind(unseen: boolean, at: number): IdleNews | null {
    if (unseen && this.#blindSince === null) {
      this.#blindSince = at;
      // Focus moved into the frame: that was an input.
      return this.input(at);
    }
    if (!unseen && this.#blindSince !== null) {
      this.#blindSince = null;
      return this.input(at);
    }
    return null;
  }

  look(at: number): IdleNews | null {
    if (this.#idle || this.#blindSince !== null) return null;
    if (at - this.#lastInput < this.limitMs) return null;
    this.#idle = true;
    return { kind: 'idle', afterMs: this.limitMs, at: this.#lastInput + this.limitMs };
  }
}

const INPUTS = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart', 'scroll'] as const;

interface IdleDetectorLike extends EventTarget {
  userState: 'active' | 'idle' | null;
  start(options: { threshold: number; signal: AbortSignal }): Promise<void>;
}

/** Listens in our page, in the exam's frame where it is of our own origin, and else suspends the rule inside it. */
export class IdleSensor {
  readonly #judge: IdleJudge;
  readonly #stops: (() => void)[] = [];
  #poll: ReturnType<typeof setInterval> | undefined;
  #frame: HTMLIFrameElement | null = null;
  #frameStops: (() => void)[] = [];
  #detector: IdleDetectorLike | null = null;

  constructor(
    private readonly limitMs: number,
    private readonly pageNow: () => number,
    private readonly tell: (news: IdleNews) => void,
  ) {
    this.#judge = new IdleJudge(limitMs, pageNow());
  }

  start(): void {
    this.#stops.push(this.#listen(window));
    this.#poll = setInterval(() => this.tick(), 1_000);
    void this.#useDetector();
  }

  stop(): void {
    clearInterval(this.#poll);
    for (const stop of [...this.#stops.splice(0), ...this.#frameStops.splice(0)]) stop();
  }

  /** The exam's frame; call again after each of its loads. */
  watchFrame(frame: HTMLIFrameElement | null): void {
    for (const stop of this.#frameStops.splice(0)) stop();
    this.#frame = frame;
    const inner = frame ? innerWindow(frame) : null;
    if (inner) this.#frameStops.push(this.#listen(inner));
  }

  tick(): void {
    const at = this.pageNow();
    this.#report(this.#judge.blind(this.#cannotSee(), at));
    this.#report(this.#judge.look(at));
  }

  #cannotSee(): boolean {
    const frame = this.#frame;
    if (!frame || innerWindow(frame)) return false;
    if (deepActiveElement() !== frame || !document.hasFocus()) return false;
    // Where the candidate has granted it, the system itself tells whether anybody is there.
    return this.#detector?.userState !== 'idle';
  }

  #listen(target: Window): () => void {
    let place = '';
    const heard = (event: Event) => {
      if (event.type === 'pointermove') {
        // Browsers also send moves of a resting pointer, when the page changes under it.
        const { screenX, screenY } = event as PointerEvent;
        const now = `${screenX} ${screenY}`;
        if (now === place) return;
        place = now;
      }
      this.#report(this.#judge.input(this.pageNow()));
    };
    const options = { capture: true, passive: true };
    for (const kind of INPUTS) target.addEventListener(kind, heard, options);
    return () => {
      for (const kind of INPUTS) target.removeEventListener(kind, heard, options);
    };
  }

  #report(news: IdleNews | null): void {
    if (news) this.tell(news);
  }

  async #useDetector(): Promise<void> {
    const Detector = (globalThis as { IdleDetector?: new () => IdleDetectorLike }).IdleDetector;
    if (!Detector || this.limitMs < 60_000) return;
    try {
      const permission = await navigator.permissions.query({ name: 'idle-detection' as PermissionName });
      if (permission.state !== 'granted') return;
      const abort = new AbortController();
      const detector = new Detector();
      await detector.start({ threshold: this.limitMs, signal: abort.signal });
      this.#detector = detector;
      this.#stops.push(() => abort.abort());
    } catch {
      // Not known here, or not allowed: the rule stays suspended inside foreign frames.
    }
  }
}

/** The window inside a frame, when it is of our own origin. */
export function innerWindow(frame: HTMLIFrameElement): Window | null {
  try {
    const inner = frame.contentWindow;
    // Reading the document of a foreign origin throws or gives null.
    return inner?.document ? inner : null;
  } catch {
    return null;
  }
}

export function deepActiveElement(): Element | null {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active;
}
