import { innerWindow } from './idle';

export type SurroundingsNews =
  | { kind: 'fullScreenExited' }
  | { kind: 'fullScreenEntered'; exitedMs: number | null }
  | { kind: 'clipboard'; action: 'copy' | 'cut' | 'paste'; length: number | null }
  | { kind: 'print' }
  | { kind: 'displays'; count: number | null }
  | { kind: 'resized'; width: number; height: number };

type ExtendedScreen = Screen & Partial<EventTarget> & { isExtended?: boolean };

const RESIZE_SETTLE_MS = 500;

/** Full screen, clipboard (never its text), print, further displays, window size. */
export class SurroundingsSensor {
  readonly #stops: (() => void)[] = [];
  #frameStops: (() => void)[] = [];
  #exitedAt: number | null = null;
  #wasFull = false;
  #extended = false;
  #resize: ReturnType<typeof setTimeout> | undefined;
  #size = '';

  constructor(
    private readonly pageNow: () => number,
    private readonly tell: (news: SurroundingsNews) => void,
  ) {}

  start(): void {
    this.#wasFull = document.fullscreenElement !== null;
    if (this.#wasFull) this.tell({ kind: 'fullScreenEntered', exitedMs: null });
    this.#size = `${innerWidth} ${innerHeight}`;
    this.#on(document, 'fullscreenchange', () => this.#fullScreen());
    this.#on(window, 'resize', () => {
      clearTimeout(this.#resize);
      this.#resize = setTimeout(() => this.#resized(), RESIZE_SETTLE_MS);
    });
    this.#stops.push(...this.#watchDocument(window));
    this.#displays();
    const display = screen as ExtendedScreen;
    if (typeof display.addEventListener === 'function') {
      this.#on(display as unknown as EventTarget, 'change', () => this.#displays());
    }
  }

  stop(): void {
    clearTimeout(this.#resize);
    for (const stop of [...this.#stops.splice(0), ...this.#frameStops.splice(0)]) stop();
  }

  /** The exam's frame; what happens in one of another origin stays unseen. */
  watchFrame(frame: HTMLIFrameElement | null): void {
    for (const stop of this.#frameStops.splice(0)) stop();
    const inner = frame ? innerWindow(frame) : null;
    if (inner) this.#frameStops = this.#watchDocument(inner);
  }

  #watchDocument(win: Window): (() => void)[] {
    const doc = win.document;
    const stops: (() => void)[] = [];
    const on = (target: EventTarget, kind: string, heard: (event: Event) => void) => {
      target.addEventListener(kind, heard, true);
      stops.push(() => target.removeEventListener(kind, heard, true));
    };
    for (const action of ['copy', 'cut', 'paste'] as const) {
      on(doc, action, (event) =>
        this.tell({ kind: 'clipboard', action, length: lengthOf(event as ClipboardEvent, win) }),
      );
    }
    on(win, 'beforeprint', () => this.tell({ kind: 'print' }));
    return stops;
  }

  #fullScreen(): void {
    const full = document.fullscreenElement !== null;
    if (full === this.#wasFull) return;
    this.#wasFull = full;
    const now = this.pageNow();
    if (full) {
      const exitedMs = this.#exitedAt === null ? null : Math.round(now - this.#exitedAt);
      this.#exitedAt = null;
      this.tell({ kind: 'fullScreenEntered', exitedMs });
    } else {
      this.#exitedAt = now;
      this.tell({ kind: 'fullScreenExited' });
    }
  }

  #resized(): void {
    const size = `${innerWidth} ${innerHeight}`;
    if (size === this.#size) return;
    this.#size = size;
    this.tell({ kind: 'resized', width: innerWidth, height: innerHeight });
  }

  #displays(): void {
    const extended = (screen as ExtendedScreen).isExtended === true;
    if (extended && !this.#extended) void this.#countDisplays();
    this.#extended = extended;
  }

  async #countDisplays(): Promise<void> {
    let count: number | null = null;
    try {
      const permission = await navigator.permissions.query({ name: 'window-management' as PermissionName });
      const details = (globalThis as { getScreenDetails?: () => Promise<{ screens: unknown[] }> })
        .getScreenDetails;
      if (permission.state === 'granted' && details) count = (await details()).screens.length;
    } catch {
      // The exact number needs a permission we do not ask for.
    }
    this.tell({ kind: 'displays', count });
  }

  #on(target: EventTarget, kind: string, heard: () => void): void {
    target.addEventListener(kind, heard);
    this.#stops.push(() => target.removeEventListener(kind, heard));
  }
}

/** How much text, never which. */
function lengthOf(event: ClipboardEvent, win: Window): number | null {
  if (event.type === 'paste') return event.clipboardData?.getData('text/plain').length ?? null;
  const field = win.document.activeElement;
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) {
    return Math.abs((field.selectionEnd ?? 0) - (field.selectionStart ?? 0));
  }
  return win.getSelection()?.toString().length ?? null;
}
