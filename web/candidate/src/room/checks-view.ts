import { css, html, nothing, type PropertyValues } from 'lit';
import type { CheckId } from '../core/types';
import { RoomElement } from './base';
import { frameStyles, pageHeader } from './frame';
import { icons } from './icons';
import './step-browser';
import './step-camera';
import './step-consent';
import './step-microphone';
import './step-notifications';
import './step-ready';
import './step-room';
import './step-screen';
import './step-still';
import { words } from './words';

type StepId = CheckId | 'ready';

/** The steps before the exam: where one stands, and the step itself. */
export class ChecksView extends RoomElement {
  static override properties = { step: { state: true } };
  declare step: StepId;
  readonly #narrow = matchMedia('(max-width: 860px)');
  readonly #resized = () => this.requestUpdate();

  static override styles = [
    ...frameStyles,
    css`
      .grid {
        display: grid;
        grid-template-columns: 17rem minmax(0, 46rem);
        gap: clamp(1.5rem, 4vw, 3.5rem);
        justify-content: center;
        align-items: start;
        align-content: start;
        padding: clamp(1.25rem, 4vw, 3rem) clamp(1rem, 3vw, 2rem);
      }
      nav {
        position: sticky;
        top: 2rem;
      }
      nav > p {
        font-size: 0.875rem;
        color: var(--quiet);
        font-weight: 600;
        margin-bottom: 0.75rem;
      }
      ol {
        list-style: none;
        padding: 0;
        display: grid;
        gap: 0.25rem;
      }
      li {
        display: grid;
        grid-template-columns: 1.75rem 1fr;
        gap: 0.75rem;
        align-items: center;
        padding: 0.45rem 0.6rem;
        border-radius: 10px;
        color: var(--quiet);
      }
      .dot {
        display: grid;
        place-items: center;
        width: 1.75rem;
        height: 1.75rem;
        border-radius: 50%;
        border: 1.5px solid var(--line-strong);
        font-size: 0.875rem;
        font-weight: 650;
        background: var(--surface);
      }
      .dot svg {
        width: 1.05rem;
        height: 1.05rem;
        stroke-width: 3;
      }
      li.done .dot {
        background: var(--good);
        border-color: var(--good);
        color: var(--surface);
      }
      li[aria-current] {
        background: var(--accent-soft);
        color: var(--text);
        font-weight: 650;
      }
      li[aria-current] .dot {
        background: var(--accent);
        border-color: var(--accent);
        color: var(--on-accent);
      }
      @media (max-width: 860px) {
        .grid {
          grid-template-columns: minmax(0, 1fr);
          gap: 0.75rem;
          padding: 0.9rem 0 0;
        }
        nav {
          position: static;
          padding-inline: 1rem;
        }
        nav > p {
          margin-bottom: 0.5rem;
        }
        ol {
          grid-auto-flow: column;
          grid-auto-columns: 1fr;
          gap: 0.3rem;
        }
        li,
        li[aria-current] {
          display: block;
          padding: 0;
          background: none;
        }
        li .dot {
          width: 100%;
          height: 0.45rem;
          border-radius: 999px;
          border-width: 1px;
          font-size: 0;
        }
        li .dot svg {
          display: none;
        }
        li .name {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
          white-space: nowrap;
        }
      }
      @media (min-width: 641px) and (max-width: 860px) {
        main {
          padding: 0 1rem 2rem;
        }
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.#narrow.addEventListener('change', this.#resized);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#narrow.removeEventListener('change', this.#resized);
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has('session') || this.step === undefined) this.step = this.session.nextCheck() ?? 'ready';
  }

  protected override sessionChanged(): void {
    super.sessionChanged();
    // Only the last page may fall back by itself: sharing can stop, and a proctor can send a check back.
    if (this.step === 'ready') this.step = this.session.nextCheck() ?? 'ready';
  }

  override render() {
    const { room, checks } = this.view;
    const steps: StepId[] = [...room.policy.checks, 'ready'];
    const now = steps.indexOf(this.step);
    const w = words.steps;
    return html`<div class="page">
      ${pageHeader(room.organization.name, room.exam.title, room.candidate.name)}
      <div class="grid">
        <nav aria-label=${w.label}>
          <p>${w.progress(now + 1, steps.length)}${this.#narrow.matches ? html` · ${w.names[this.step]}` : nothing}</p>
          <ol>
            ${steps.map((id, i) => {
              const done =
                id !== 'ready' && id !== this.step && (checks[id] === 'passed' || checks[id] === 'skipped');
              return html`<li class=${done ? 'done' : ''} aria-current=${id === this.step ? 'step' : nothing}>
                <span class="dot" aria-hidden="true">${done ? icons.check : i + 1}</span>
                <span class="name"
                  >${w.names[id]}${done ? html`<span class="hidden-visually">, ${w.done}</span>` : ''}</span
                >
              </li>`;
            })}
          </ol>
        </nav>
        <main class="card" data-step=${this.step} @step-done=${this.#next}>${this.#step()}</main>
      </div>
    </div>`;
  }

  #step() {
    const { session } = this;
    switch (this.step) {
      case 'consent':
        return html`<op-step-consent .session=${session}></op-step-consent>`;
      case 'browser':
        return html`<op-step-browser .session=${session}></op-step-browser>`;
      case 'camera':
        return html`<op-step-camera .session=${session}></op-step-camera>`;
      case 'microphone':
        return html`<op-step-microphone .session=${session}></op-step-microphone>`;
      case 'notifications':
        return html`<op-step-notifications .session=${session}></op-step-notifications>`;
      case 'face':
        return html`<op-step-face .session=${session}></op-step-face>`;
      case 'document':
        return html`<op-step-document .session=${session}></op-step-document>`;
      case 'room':
        return html`<op-step-room .session=${session}></op-step-room>`;
      case 'screen':
        return html`<op-step-screen .session=${session}></op-step-screen>`;
      case 'ready':
        return html`<op-step-ready .session=${session}></op-step-ready>`;
    }
  }

  #next(): void {
    this.step = this.session.nextCheck() ?? 'ready';
  }
}
customElements.define('op-checks', ChecksView);
