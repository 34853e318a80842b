import { css, html, nothing } from 'lit';
import { ApiProblem } from '../core/api';
import { DeviceError } from '../core/desk';
import { note } from './base';
import { icons } from './icons';
import { Step } from './step';
import { words } from './words';

export class StepReady extends Step {
  static override properties = { busy: { state: true }, fault: { state: true } };
  declare busy: boolean;
  declare fault: { title: string; what: string } | null;
  readonly check = 'ready';

  static override styles = [
    ...Step.styles,
    css`
      ul {
        list-style: none;
        padding: 0;
        display: grid;
        gap: 0.75rem;
      }
      li {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.75rem;
      }
      li svg {
        width: 1.35rem;
        height: 1.35rem;
        color: var(--accent);
        margin-top: 0.1rem;
      }
    `,
  ];

  constructor() {
    super();
    this.busy = false;
    this.fault = null;
  }

  override render() {
    const w = words.ready;
    const { policy } = this.view.room;
    return this.layout(
      w.title,
      w.intro,
      html`<ul>
          <li>${icons.clock}<span>${policy.minutes === null ? w.noLimit : w.minutes(policy.minutes)}</span></li>
          <li>${icons.line}<span>${w.keep}</span></li>
          ${policy.full_screen ? html`<li>${icons.screen}<span>${w.fullScreen}</span></li>` : nothing}
        </ul>
        ${this.region(this.fault ? note('bad', this.fault.title, this.fault.what) : nothing)}`,
      html`<button class="primary" ?disabled=${this.busy} @click=${this.#start}>
        ${this.busy ? w.starting : w.start}
      </button>`,
    );
  }

  async #start(): Promise<void> {
    this.busy = true;
    this.fault = null;
    try {
      await this.session.start();
    } catch (error) {
      const w = words.ready;
      if (error instanceof DeviceError) this.fault = w.device;
      else if (error instanceof ApiProblem)
        this.fault = { title: w.failed.title, what: error.problem.what_to_do ?? error.message };
      else this.fault = { title: w.failed.title, what: words.notKept.what };
      // The server may say that a check is open after all; the list on the side then shows which.
      if (error instanceof ApiProblem && error.status === 409)
        await this.session.refresh().catch(() => undefined);
    }
    this.busy = false;
  }
}
customElements.define('op-step-ready', StepReady);
