import { css, html, nothing } from 'lit';
import { isSilent, MicrophoneListener } from '../core/checks/microphone';
import type { Hearing } from '../core/checks/speech';
import { DeviceError, type DeviceFault, type DeviceInfo, deviceFault } from '../core/desk';
import { note } from './base';
import { Step } from './step';
import { words } from './words';

type Stage = 'unknown' | 'closed' | 'opening' | 'needs-click' | 'listening' | 'sending' | 'passed' | 'failed';

const NO_SPEECH_AFTER_MS = 20_000;
const SILENT_AFTER_MS = 8_000;
/** The meter shows -70 to -10 dBFS. */
const LOWEST = -70;
const RANGE = 60;

export class StepMicrophone extends Step {
  static override properties = {
    stage: { state: true },
    fault: { state: true },
    devices: { state: true },
    speaking: { state: true },
  };
  declare stage: Stage;
  declare fault: DeviceFault | 'silent' | 'no_speech' | null;
  declare devices: DeviceInfo[];
  declare speaking: boolean;
  readonly check = 'microphone';
  readonly #listener = new MicrophoneListener((hearing) => this.#hear(hearing));
  #asking = false;
  #startedAt = 0;
  #everSound = false;
  #stops: (() => void)[] = [];

  static override styles = [
    ...Step.styles,
    css`
      blockquote {
        margin: 0;
        padding: 1rem 1.25rem;
        border-inline-start: 4px solid var(--accent);
        background: var(--raised);
        border-radius: 0 10px 10px 0;
        font-size: 1.125rem;
      }
      .meter {
        width: 100%;
        max-width: 32rem;
        display: grid;
        gap: 0.35rem;
      }
      .track {
        position: relative;
        height: 1rem;
        border-radius: 999px;
        background: var(--raised);
        border: 1px solid var(--line-strong);
        overflow: hidden;
      }
      .level {
        position: absolute;
        inset: 0;
        transform-origin: left;
        transform: scaleX(var(--level, 0));
        background: var(--good);
      }
      .floor {
        position: absolute;
        inset-block: 0;
        inset-inline-start: calc(var(--floor, 0) * 100%);
        width: 2px;
        background: var(--text);
      }
      .legend {
        display: flex;
        justify-content: space-between;
        font-size: 0.875rem;
        color: var(--quiet);
      }
      .legend i {
        display: inline-block;
        width: 2px;
        height: 0.8rem;
        background: var(--text);
        margin-inline-end: 0.4rem;
        vertical-align: -0.1rem;
      }
    `,
  ];

  constructor() {
    super();
    this.stage = 'unknown';
    this.fault = null;
    this.devices = [];
    this.speaking = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { desk } = this.session;
    this.#stops = [
      desk.on('devices', () => void this.#list()),
      desk.on('lost', ({ kind }) => {
        if (kind === 'microphone') this.#fail('missing', 'track ended', null);
      }),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#listener.stop();
    for (const stop of this.#stops) stop();
  }

  override firstUpdated(): void {
    super.firstUpdated();
    void this.#openIfAllowed();
  }

  override render() {
    const w = words.microphone;
    const listening = this.stage === 'listening' || this.stage === 'sending' || this.stage === 'passed';
    const done = this.stage === 'passed' || this.done;
    return this.layout(
      w.title,
      w.intro,
      html`${done ? nothing : html`<p>${w.read}</p><blockquote>${w.sentence}</blockquote>`}
        ${listening ? this.#meter() : nothing} ${this.#picker()} ${this.region(this.#news())}`,
      html`${done ? this.continueButton() : nothing}${
        this.stage === 'closed' || this.stage === 'needs-click' || this.stage === 'failed'
          ? html`<button class=${done ? '' : 'primary'} @click=${this.#again}>
              ${this.stage === 'failed' ? words.tryAgain : this.stage === 'needs-click' ? w.listen : w.open}
            </button>`
          : nothing
      }`,
    );
  }

  #meter() {
    const w = words.microphone;
    return html`<div class="meter">
      <span class="hidden-visually" id="meter-name">${w.meter}</span>
      <div class="track" role="meter" aria-labelledby="meter-name" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0">
        <div class="level"></div>
        <div class="floor"></div>
      </div>
      <div class="legend" aria-hidden="true"><span>${w.meter}</span><span><i></i>${w.floor}</span></div>
    </div>`;
  }

  #news() {
    const w = words.microphone;
    if (this.stage === 'passed') return note('good', w.passed.title);
    if (this.stage === 'opening' && this.#asking) return note('info', words.asking.title, words.asking.what);
    if (this.fault) {
      const { title, what } = w.faults[this.fault];
      return html`${note(this.stage === 'failed' ? 'bad' : 'warn', title, what)}${this.doneNote('failure')}`;
    }
    if (this.done) return this.doneNote();
    if (this.stage === 'listening' || this.stage === 'sending') {
      const said = this.speaking ? w.hearing : w.listening;
      return note('info', said.title, said.what);
    }
    return nothing;
  }

  #picker() {
    if (this.devices.length < 2 || this.stage === 'passed') return nothing;
    const chosen = this.session.desk.chosenId('microphone');
    return html`<label class="picker"
      >${words.microphone.picker}
      <select @change=${this.#choose}>
        ${this.devices.map(
          (one, i) =>
            html`<option value=${one.id} ?selected=${one.id === chosen}>
              ${one.label || words.microphone.unnamed(i + 1)}
            </option>`,
        )}
      </select>
    </label>`;
  }

  #hear(hearing: Hearing): void {
    if (this.stage !== 'listening') return;
    this.#show(hearing);
    const heardFor = performance.now() - this.#startedAt;
    this.#everSound ||= !isSilent(hearing);
    if (hearing.syllables >= 2 && !this.speaking) this.speaking = true;
    if (hearing.syllables === 0 && this.speaking) this.speaking = false;
    if (hearing.passed) {
      void this.#pass(hearing);
    } else if (!this.#everSound && heardFor > SILENT_AFTER_MS) {
      this.#warn('silent', hearing);
    } else if (this.#everSound && heardFor > NO_SPEECH_AFTER_MS) {
      this.#warn('no_speech', hearing);
    }
  }

