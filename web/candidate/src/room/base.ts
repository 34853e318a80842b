import {
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from 'lit';
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

  /** A pressed button that goes away or is switched off leaves its focus to the heading, not to the page's body. */
  protected override update(changed: PropertyValues): void {
    const held = this.shadowRoot?.activeElement;
    super.update(changed);
    if (held && (!held.isConnected || held.matches(':disabled')))
      this.#heading?.focus({ preventScroll: true });
  }

  protected focusHeading(): void {
    this.#heading?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  get #heading(): HTMLElement | null {
    return this.renderRoot.querySelector('h1');
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
