import { css, html, nothing } from 'lit';
import { ShareError, type ShareFault } from '../core/screen';
import { type NoteKind, note, RoomElement } from './base';
import type { FinishDialog, HelpDialog } from './dialogs';
import './dialogs';
import './exam-bar';
import { icons } from './icons';
import './self-view';
import { base, buttons, notes } from './styles';
import { words } from './words';

/** The exam itself: the bar, what needs attention, and the exam's page in a frame. */
export class ExamView extends RoomElement {
  static override properties = { selfView: { state: true }, shareFault: { state: true } };
  declare selfView: boolean;
  declare shareFault: ShareFault | null;
  #offMessage: (() => void) | null = null;

  static override styles = [
    base,
    buttons,
    notes,
    css`
      :host {
        position: fixed;
        inset: 0;
        display: grid;
        grid-template-rows: auto auto minmax(0, 1fr);
        background: var(--page);
      }
      .banners {
        display: grid;
        max-height: 45dvh;
        overflow: auto;
      }
      .banner {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.5rem 1.25rem;
        padding: 0.6rem 0.9rem;
        border-bottom: 1px solid var(--line);
        background: var(--warn-soft);
      }
      .banner .note {
        border: 0;
        padding: 0;
        background: none;
        flex: 1 1 18rem;
        width: auto;
      }
      .banner p {
        max-width: none;
      }
      .banner.bad {
        background: var(--bad-soft);
      }
      .banner.info {
        background: var(--accent-soft);
      }
      .stage {
        position: relative;
        min-height: 0;
      }
      iframe {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        border: 0;
        background: Canvas;
      }
      .cover,
      .elsewhere {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 0.75rem;
        padding: 1.5rem;
        text-align: center;
        background: var(--page);
      }
      .cover svg,
      .elsewhere svg {
        width: 3rem;
        height: 3rem;
        color: var(--accent);
      }
      .cover h2,
      .elsewhere h2 {
        font-size: 1.5rem;
      }
    `,
  ];

  constructor() {
    super();
    this.selfView = innerWidth >= 900;
    this.shareFault = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#offMessage = this.session.on('message', (text) => notify(text));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#offMessage?.();
    this.session.watchFrame(null);
  }

  override firstUpdated(): void {
    this.focusHeading();
  }

  override render() {
    const { room, paused, recording } = this.view;
    const w = words.exam;
    return html`<op-exam-bar
        .session=${this.session}
        ?selfView=${this.selfView}
        @toggle-self=${this.#toggleSelf}
        @open-help=${this.#help}
        @ask-finish=${this.#askFinish}
      ></op-exam-bar>
      <div class="banners">${this.#messages()}${this.#banners()}</div>
      <main class="stage" data-step="exam">
        <h1 class="hidden-visually" tabindex="-1">${w.frame(room.exam.title)}</h1>
        ${!room.exam.url ? this.#elsewhere(room.exam.title) : this.view.frameHeld ? this.#held() : this.#frame(room.exam.url, room.exam.title, paused !== null)}
        ${paused ? this.#paused(paused.reason) : nothing}
        ${
          this.selfView && recording.camera !== 'off'
            ? html`<op-self-view .session=${this.session} @hide-self=${this.#toggleSelf}></op-self-view>`
            : nothing
        }
      </main>
      <op-finish-dialog @finish-exam=${this.#finish}></op-finish-dialog>
      <op-help-dialog .session=${this.session}></op-help-dialog>`;
  }

  #frame(url: string, title: string, paused: boolean) {
    return html`<iframe
      src=${url}
      title=${words.exam.frame(title)}
      allow="fullscreen; clipboard-read; clipboard-write"
      ?inert=${paused}
      @load=${this.#frameLoaded}
    ></iframe>`;
  }

  #elsewhere(title: string) {
    const w = words.exam.elsewhere;
    return html`<div class="elsewhere">
      ${icons.screen}
      <h2>${title}</h2>
      <p><strong>${w.title}</strong></p>
      <p class="quiet">${w.what}</p>
    </div>`;
  }

  #held() {
    const w = words.exam.held;
    return html`<div class="elsewhere" role="status">
      ${icons.screen}
      <h2>${w.title}</h2>
      <p class="quiet">${w.what}</p>
    </div>`;
  }

  #paused(reason: string) {
    const w = words.exam.paused;
    return html`<div class="cover" role="alert">
      ${icons.pause}
      <h2>${w.title}</h2>
      ${reason ? html`<p>${words.ended.reason(reason)}</p>` : nothing}
      <p class="quiet">${w.what}</p>
    </div>`;
  }

  #messages() {
    const w = words.exam;
    return this.view.messages.map(
      (one) =>
        html`<div class="banner info" role="alert">
          <div class="note info">${icons.message}<strong>${w.proctor}</strong><p>${one.text}</p></div>
          <button @click=${() => this.session.dismissMessage(one.id)}>${w.read}</button>
        </div>`,
    );
  }

  #banners() {
    const w = words.exam;
    const { view, session } = this;
    const fault = this.shareFault;
    return html`${
      view.screenLost && view.room.policy.tracks.screen
        ? this.#banner(
            'bad',
            w.lostScreen,
            fault ? words.screen.faults[fault].what : w.lostScreen.what,
            () => void this.#share(),
          )
        : nothing
    }
    ${
      view.cameraLost
        ? this.#banner('bad', w.lostCamera, w.lostCamera.what, () => void session.reopen('camera'))
        : nothing
    }
    ${
      view.microphoneLost
        ? this.#banner(
            'bad',
            w.lostMicrophone,
            w.lostMicrophone.what,
            () => void session.reopen('microphone'),
          )
        : nothing
    }
    ${
      view.fullScreenLost
        ? this.#banner('warn', w.lostFullScreen, w.lostFullScreen.what, () => void session.fullScreenAgain())
        : nothing
    }
    ${view.storageLow ? this.#banner('warn', w.storageLow, w.storageLow.what, null) : nothing}`;
  }

  #banner(kind: NoteKind, said: { title: string; act?: string }, what: string, act: (() => void) | null) {
    return html`<div class="banner ${kind}" role="alert">
      ${note(kind, said.title, what)}
      ${act && said.act ? html`<button class="primary" @click=${act}>${said.act}</button>` : nothing}
    </div>`;
  }

  async #share(): Promise<void> {
    this.shareFault = null;
    try {
      await this.session.shareAgain();
    } catch (error) {
      this.shareFault = error instanceof ShareError ? error.fault : 'error';
    }
  }

  #frameLoaded(event: Event): void {
    this.session.watchFrame(event.target as HTMLIFrameElement);
  }

  #toggleSelf(): void {
    this.selfView = !this.selfView;
  }

  #help(): void {
    this.renderRoot.querySelector<HelpDialog>('op-help-dialog')?.show();
  }

  #askFinish(): void {
    this.renderRoot.querySelector<FinishDialog>('op-finish-dialog')?.show();
  }

  #finish(): void {
    void this.session.finish('finished');
  }
}
customElements.define('op-exam', ExamView);

/** Reaches a candidate who is in another window; only where notifications were allowed. */
function notify(text: string): void {
  if (!document.hidden && document.hasFocus()) return;
  if (typeof Notification === 'undefined' || Notification.permission !== 'granted') return;
  try {
    const shown = new Notification(words.exam.proctor, { body: text, tag: 'openproctor-message' });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  } catch {
    // Some mobile browsers know notifications from service workers only; the banner is there anyway.
  }
}
