import { css, html, nothing } from 'lit';
import { ApiProblem, NoAnswer } from '../core/api';
import { type CameraFault, type CameraMeasures, judgeCamera, watchCamera } from '../core/checks/camera';
import { DeviceError, type DeviceFault, type DeviceInfo, deviceFault } from '../core/desk';
import { note } from './base';
import './preview';
import type { Preview } from './preview';
import { Step } from './step';
import { words } from './words';

type Stage = 'unknown' | 'closed' | 'opening' | 'testing' | 'confirming' | 'passed' | 'failed';

/** A verdict is not hurried: rate and movement need this long, a still picture gets a little longer. */
const TEST_MS = 2_500;
const LAST_CHANCE_MS = 5_000;

export class StepCamera extends Step {
  static override properties = {
    stage: { state: true },
    fault: { state: true },
    detail: { state: true },
    track: { state: true },
    devices: { state: true },
    facts: { state: true },
  };
  declare stage: Stage;
  declare fault: DeviceFault | CameraFault | 'refused' | 'unsent' | null;
  declare detail: string;
  declare track: MediaStreamTrack | null;
  declare devices: DeviceInfo[];
  declare facts: CameraMeasures | null;
  readonly check = 'camera';
  #asking = false;
  #watch: AbortController | null = null;
  #stops: (() => void)[] = [];

  static override styles = [
    ...Step.styles,
    css`
      .facts {
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  constructor() {
    super();
    this.stage = 'unknown';
    this.fault = null;
    this.detail = '';
    this.track = null;
    this.devices = [];
    this.facts = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { desk } = this.session;
    this.#stops = [
      desk.on('devices', () => void this.#list()),
      desk.on('lost', ({ kind }) => {
        if (kind === 'camera') void this.#lost();
      }),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#watch?.abort();
    for (const stop of this.#stops) stop();
  }

  override firstUpdated(): void {
    super.firstUpdated();
    void this.#openIfAllowed();
  }

  override render() {
    const w = words.camera;
    const passed = this.stage === 'passed';
    return this.layout(
      w.title,
      w.intro,
      html`${
        this.track
          ? html`<op-preview .track=${this.track} mirrored label=${w.picture}></op-preview>`
          : nothing
      }
        ${this.#picker()} ${this.region(this.#news())}`,
      html`${passed || this.done ? this.continueButton() : nothing}${
        this.stage === 'closed' || this.stage === 'failed'
          ? html`<button class=${this.done ? '' : 'primary'} @click=${this.#again}>
              ${this.stage === 'failed' ? words.tryAgain : w.open}
            </button>`
          : nothing
      }`,
    );
  }

  #news() {
    const w = words.camera;
    const { facts } = this;
    switch (this.stage) {
      case 'opening':
        return this.#asking ? note('info', words.asking.title, words.asking.what) : nothing;
      case 'testing':
        return note('info', w.testing.title, w.testing.what);
      case 'confirming':
        return note('info', w.confirming.title, w.confirming.what);
      case 'passed':
        return note(
          'good',
          w.passed.title,
          facts
            ? html`<p class="facts">${w.facts(facts.width, facts.height, Math.round(facts.frameRate))}</p>`
            : '',
        );
      case 'failed':
        return html`${
          this.fault ? note('bad', w.faults[this.fault].title, w.faults[this.fault].what) : nothing
        }${this.doneNote('failure')}`;
      default:
        return this.doneNote();
    }
  }

  #picker() {
    if (this.devices.length < 2) return nothing;
    const chosen = this.session.desk.chosenId('camera');
    return html`<label class="picker"
      >${words.camera.picker}
      <select @change=${this.#choose}>
        ${this.devices.map(
          (one, i) =>
            html`<option value=${one.id} ?selected=${one.id === chosen}>
              ${one.label || words.camera.unnamed(i + 1)}
            </option>`,
        )}
      </select>
    </label>`;
  }

  async #list(): Promise<void> {
    this.devices = await this.session.desk.list('camera');
  }

  /** Opens at once where the browser will not ask; else a click is kinder than a sudden question. */
  async #openIfAllowed(): Promise<void> {
    if (this.session.desk.track('camera')) {
      await this.#open();
      return;
    }
    try {
      const { state } = await navigator.permissions.query({ name: 'camera' as PermissionName });
      if (state === 'granted') {
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
    if (this.fault !== null) this.session.desk.release('camera');
    await this.#open();
  }

  async #choose(event: Event): Promise<void> {
    this.session.desk.choose('camera', (event.target as HTMLSelectElement).value);
    this.session.desk.release('camera');
    this.session.checks.tryAgain();
    await this.#open();
  }

  async #open(): Promise<void> {
    this.#watch?.abort();
    this.stage = 'opening';
    this.fault = null;
    try {
      this.track = await this.session.checks.openDevice('camera');
    } catch (error) {
      const known = error instanceof DeviceError ? error : deviceFault(error);
      this.#fail(known.fault, known.message, null);
      this.track = null;
      return;
    }
    await this.session.desk.sizeForStills();
    await this.#list();
    await this.#test();
  }

  async #test(): Promise<void> {
    this.stage = 'testing';
    await this.updateComplete;
    const video = this.renderRoot.querySelector<Preview>('op-preview')?.video;
    if (!video) return;
    const watch = new AbortController();
    this.#watch = watch;
    await watchCamera(
      video,
      (measures, elapsed) => {
        if (elapsed < TEST_MS || watch.signal.aborted) return;
        const fault = judgeCamera(measures);
        if (fault === null) {
          watch.abort();
          void this.#confirm(video, measures);
        } else if (elapsed >= LAST_CHANCE_MS) {
          watch.abort();
          this.#fail(fault, '', measures);
        }
      },
      watch.signal,
    );
  }

  async #confirm(video: HTMLVideoElement, measures: CameraMeasures): Promise<void> {
    this.facts = measures;
    this.stage = 'confirming';
    try {
      const verdict = await this.patiently(this.session.checks.confirmCamera(video, measures));
      if (verdict.passed) this.stage = 'passed';
      else {
        this.session.checks.cameraFailed('frozen', verdict.detail, measures);
        this.fault = 'refused';
        this.stage = 'failed';
      }
    } catch (error) {
      if (error instanceof NoAnswer || error instanceof ApiProblem) {
        // The line's fault, not the camera's.
        this.fault = 'unsent';
        this.stage = 'failed';
      } else this.#fail('error', error instanceof Error ? error.message : String(error), measures);
    }
  }

  async #lost(): Promise<void> {
    this.#watch?.abort();
    this.track = null;
    const gone = (await this.session.desk.count('camera')) === 0;
    this.#fail(gone ? 'missing' : 'denied', 'track ended', null);
  }

  #fail(fault: DeviceFault | CameraFault, detail: string, measures: CameraMeasures | null): void {
    this.session.checks.cameraFailed(fault, detail, measures);
    this.fault = fault;
    this.stage = 'failed';
  }
}
customElements.define('op-step-camera', StepCamera);
