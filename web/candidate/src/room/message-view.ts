import { css, html, LitElement, nothing } from 'lit';
import { note, RoomElement } from './base';
import { size } from './figures';
import { frameStyles, pageHeader } from './frame';
import { icons } from './icons';
import { buttons, notes } from './styles';
import { words } from './words';

const centred = css`
  main {
    width: min(40rem, 100%);
    margin: clamp(0rem, 8vh, 5rem) auto auto;
    display: grid;
    gap: 1.25rem;
    justify-items: start;
  }
  .badge {
    display: grid;
    place-items: center;
    width: 3.5rem;
    height: 3.5rem;
    border-radius: 50%;
    background: var(--accent-soft);
    color: var(--accent);
  }
  .badge.good {
    background: var(--good-soft);
    color: var(--good);
  }
  .badge svg {
    width: 1.9rem;
    height: 1.9rem;
  }
  p.lead {
    font-size: 1.0625rem;
    color: var(--quiet);
  }
`;

/** One thing to say, and perhaps one thing to do. */
export class MessageView extends LitElement {
  static override properties = {
    organization: { type: String },
    exam: { type: String },
    heading: { type: String },
    text: { type: String },
    more: { type: String },
    action: { type: String },
    good: { type: Boolean },
    step: { type: String },
  };
  declare organization: string;
  declare exam: string;
  declare heading: string;
  declare text: string;
  declare more: string;
  declare action: string;
  declare good: boolean;
  declare step: string;

  static override styles = [...frameStyles, buttons, notes, centred];

  constructor() {
    super();
    this.organization = '';
    this.exam = '';
    this.heading = '';
    this.text = '';
    this.more = '';
    this.action = '';
    this.good = false;
    this.step = 'message';
  }

  override updated(changed: Map<string, unknown>): void {
    if (changed.has('heading')) this.renderRoot.querySelector('h1')?.focus({ preventScroll: true });
  }

  override render() {
    return html`<div class="page">
      ${pageHeader(this.organization || words.product, this.exam)}
      <main class="card" data-step=${this.step}>
        <span class="badge ${this.good ? 'good' : ''}">${this.good ? icons.check : icons.info}</span>
        <h1 tabindex="-1">${this.heading}</h1>
        <p class="lead">${this.text}</p>
        ${this.more ? html`<p>${this.more}</p>` : nothing}
        ${
          this.action
            ? html`<div class="actions">
              <button class="primary" @click=${this.#act}>${this.action}</button>
            </div>`
            : nothing
        }
        <slot></slot>
      </main>
    </div>`;
  }

  #act(): void {
    this.dispatchEvent(new CustomEvent('act', { bubbles: true, composed: true }));
  }
}
customElements.define('op-message', MessageView);

/** What is still on its way, for real, until all of it is in. */
export class FinishingView extends RoomElement {
  #most = 0;

  static override styles = [
    ...frameStyles,
    notes,
    centred,
    css`
      label {
        width: 100%;
        display: grid;
        gap: 0.5rem;
        font-weight: 600;
      }
      progress {
        width: 100%;
        height: 0.9rem;
        appearance: none;
        border: 1px solid var(--line-strong);
        border-radius: 999px;
        background: var(--raised);
        overflow: hidden;
      }
      progress::-webkit-progress-bar {
        background: var(--raised);
      }
      progress::-webkit-progress-value {
        background: var(--accent);
        transition: inline-size 300ms;
      }
      progress::-moz-progress-bar {
        background: var(--accent);
      }
      .left {
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  override firstUpdated(): void {
    this.focusHeading();
  }

  override render() {
    const { room, backlog, finishing, deadlineAt } = this.view;
    const w = words.finishing;
    const left = backlog.chunks + backlog.events;
    this.#most = Math.max(this.#most, left, 1);
    const unreachable = finishing?.reachable === false;
    const timeUp = deadlineAt !== null && this.session.now() >= deadlineAt;
    const state = left > 0 ? w.left(left, size(backlog.bytes)) : w.almost;
    return html`<div class="page">
      ${pageHeader(room.organization.name, room.exam.title)}
      <main class="card" data-step="finishing">
        <h1 tabindex="-1">${w.title}</h1>
        <p class="lead">${timeUp ? `${w.timeUp}. ` : ''}${w.what}</p>
        <label>
          ${w.progress}
          <progress max=${this.#most} .value=${this.#most - left}></progress>
        </label>
        <p class="left">${state}</p>
        <div class="region" role="status">${unreachable ? note('warn', w.offline.title, w.offline.what) : nothing}</div>
      </main>
    </div>`;
  }
}
customElements.define('op-finishing', FinishingView);
