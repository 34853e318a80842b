import { html, nothing } from 'lit';
import type { NotificationState } from '../core/checks/actions';
import { note } from './base';
import { Step } from './step';
import { words } from './words';

export class StepNotifications extends Step {
  static override properties = { result: { state: true }, busy: { state: true } };
  declare result: NotificationState | null;
  declare busy: boolean;
  readonly check = 'notifications';

  constructor() {
    super();
    this.result = null;
    this.busy = false;
  }

  override render() {
    const w = words.notifications;
    const required = this.view.room.policy.notifications_required;
    const done = this.result === 'granted' || (this.result !== null && !required) || this.done;
    const ask = html`<button class=${done ? '' : 'primary'} ?disabled=${this.busy} @click=${this.#ask}>
      ${this.result === null ? w.ask : words.tryAgain}
    </button>`;
    return this.layout(
      w.title,
      html`<p class="intro">${w.intro}</p>
        <p>${required ? w.required : w.optional}</p>`,
      this.region(this.#news(required)),
      html`${done ? this.continueButton() : nothing}${this.result === 'granted' ? nothing : ask}`,
    );
  }

  #news(required: boolean) {
    const w = words.notifications;
    if (this.result === null) return this.doneNote();
    const said = w[this.result];
    if (this.result === 'granted') return note('good', said.title, said.what);
    if (!required) return note('info', said.title, said.what);
    return html`${note('bad', said.title, w.needed)}${this.doneNote('failure')}`;
  }

  async #ask(): Promise<void> {
    this.busy = true;
    this.result = await this.patiently(this.session.checks.askNotifications());
    this.busy = false;
  }
}
customElements.define('op-step-notifications', StepNotifications);
