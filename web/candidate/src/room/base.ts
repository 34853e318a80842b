import { html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { ExamSession } from '../core/session';
import type { SessionView } from '../core/view';
import { icons } from './icons';

/** A component that shows a part of the session and follows its changes. */
export class RoomElement extends LitElement {
  static override properties: PropertyDeclarations = { session: { attribute: false } };
  declare session: ExamSession;
  #off: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#off = this.session?.on('change', () => this.sessionChanged());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#off?.();
  }

  protected get view(): SessionView {
    return this.session.view;
  }

  protected sessionChanged(): void {
    this.requestUpdate();
  }

  protected focusHeading(): void {
    this.renderRoot.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }
}

export type NoteKind = 'good' | 'info' | 'warn' | 'bad';

export function note(
  kind: NoteKind,
  title: string,
  body?: string | readonly string[] | TemplateResult,
): TemplateResult {
  const inner =
    body === undefined || body === ''
      ? nothing
      : typeof body === 'string'
        ? html`<p>${body}</p>`
        : Array.isArray(body)
          ? html`<ul>${(body as readonly string[]).map((one) => html`<li>${one}</li>`)}</ul>`
          : body;
  return html`<div class="note ${kind}">${icons[kind]}<strong>${title}</strong>${inner}</div>`;
}
