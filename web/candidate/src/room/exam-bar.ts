import { css, html, nothing } from 'lit';
import { RoomElement } from './base';
import { clockText } from './figures';
import { icons } from './icons';
import { base, buttons } from './styles';
import { words } from './words';

/** Spoken when so many minutes are left, and at no other time. */
const SPOKEN_MINUTES = [30, 10, 5, 1];
/** A piece or two under way is the normal state of things, not a backlog. */
const BACKLOG_FROM = 6;

/** The slim bar over the exam: what is recorded, the line, the time, help, finish. */
export class ExamBar extends RoomElement {
  static override properties = {
    selfView: { type: Boolean },
    left: { state: true },
    spoken: { state: true },
  };
  declare selfView: boolean;
  declare left: number | null;
  declare spoken: string;
  #timer: ReturnType<typeof setInterval> | undefined;

  static override styles = [
    base,
    buttons,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.35rem 1.25rem;
        padding: 0.4rem 0.9rem;
        background: var(--surface);
        border-bottom: 1px solid var(--line);
        min-height: 3.25rem;
        font-size: 0.9375rem;
      }
      .title {
        font-weight: 650;
        max-width: 16rem;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .item {
        display: inline-flex;
        align-items: center;
        gap: 0.45rem;
        white-space: nowrap;
      }
      .item svg {
        width: 1.15rem;
        height: 1.15rem;
        flex: none;
      }
      .dot {
        width: 0.7rem;
        height: 0.7rem;
        border-radius: 50%;
        background: var(--live);
        animation: breathe 2.4s ease-in-out infinite;
      }
      .dot.off {
        background: var(--line-strong);
        animation: none;
      }
      @keyframes breathe {
        50% {
          opacity: 0.35;
        }
      }
      .sources svg {
        color: var(--quiet);
      }
      .sources .lost {
        color: var(--bad);
        position: relative;
        display: inline-flex;
      }
      .sources .lost svg {
        color: var(--bad);
      }
      .sources .lost::after {
        content: "";
        position: absolute;
        inset: 45% -2px auto;
        border-top: 2px solid var(--bad);
        transform: rotate(-38deg);
      }
      [data-state="online"] svg {
        color: var(--good);
      }
      [data-state="reconnecting"] {
        color: var(--warn);
        font-weight: 600;
      }
      [data-state="backlog"] svg {
        color: var(--warn);
      }
      .time {
        font-variant-numeric: tabular-nums;
        font-weight: 650;
      }
      .time.short {
        color: var(--bad);
      }
      .buttons {
        margin-inline-start: auto;
        display: flex;
        gap: 0.5rem;
      }
      .buttons button {
        min-height: 2.5rem;
        padding: 0.35rem 0.9rem;
        display: inline-flex;
        gap: 0.4rem;
        align-items: center;
      }
      .buttons svg {
        width: 1.15rem;
        height: 1.15rem;
      }
      button[aria-pressed="true"] {
        background: var(--accent-soft);
        border-color: var(--accent);
        color: var(--accent);
      }
      @media (max-width: 1020px) {
        .title {
          display: none;
        }
      }
      @media (max-width: 640px) {
        .bar {
          gap: 0.3rem 0.8rem;
          padding: 0.4rem 0.6rem;
          font-size: 0.875rem;
        }
        .item.time {
          order: -1;
        }
        .buttons {
          width: 100%;
          order: 9;
        }
        .buttons button {
          flex: 1 1 auto;
          justify-content: center;
          padding-inline: 0.5rem;
          white-space: nowrap;
        }
        .sources .word {
          display: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.selfView = false;
    this.left = null;
    this.spoken = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = setInterval(() => this.#tick(), 500);
    this.#tick();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  override render() {
    const w = words.exam;
    return html`<header class="bar" aria-label=${w.bar}>
      <span class="title">${this.view.room.exam.title}</span>
      ${this.#sources()} ${this.#line()}
      ${
        this.left === null
          ? nothing
          : html`<span class="item time ${this.left < 300_000 ? 'short' : ''}" role="timer" aria-label=${w.timeLeft}
            >${icons.clock}<span>${clockText(this.left)}</span></span
          >`
      }
      <span class="hidden-visually" role="status">${this.spoken}</span>
      <div class="buttons">
        <button aria-pressed=${this.selfView} @click=${() => this.#tell('toggle-self')}>
          ${icons.person}<span>${w.selfView}</span>
        </button>
        <button @click=${() => this.#tell('open-help')}>${icons.help}<span>${w.help}</span></button>
        <button class="primary" @click=${() => this.#tell('ask-finish')}>${w.finish}</button>
      </div>
    </header>`;
  }

  #sources() {
    const w = words.exam;
    const { recording } = this.view;
    const kinds = (['camera', 'microphone', 'screen'] as const).filter((kind) => recording[kind] !== 'off');
    const live = kinds.filter((kind) => recording[kind] === 'live');
    const said = live.length > 0 ? w.recordingList(live.map((kind) => w.sources[kind])) : w.recordingNothing;
    return html`<span class="item sources">
      <span class="dot ${live.length > 0 ? '' : 'off'}"></span>
      <span class="word" aria-hidden="true">${live.length > 0 ? w.recording : w.recordingNothing}</span>
      <span class="hidden-visually">${said}</span>
      ${kinds.map((kind) => html`<span class=${recording[kind]} aria-hidden="true">${icons[kind]}</span>`)}
    </span>`;
  }

  #line() {
    const w = words.exam.line;
    const { line, backlog } = this.view;
    const pieces = backlog.chunks;
    const state = line === 'reconnecting' ? 'reconnecting' : pieces >= BACKLOG_FROM ? 'backlog' : 'online';
    const text = state === 'backlog' ? w.backlog(pieces) : w[state];
    return html`<span class="item" data-state=${state}>
      ${icons.line}<span>${text}</span>
      <span class="hidden-visually" role="status">${state === 'backlog' ? '' : text}</span>
    </span>`;
  }

  #tick(): void {
    const { deadlineAt } = this.view;
    const left = deadlineAt === null ? null : Math.max(0, deadlineAt - this.session.now());
    if (left !== null) this.#speak(left);
    this.left = left === null ? null : Math.ceil(left / 1_000) * 1_000;
  }

  #speak(left: number): void {
    const before = this.left;
    if (before === null) return;
    const crossed = SPOKEN_MINUTES.find((minutes) => before > minutes * 60_000 && left <= minutes * 60_000);
    if (crossed !== undefined) this.spoken = words.exam.minutesLeft(crossed);
  }

  #tell(kind: string): void {
    this.dispatchEvent(new CustomEvent(kind, { bubbles: true, composed: true }));
  }
}
customElements.define('op-exam-bar', ExamBar);
