import { css, html, nothing } from 'lit';
import { recorderType } from '../core/container';
import { canShareScreen } from '../core/screen';
import { note } from './base';
import { icons } from './icons';
import { Step } from './step';
import { words } from './words';

type Item = keyof typeof words.browser.items;
type Look = 'ok' | 'bad' | 'hint';

export class StepBrowser extends Step {
  static override properties = { looks: { state: true } };
  declare looks: Partial<Record<Item, Look>>;
  readonly check = 'browser';

  static override styles = [
    ...Step.styles,
    css`
      ul {
        list-style: none;
        padding: 0;
        width: 100%;
        border: 1px solid var(--line);
        border-radius: 10px;
      }
      li {
        display: grid;
        grid-template-columns: auto 1fr auto;
        gap: 0.1rem 0.75rem;
        padding: 0.8rem 1rem;
        align-items: start;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      li svg {
        width: 1.4rem;
        height: 1.4rem;
        margin-top: 0.1rem;
      }
      .ok svg,
      .ok .state {
        color: var(--good);
      }
      .bad svg,
      .bad .state {
        color: var(--bad);
      }
      .hint svg,
      .hint .state {
        color: var(--warn);
      }
      .state {
        font-size: 0.875rem;
        font-weight: 600;
      }
      .why {
        grid-column: 2 / -1;
        color: var(--quiet);
        font-size: 0.9375rem;
      }
    `,
  ];

  constructor() {
    super();
    this.looks = {};
  }

  override firstUpdated(): void {
    super.firstUpdated();
    this.#look();
  }

  protected override sessionChanged(): void {
    this.#look();
  }

  #look(): void {
    const { policy } = this.view.room;
    const media = navigator.mediaDevices as MediaDevices | undefined;
    const of = (fine: boolean): Look => (fine ? 'ok' : 'bad');
    const looks: Partial<Record<Item, Look>> = { secure: of(isSecureContext) };
    if (policy.tracks.camera) looks.camera = of(typeof media?.getUserMedia === 'function');
    if (policy.tracks.camera || policy.tracks.screen) looks.recorder = of(recorderType(true) !== null);
    if (policy.tracks.screen || policy.checks.includes('screen')) {
      looks.screen = of(canShareScreen(media));
      const tells = media?.getSupportedConstraints().displaySurface === true;
      if (policy.whole_screen && looks.screen === 'ok' && !tells) looks.surface = 'hint';
    }
    looks.storage = of(typeof indexedDB !== 'undefined');
    if (this.session.line.state !== 'connecting') looks.line = of(this.view.line === 'online');
    this.looks = looks;
  }

  override render() {
    const w = words.browser;
    const entries = Object.entries(this.looks) as [Item, Look][];
    const broken = entries.some(([, look]) => look === 'bad');
    const verdict = broken ? note('bad', w.broken.title, w.broken.what) : note('good', w.fine.title);
    return this.layout(
      w.title,
      w.intro,
      html`<ul>
          ${entries.map(([item, look]) => this.#item(item, look))}
        </ul>
        ${this.region(entries.length > 0 ? verdict : nothing)}`,
      broken
        ? html`<button class="primary" @click=${() => this.#look()}>${w.again}</button>`
        : html`<button class="primary" @click=${this.#go}>${words.continue}</button>`,
    );
  }

  #item(item: Item, look: Look) {
    const w = words.browser;
    const text = w.items[item];
    const said = { ok: w.ok, bad: w.notOk, hint: w.hint }[look];
    const icon = { ok: icons.good, bad: icons.bad, hint: icons.info }[look];
    return html`<li class=${look}>
      ${icon}<span>${text.name}</span><span class="state">${said}</span>
      ${look !== 'ok' && 'bad' in text ? html`<p class="why">${text.bad}</p>` : nothing}
    </li>`;
  }

  async #go(): Promise<void> {
    await this.session.checks.passBrowser();
    this.next();
  }
}
customElements.define('op-step-browser', StepBrowser);
