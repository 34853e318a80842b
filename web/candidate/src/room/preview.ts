import { css, html, LitElement, nothing, svg } from 'lit';
import { base } from './styles';

export type Guide = 'none' | 'oval' | 'card';

/** The live picture of a track, with a guide over it where one helps. */
export class Preview extends LitElement {
  static override properties = {
    track: { attribute: false },
    guide: { type: String },
    mirrored: { type: Boolean },
    label: { type: String },
  };
  declare track: MediaStreamTrack | null;
  declare guide: Guide;
  declare mirrored: boolean;
  declare label: string;

  static override styles = [
    base,
    css`
      :host {
        position: relative;
        width: 100%;
        max-width: 40rem;
        aspect-ratio: 4 / 3;
        max-height: min(56vh, 30rem);
        border-radius: 10px;
        overflow: hidden;
        background: #0d141b;
      }
      video {
        width: 100%;
        height: 100%;
        object-fit: contain;
        display: block;
      }
      :host([mirrored]) video {
        transform: scaleX(-1);
      }
      svg {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        pointer-events: none;
      }
    `,
  ];

  constructor() {
    super();
    this.track = null;
    this.guide = 'none';
    this.mirrored = false;
    this.label = '';
  }

  get video(): HTMLVideoElement | null {
    return this.renderRoot.querySelector('video');
  }

  override updated(changed: Map<string, unknown>): void {
    const { video } = this;
    if (!video || !changed.has('track')) return;
    video.srcObject = this.track ? new MediaStream([this.track]) : null;
    if (this.track) void video.play().catch(() => undefined);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.video) this.video.srcObject = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.requestUpdate('track', null);
  }

  override render() {
    return html`<video muted playsinline autoplay aria-label=${this.label}></video>${this.#guide()}`;
  }

  #guide() {
    if (this.guide === 'none') return nothing;
    const hole =
      this.guide === 'oval'
        ? svg`<ellipse cx="200" cy="145" rx="78" ry="106" />`
        : svg`<rect x="62" y="63" width="276" height="174" rx="14" />`;
    return html`<svg viewBox="0 0 400 300" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <defs>
        <mask id="outside"><rect width="400" height="300" fill="#fff" /><g fill="#000">${hole}</g></mask>
      </defs>
      <rect x="-200" y="-200" width="800" height="700" fill="#0d141b" fill-opacity="0.5" mask="url(#outside)" />
      <g fill="none" stroke="#fff" stroke-width="3" stroke-dasharray="10 7">${hole}</g>
    </svg>`;
  }
}
customElements.define('op-preview', Preview);
