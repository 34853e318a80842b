import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { CheckId } from '../core/types';
import { note, RoomElement } from './base';
import { base, buttons, forms, notes } from './styles';
import { words } from './words';

/** An answer that takes longer is waited for with a word, since the line may be down. */
const LATE_MS = 8_000;

/** What all steps share: heading, announcements, and telling that they are done. */
export abstract class Step extends RoomElement {
  static override properties: PropertyDeclarations = { late: { state: true } };
  declare late: boolean;
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

  constructor() {
    super();
    this.late = false;
  }

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
    const late = this.late ? note('warn', words.notKept.title, words.notKept.what) : nothing;
    return html`<div class="region" role="status">${content}${late}</div>`;
  }

  /** Waits for the server's answer, and says so when it is long in coming. */
  protected async patiently<T>(answer: Promise<T>): Promise<T> {
    const look = setInterval(() => {
      // A browser's own question may be open as long as it likes: nothing was said to the server yet.
      this.late = this.view.backlog.events > 0;
    }, LATE_MS);
    try {
      return await answer;
    } finally {
      clearInterval(look);
      this.late = false;
    }
  }

  protected continueButton(label: string = words.continue): TemplateResult {
    return html`<button class="primary" @click=${() => this.next()}>${label}</button>`;
  }

  /** Passed, by this try or an earlier one. */
  protected get done(): boolean {
    return this.check !== 'ready' && this.view.checks[this.check] === 'passed';
  }

  /** `after` what was wrong with a try: that an earlier one was good. */
  protected doneNote(after: 'failure' | null = null): TemplateResult | typeof nothing {
    const { title, what } = after ? words.stepDoneBefore : words.stepDone;
    return this.done ? note('good', title, what) : nothing;
  }
}
