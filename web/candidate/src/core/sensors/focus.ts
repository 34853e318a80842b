/** What the browser shows of attention at one moment. */
export interface FocusLook {
  /** `document.hasFocus()`: true also while focus is inside the exam's own frame, of whatever origin. */
  focused: boolean;
  hidden: boolean;
}

export type FocusNews =
  | { kind: 'out'; reason: 'blur' | 'hidden'; at: number }
  | { kind: 'in'; awayMs: number; at: number };

/**
 * Decides when the exam window was really left. A blur alone says little: focus also leaves our window's own elements
 * when the candidate clicks into the exam's frame. What counts is that neither the page nor its frame has focus, for
 * longer than the debounce.
 */
export class FocusJudge {
  #awaySince: number | null = null;
  #reported = false;
  #paused = 0;

  constructor(private readonly debounceMs: number) {}

  /** Takes a look; returns what has to be raised now, if anything. `at` is page time, ms. */
  look({ focused, hidden }: FocusLook, at: number): FocusNews | null {
    const here = focused && !hidden;
    if (this.#paused > 0) return null;
    if (here) {
      const since = this.#awaySince;
      this.#awaySince = null;
      if (!this.#reported || since === null) return null;
      this.#reported = false;
      return { kind: 'in', awayMs: Math.max(0, Math.round(at - since)), at };
    }
    this.#awaySince ??= at;
    if (this.#reported || at - this.#awaySince < this.debounceMs) return null;
    this.#reported = true;
    return { kind: 'out', reason: hidden ? 'hidden' : 'blur', at: this.#awaySince };
  }

  /** How long until a look would report, or null when nothing is pending. */
  dueIn(at: number): number | null {
    if (this.#awaySince === null || this.#reported || this.#paused > 0) return null;
    return Math.max(0, this.#awaySince + this.debounceMs - at);
  }

  /** A prompt of our own (screen share, permission) is about to take focus. Returns the function that ends it. */
  pause(): () => void {
    this.#paused += 1;
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.#paused -= 1;
      if (!this.#reported) this.#awaySince = null;
    };
  }
}

interface FocusPage {
  window: Window;
  document: Document;
}

/** Watches the window and tells what the judge decides. */
export class FocusSensor {
  readonly #judge: FocusJudge;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;
  readonly #stops: (() => void)[] = [];

  constructor(
    debounceMs: number,
    private readonly pageNow: () => number,
    private readonly tell: (news: FocusNews) => void,
    private readonly page: FocusPage = { window, document },
  ) {
    this.#judge = new FocusJudge(debounceMs);
  }

  start(): void {
    const { window: win, document: doc } = this.page;
    const look = () => this.look();
    for (const [target, kinds] of [
      [win, ['blur', 'focus', 'pageshow', 'pagehide']],
      [doc, ['visibilitychange']],
    ] as const) {
      for (const kind of kinds) {
        target.addEventListener(kind, look);
        this.#stops.push(() => target.removeEventListener(kind, look));
      }
    }
    // From inside a frame no blur reaches us when the window is left, nor a focus when it is re-entered: look regularly.
    this.#poll = setInterval(look, 250);
    this.look();
  }

  stop(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** Our own prompt takes focus while this runs. */
  async during<T>(prompt: Promise<T>): Promise<T> {
    const resume = this.#judge.pause();
    try {
      return await prompt;
    } finally {
      // The window gets its focus back a moment after the prompt has closed.
      setTimeout(() => {
        resume();
        this.look();
      }, 700);
    }
  }

  look(): void {
    const at = this.pageNow();
    const { document: doc } = this.page;
    const news = this.#judge.look({ focused: doc.hasFocus(), hidden: doc.hidden }, at);
    if (news) this.tell(news);
    const due = this.#judge.dueIn(at);
    clearTimeout(this.#timer);
    if (due !== null) this.#timer = setTimeout(() => this.look(), due + 1);
  }
}
