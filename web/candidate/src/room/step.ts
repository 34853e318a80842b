import { css, html, nothing, type TemplateResult } from 'lit';
import type { CheckId } from '../core/types';
import { note, RoomElement } from './base';
import { base, buttons, forms, notes } from './styles';
import { words } from './words';

/** What all steps share: heading, announcements, and telling that they are done. */
export abstract class Step extends RoomElement {
  static override styles = [
    base,
    buttons,
    forms,
    notes,
    css`
      .body {
        display: grid;
        gap: 1.25rem;
        justify-items: start;
      }
      .body > * {
        max-width: 100%;
      }
      .intro {
        color: var(--quiet);
        font-size: 1.0625rem;
      }
      .picker {
        width: 100%;
        max-width: 26rem;
      }
    `,
  ];

  abstract readonly check: CheckId | 'ready';

  override firstUpdated(): void {
    this.focusHeading();
  }

  /** On to the next step. */
  protected next(): void {
    this.dispatchEvent(new CustomEvent('step-done', { bubbles: true, composed: true }));
  }

  protected layout(
    title: string,
    intro: string | TemplateResult,
    content: unknown,
    actions: unknown,
  ): TemplateResult {
    return html`<section class="body" aria-labelledby="title" data-check=${this.check}>
      <h1 id="title" tabindex="-1">${title}</h1>
      ${intro === '' ? nothing : typeof intro === 'string' ? html`<p class="intro">${intro}</p>` : intro}
      ${content}
      ${actions === nothing ? nothing : html`<div class="actions">${actions}</div>`}
    </section>`;
  }

  /** News of this step; spoken by screen readers when it changes. */
  protected region(content: unknown): TemplateResult {
    return html`<div class="region" role="status">${content}</div>`;
  }

  protected continueButton(label: string = words.continue): TemplateResult {
    return html`<button class="primary" @click=${() => this.next()}>${label}</button>`;
  }

  /** A proctor may approve a step that the machine did not. */
  protected approved(): TemplateResult | null {
    if (this.check === 'ready') return null;
    return this.view.checks[this.check] === 'passed'
      ? note('good', words.approved.title, words.approved.what)
      : null;
  }
}
