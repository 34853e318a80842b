import { css, html, nothing } from 'lit';
import { ApiProblem } from '../core/api';
import { NoPicture } from '../core/checks/still';
import type { CheckResult } from '../core/types';
import { note } from './base';
import { icons } from './icons';
import { reasonTexts, StillStep } from './step-still';
import { words } from './words';

interface Picture {
  id: string;
  url: string;
}

export class StepRoom extends StillStep {
  static override properties = {
    pictures: { state: true },
    busy: { state: true },
    result: { state: true },
    problem: { state: true },
  };
  declare pictures: Picture[];
  declare busy: boolean;
  declare result: CheckResult | null;
  declare problem: { title: string; what: string } | null;
  readonly check = 'room';

  static override styles = [
    ...StillStep.styles,
    css`
      ol {
        list-style: none;
        padding: 0;
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr));
        gap: 0.75rem;
        width: 100%;
        max-width: 40rem;
      }
      li {
        display: grid;
        gap: 0.25rem;
        font-size: 0.875rem;
        color: var(--quiet);
      }
      li img,
      li .empty {
        width: 100%;
        aspect-ratio: 4 / 3;
        border-radius: 8px;
        object-fit: cover;
      }
      li .empty {
        display: grid;
        place-items: center;
        border: 1.5px dashed var(--line-strong);
        color: var(--quiet);
      }
      .empty svg {
        width: 1.5rem;
        height: 1.5rem;
      }
    `,
  ];

  constructor() {
    super();
    this.pictures = [];
    this.busy = false;
    this.result = null;
    this.problem = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#forget();
  }

  get #wanted(): number {
    return this.view.room.policy.room_pictures;
  }

  override render() {
    const w = words.room;
    const complete = this.pictures.length >= this.#wanted;
    return this.layout(
      w.title,
      w.intro(this.#wanted),
      html`<op-preview
          ?hidden=${complete || !this.track}
          .track=${this.track}
          label=${words.camera.picture}
        ></op-preview>
        <ol>
          ${Array.from({ length: this.#wanted }, (_, i) => this.#slot(i))}
        </ol>
        ${this.region(html`${this.deviceNews()}${this.#news()}`)}`,
      this.#actions(complete),
    );
  }

  #slot(index: number) {
    const w = words.room;
    const picture = this.pictures[index];
    return html`<li>
      ${
        picture
          ? html`<img src=${picture.url} alt=${w.alt(index + 1)} />`
          : html`<span class="empty">${icons.camera}</span>`
      }
      <span>${w.hints[index % w.hints.length]}</span>
    </li>`;
  }

  #actions(complete: boolean) {
    const w = words.room;
    if (this.result?.passed) return this.continueButton();
    const go = this.done ? this.continueButton() : nothing;
    const looks = this.done ? '' : 'primary';
    if (this.deviceFault) return html`${go}${this.reopenButton()}`;
    if (this.result || (complete && !this.busy)) {
      return html`${go}<button class=${looks} @click=${this.#again}>${w.again}</button>`;
    }
    return html`${go}<button class=${looks} ?disabled=${this.busy || !this.track} @click=${this.#take}>
      ${w.take(Math.min(this.#wanted, this.pictures.length + 1), this.#wanted)}
    </button>`;
  }

  #news() {
    const w = words.room;
    if (this.result?.passed) return note('good', w.passed.title);
    if (this.result)
      return html`${note('warn', w.failed, reasonTexts(this.result.reasons))}${this.doneNote('failure')}`;
    if (this.problem !== null) {
      return note('bad', this.problem.title, this.problem.what);
    }
    const next = this.pictures.length;
    if (next >= this.#wanted) return note('info', w.checking.title, w.checking.what);
    return html`<p>${w.next(next + 1, this.#wanted, w.hints[next % w.hints.length] ?? '')}</p>${this.doneNote()}`;
  }

  #again(): void {
    this.#forget();
    this.result = null;
    this.problem = null;
  }

  async #take(): Promise<void> {
    const { video } = this;
    if (!video) return;
    this.busy = true;
    this.problem = null;
    try {
      const { id, image } = await this.session.checks.roomPicture(video);
      this.pictures = [...this.pictures, { id, url: URL.createObjectURL(image) }];
      if (this.pictures.length >= this.#wanted) {
        this.result = await this.session.checks.roomPictures(this.pictures.map((one) => one.id));
      }
    } catch (error) {
      const { title, what } = words.still[error instanceof NoPicture ? 'noPicture' : 'failedToSend'];
      this.problem = {
        title,
        what: error instanceof ApiProblem ? (error.problem.what_to_do ?? error.message) : what,
      };
    }
    this.busy = false;
  }

  #forget(): void {
    for (const { url } of this.pictures) URL.revokeObjectURL(url);
    this.pictures = [];
  }
}
customElements.define('op-step-room', StepRoom);