  /** Straight to the elements: forty renders a second would be too many. */
  #show(hearing: Hearing): void {
    const meter = this.renderRoot.querySelector<HTMLElement>('.track');
    if (!meter) return;
    const share = (db: number) => Math.min(1, Math.max(0, (db - LOWEST) / RANGE));
    meter.style.setProperty('--level', share(hearing.level).toFixed(3));
    meter.style.setProperty('--floor', share(hearing.floor).toFixed(3));
    meter.setAttribute('aria-valuenow', String(Math.round(share(hearing.level) * 100)));
  }

  async #pass(hearing: Hearing): Promise<void> {
    this.stage = 'sending';
    this.fault = null;
    const answer = await this.patiently(this.session.checks.audioPassed(hearing));
    this.#listener.stop();
    if (answer.accepted) this.stage = 'passed';
    else this.#fail('error', answer.refusal.detail ?? '', hearing);
  }

  #warn(fault: 'silent' | 'no_speech', hearing: Hearing): void {
    if (this.fault === fault) return;
    this.session.checks.audioFailed(fault, '', hearing);
    this.fault = fault;
  }

  async #list(): Promise<void> {
    this.devices = await this.session.desk.list('microphone');
  }

  async #openIfAllowed(): Promise<void> {
    try {
      const { state } = await navigator.permissions.query({ name: 'microphone' as PermissionName });
      if (state === 'granted' || this.session.desk.track('microphone')) {
        await this.#open();
        return;
      }
    } catch {
      // Unknown here: wait for the click.
    }
    this.stage = 'closed';
  }

  async #again(): Promise<void> {
    this.session.checks.tryAgain();
    this.#asking = true;
    await this.#open();
  }

  async #choose(event: Event): Promise<void> {
    this.session.desk.choose('microphone', (event.target as HTMLSelectElement).value);
    this.session.desk.release('microphone');
    this.session.checks.tryAgain();
    await this.#open();
  }

  async #open(): Promise<void> {
    this.stage = 'opening';
    this.fault = null;
    this.speaking = false;
    this.#everSound = false;
    try {
      const track = await this.session.checks.openDevice('microphone');
      await this.#list();
      this.#startedAt = performance.now();
      const running = await this.#listener.start(track);
      this.stage = running ? 'listening' : 'needs-click';
    } catch (error) {
      const known = error instanceof DeviceError ? error : deviceFault(error);
      this.#fail(known.fault, known.message, null);
    }
  }

  #fail(fault: DeviceFault, detail: string, hearing: Hearing | null): void {
    this.#listener.stop();
    this.session.checks.audioFailed(fault, detail, hearing);
    this.fault = fault;
    this.stage = 'failed';
  }
}
customElements.define('op-step-microphone', StepMicrophone);
