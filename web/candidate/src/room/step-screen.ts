import { css, html, nothing } from 'lit';
import { type SharedScreen, ShareError, type ShareFault } from '../core/screen';
import { note } from './base';
import './preview';
import { Step } from './step';
import { words } from './words';

export class StepScreen extends Step {
  static override properties = {
    shared: { state: true },
    fault: { state: true },
    stopped: { state: true },
    busy: { state: true },
  };
  declare shared: SharedScreen | null;
  declare fault: ShareFault | null;
  declare stopped: boolean;
  declare busy: boolean;
  readonly check = 'screen';
  #stop: (() => void) | null = null;

  static override styles = [
    ...Step.styles,
    css`
      op-preview {
        --tallest: 30vh;
      }
    `,
  ];

  constructor() {
    super();
    this.shared = null;
    this.fault = null;
    this.stopped = false;
    this.busy = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.shared = this.session.screen.shared;
    this.#stop = this.session.screen.on('ended', () => {
      this.shared = null;
      this.stopped = true;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
  }

  override render() {
    const w = words.screen;
    const whole = this.view.room.policy.whole_screen;
    const ask = html`<button class=${this.shared ? '' : 'primary'} ?disabled=${this.busy} @click=${this.#share}>
      ${this.shared || this.fault || this.stopped ? w.again : w.ask}
    </button>`;
    return this.layout(
      w.title,
      html`<p class="intro">${whole ? w.whole : w.any}</p>
        <p>${w.close}</p>`,
      html`${
        this.shared
          ? html`<op-preview .track=${this.session.screen.track} label=${w.sharing.title}></op-preview>`
          : nothing
      }
        ${this.region(this.#news(whole))}`,
      this.shared ? html`${this.continueButton()}${ask}` : ask,
    );
  }

  #news(whole: boolean) {
    const w = words.screen;
    if (this.shared) {
      const { surface, width, height } = this.shared;
      return surface === 'unverified' && whole
        ? note('warn', w.unverified.title, w.unverified.what)
        : note('good', w.sharing.title, w.facts(width, height));
    }
    if (this.fault) return note('bad', w.faults[this.fault].title, w.faults[this.fault].what);
    return this.stopped ? note('warn', w.stopped.title, w.stopped.what) : nothing;
  }

  async #share(): Promise<void> {
    this.busy = true;
    this.fault = null;
    this.stopped = false;
    try {
      this.shared = await this.patiently(this.session.checks.shareScreen());
    } catch (error) {
      this.fault = error instanceof ShareError ? error.fault : 'error';
      this.shared = this.session.screen.shared;
    }
    this.busy = false;
  }
}
customElements.define('op-step-screen', StepScreen);
