import { css, html } from 'lit';
import { RoomElement } from './base';
import './preview';
import { base, buttons } from './styles';
import { words } from './words';

/** A small mirror in a corner; can be hidden, and moved aside when it covers something. */
export class SelfView extends RoomElement {
  static override properties = { left: { type: Boolean, reflect: true } };
  declare left: boolean;

  static override styles = [
    base,
    buttons,
    css`
      :host {
        position: absolute;
        inset-block-end: 1rem;
        inset-inline-end: 1rem;
        width: clamp(7.5rem, 14vw, 11rem);
        border-radius: 10px;
        overflow: hidden;
        border: 1px solid var(--line-strong);
        background: var(--surface);
        box-shadow: var(--shadow);
        z-index: 2;
      }
      :host([left]) {
        inset-inline: 1rem auto;
      }
      op-preview {
        border-radius: 0;
      }
      .none {
        display: grid;
        place-items: center;
        aspect-ratio: 4 / 3;
        background: #0d141b;
        color: #d7dee6;
        font-size: 0.8125rem;
        padding: 0.5rem;
        text-align: center;
      }
      .row {
        display: flex;
      }
      button {
        flex: 1;
        min-height: 2rem;
        padding: 0.2rem;
        border: 0;
        border-radius: 0;
        display: grid;
        place-items: center;
        background: var(--surface);
      }
      button:focus-visible {
        outline-offset: -3px;
      }
      button svg {
        width: 1.1rem;
        height: 1.1rem;
      }
    `,
  ];

  constructor() {
    super();
    this.left = false;
  }

  override render() {
    const w = words.exam;
    const track = this.session.desk.track('camera');
    return html`<section aria-label=${w.selfView}>
      ${
        track
          ? html`<op-preview .track=${track} mirrored label=${w.selfView}></op-preview>`
          : html`<p class="none">${w.plate}</p>`
      }
      <div class="row">
        <button aria-label=${w.selfViewMove} title=${w.selfViewMove} @click=${this.#move}>
          <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
            <path d="M8 8 4 12l4 4M16 8l4 4-4 4M4 12h16" />
          </svg>
        </button>
        <button aria-label=${w.selfViewHide} title=${w.selfViewHide} @click=${this.#hide}>
          <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
            <path d="m6 9 6 6 6-6" />
          </svg>
        </button>
      </div>
    </section>`;
  }

  #move(): void {
    this.left = !this.left;
  }

  #hide(): void {
    this.dispatchEvent(new CustomEvent('hide-self', { bubbles: true, composed: true }));
  }
}
customElements.define('op-self-view', SelfView);
