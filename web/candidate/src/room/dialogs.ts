import { css, html, LitElement, nothing } from 'lit';
import type { ExamSession } from '../core/session';
import { note, RoomElement } from './base';
import { base, buttons, forms, notes } from './styles';
import { words } from './words';

const dialogStyles = [
  base,
  buttons,
  forms,
  notes,
  css`
    dialog {
      width: min(32rem, calc(100vw - 2rem));
      max-height: calc(100dvh - 2rem);
      overflow: auto;
      padding: clamp(1.25rem, 4vw, 2rem);
      border: 1px solid var(--line);
      border-radius: var(--radius);
      background: var(--surface);
      color: var(--text);
      box-shadow: 0 20px 60px rgb(0 0 0 / 35%);
    }
    dialog::backdrop {
      background: rgb(8 14 20 / 60%);
    }
    dialog h2 {
      font-size: 1.375rem;
    }
    dialog h2:focus {
      outline: none;
    }
    .body {
      display: grid;
      gap: 1.1rem;
    }
  `,
];

/** Asks before the exam is handed over for good. */
export class FinishDialog extends LitElement {
  static override styles = dialogStyles;

  show(): void {
    this.renderRoot.querySelector('dialog')?.showModal();
    // Enter pressed too soon shall not end an exam.
    this.renderRoot.querySelector<HTMLElement>('.first')?.focus();
  }

  close(): void {
    this.renderRoot.querySelector('dialog')?.close();
  }

  override render() {
    const w = words.finish;
    return html`<dialog aria-labelledby="title" aria-describedby="what">
      <div class="body">
        <h2 id="title">${w.title}</h2>
        <p id="what">${w.what}</p>
        <div class="actions">
          <button class="primary" @click=${this.#finish}>${w.yes}</button>
          <button class="first" @click=${() => this.close()}>${w.no}</button>
        </div>
      </div>
    </dialog>`;
  }

  #finish(): void {
    this.close();
    this.dispatchEvent(new CustomEvent('finish-exam', { bubbles: true, composed: true }));
  }
}
customElements.define('op-finish-dialog', FinishDialog);

/** The exam's own help, and two ways to reach a proctor. */
export class HelpDialog extends RoomElement {
  static override properties = { raised: { state: true }, sent: { state: true } };
  declare session: ExamSession;
  declare raised: boolean;
  declare sent: boolean;
  static override styles = dialogStyles;

  constructor() {
    super();
    this.raised = false;
    this.sent = false;
  }

  show(): void {
    this.raised = false;
    this.sent = false;
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  override render() {
    const w = words.help;
    return html`<dialog aria-labelledby="title">
      <form class="body" @submit=${this.#send}>
        <h2 id="title">${w.title}</h2>
        <p>${this.view.room.policy.help || w.none}</p>
        <div class="actions">
          <button type="button" ?disabled=${this.raised} @click=${this.#raise}>${w.hand}</button>
        </div>
        <label>${w.write}<textarea name="text" maxlength="2000"></textarea></label>
        <div role="status">
          ${this.raised ? note('good', w.handRaised) : nothing}${this.sent ? note('good', w.sent) : nothing}
        </div>
        <div class="actions">
          <button class="primary">${w.send}</button>
          <button type="button" @click=${this.#close}>${words.close}</button>
        </div>
      </form>
    </dialog>`;
  }

  #close(): void {
    this.renderRoot.querySelector('dialog')?.close();
  }

  #raise(): void {
    this.session.raiseHand();
    this.raised = true;
  }

  #send(event: SubmitEvent): void {
    event.preventDefault();
    const field = this.renderRoot.querySelector('textarea')!;
    const text = field.value.trim();
    if (!text) {
      field.focus();
      return;
    }
    this.session.writeToProctor(text);
    field.value = '';
    this.sent = true;
  }
}
customElements.define('op-help-dialog', HelpDialog);
