import { css, html, nothing } from 'lit';
import { note } from './base';
import { icons } from './icons';
import { Step } from './step';
import { words } from './words';

export class StepConsent extends Step {
  static override properties = { busy: { state: true }, fault: { state: true } };
  declare busy: boolean;
  declare fault: string;
  readonly check = 'consent';

  static override styles = [
    ...Step.styles,
    css`
      dl {
        margin: 0;
        display: grid;
        gap: 1.25rem;
        width: 100%;
        padding: 1.25rem;
        border: 1px solid var(--line);
        border-radius: 10px;
      }
      dt {
        font-weight: 650;
        margin-bottom: 0.35rem;
      }
      dd {
        margin: 0;
      }
      li {
        list-style: none;
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.6rem;
        padding-block: 0.2rem;
      }
      ul {
        padding: 0;
      }
      li svg {
        width: 1.25rem;
        height: 1.25rem;
        margin-top: 0.15rem;
        color: var(--accent);
      }
    `,
  ];

  constructor() {
    super();
    this.busy = false;
    this.fault = '';
  }

  override render() {
    const { text } = this.view.room.consent;
    const w = words.consent;
    return this.layout(
      text.title,
      html`${text.paragraphs.map((one) => html`<p>${one}</p>`)}`,
      html`<dl>
          <div>
            <dt>${w.recordedTitle}</dt>
            <dd>
              <ul>
                ${text.recorded.map((one) => html`<li>${icons.check}<span>${one}</span></li>`)}
              </ul>
            </dd>
          </div>
          <div><dt>${w.byTitle}</dt><dd>${text.by}</dd></div>
          <div><dt>${w.keptTitle}</dt><dd>${w.kept(text.kept_days)}</dd></div>
        </dl>
        <p class="quiet">${w.choice}</p>
        ${this.region(this.fault ? note('warn', words.notKept.title, this.fault) : nothing)}`,
      html`<button class="primary" ?disabled=${this.busy} @click=${this.#agree}>${w.agree}</button>
        <button ?disabled=${this.busy} @click=${this.#refuse}>${w.refuse}</button>`,
    );
  }

  async #agree(): Promise<void> {
    this.busy = true;
    this.fault = '';
    const answer = await this.patiently(this.session.checks.agree(words.language));
    this.busy = false;
    if (answer.accepted) this.next();
    else this.fault = answer.refusal.detail ?? answer.refusal.title ?? words.notKept.what;
  }

  async #refuse(): Promise<void> {
    this.busy = true;
    await this.session.refuseConsent();
  }
}
customElements.define('op-step-consent', StepConsent);
