import { css, html, nothing, type PropertyDeclarations } from 'lit';
import { ApiProblem } from '../core/api';
import { NoPicture } from '../core/checks/still';
import { DeviceError, type DeviceFault, deviceFault } from '../core/desk';
import type { CaptureAnswer, CheckId, Reason } from '../core/types';
import { note } from './base';
import './preview';
import type { Guide, Preview } from './preview';
import { Step } from './step';
import { words } from './words';

/** A step that shows the live camera and takes pictures of it. */
export abstract class StillStep extends Step {
  static override properties: PropertyDeclarations = { track: { state: true }, deviceFault: { state: true } };
  declare track: MediaStreamTrack | null;
  declare deviceFault: DeviceFault | null;
  #stop: (() => void) | null = null;

  static override styles = [
    ...Step.styles,
    css`
      .shots {
        display: grid;
        gap: 1rem;
        width: 100%;
      }
      img {
        display: block;
        max-width: 100%;
        height: auto;
        max-height: min(38vh, 25rem);
        border-radius: 10px;
      }
    `,
  ];

  constructor() {
    super();
    this.track = null;
    this.deviceFault = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = this.session.desk.on('lost', ({ kind }) => {
      if (kind === 'camera') {
        this.track = null;
        this.deviceFault = 'missing';
      }
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
  }

  override firstUpdated(): void {
    super.firstUpdated();
    void this.open();
  }

  protected get video(): HTMLVideoElement | null {
    return this.renderRoot.querySelector<Preview>('op-preview')?.video ?? null;
  }

  protected async open(): Promise<void> {
    this.deviceFault = null;
    try {
      this.track = await this.session.checks.openDevice('camera');
      await this.session.desk.sizeForStills();
    } catch (error) {
      this.deviceFault = (error instanceof DeviceError ? error : deviceFault(error)).fault;
    }
  }

  protected deviceNews() {
    if (!this.deviceFault) return nothing;
    const said = words.camera.faults[this.deviceFault];
    return note('bad', said.title, said.what);
  }

  protected reopenButton() {
    return html`<button class=${this.done ? '' : 'primary'} @click=${() => void this.open()}>
      ${words.camera.open}
    </button>`;
  }
}

/** The server's reasons, each said once. */
export function reasonTexts(reasons: readonly Reason[]): string[] {
  return [...new Set(reasons.map((one) => one.message))];
}

/** One still, looked at by the server at once: of the face, or of the identity document. */
abstract class CheckedStill extends StillStep {
  static override properties = {
    stage: { state: true },
    answer: { state: true },
    picture: { state: true },
    problem: { state: true },
    blank: { state: true },
  };
  declare stage: 'live' | 'sending' | 'answered' | 'unsent';
  declare answer: CaptureAnswer | null;
  declare picture: string;
  declare problem: string;
  /** There was no picture to send. */
  declare blank: boolean;
  abstract override readonly check: Extract<CheckId, 'face' | 'document'>;
  protected abstract readonly guide: Guide;

  constructor() {
    super();
    this.stage = 'live';
    this.answer = null;
    this.picture = '';
    this.problem = '';
    this.blank = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#forgetPicture();
  }

  override render() {
    const w = words[this.check];
    const passed =
      this.answer?.check?.passed === true || (this.stage === 'answered' && this.answer?.check === null);
    const frozen = this.picture !== '' && this.stage !== 'live';
    return this.layout(
      w.title,
      w.intro,
      html`<div class="shots">
          ${frozen ? html`<img src=${this.picture} alt=${words.still.taken} />` : nothing}
          <op-preview
            ?hidden=${frozen || !this.track}
            .track=${this.track}
            ?mirrored=${this.check === 'face'}
            guide=${this.guide}
            label=${words.camera.picture}
          ></op-preview>
        </div>
        ${this.region(html`${this.deviceNews()}${this.#news(passed)}`)}`,
      this.#actions(passed),
    );
  }

  #actions(passed: boolean) {
    const done = passed || this.done;
    const go = done ? this.continueButton() : nothing;
    if (this.deviceFault && this.stage === 'live') return html`${go}${this.reopenButton()}`;
    const looks = done ? '' : 'primary';
    if (this.stage === 'answered' || this.stage === 'unsent') {
      return html`${go}<button class=${looks} @click=${this.#retake}>${words.still.retake}</button>`;
    }
    const busy = this.stage === 'sending' || !this.track;
    return html`${go}<button class=${looks} ?disabled=${busy} @click=${this.#take}>${words.still.take}</button>`;
  }

  #news(passed: boolean) {
    const w = words[this.check];
    if (this.stage === 'sending') return note('info', words.still.sending.title, words.still.sending.what);
    if (this.stage === 'unsent') {
      const said = words.still[this.blank ? 'noPicture' : 'failedToSend'];
      return note('bad', said.title, this.problem || said.what);
    }
    if (this.stage === 'answered') {
      if (passed) return note('good', w.passed.title);
      return html`${note('warn', w.failed, reasonTexts(this.answer?.check?.reasons ?? []))}${this.doneNote('failure')}`;
    }
    return this.doneNote();
  }

  #retake(): void {
    this.#forgetPicture();
    this.stage = 'live';
    this.answer = null;
    if (!this.session.desk.track('camera')) void this.open();
  }

  async #take(): Promise<void> {
    const { video } = this;
    if (!video) return;
    this.stage = 'sending';
    this.problem = '';
    try {
      this.answer = await this.patiently(
        this.session.checks[this.check](video, (image) => {
          this.picture = URL.createObjectURL(image);
        }),
      );
      this.stage = 'answered';
    } catch (error) {
      this.stage = 'unsent';
      this.blank = error instanceof NoPicture;
      if (error instanceof ApiProblem) this.problem = error.problem.what_to_do ?? error.message;
    }
  }

  #forgetPicture(): void {
    if (this.picture) URL.revokeObjectURL(this.picture);
    this.picture = '';
  }
}

export class StepFace extends CheckedStill {
  readonly check = 'face';
  protected readonly guide = 'oval';
}
customElements.define('op-step-face', StepFace);

export class StepDocument extends CheckedStill {
  readonly check = 'document';
  protected readonly guide = 'card';
}
customElements.define('op-step-document', StepDocument);
