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
        width: min(100%, calc(min(var(--tallest, 38vh), 25rem) * var(--ratio, 1.3333)));
        aspect-ratio: var(--ratio, 1.3333);
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
    return html`<video
        muted
        playsinline
        autoplay
        aria-label=${this.label}
        @resize=${this.#sized}
        @loadedmetadata=${this.#sized}
      ></video>${this.#guide()}`;
  }

  /** The box takes the shape of the picture, so that nothing is cut off and no bars are shown. */
  #sized(): void {
    const { video } = this;
    if (video && video.videoWidth > 0) {
      this.style.setProperty('--ratio', (video.videoWidth / video.videoHeight).toFixed(4));
    }
  }

  #guide() {
    if (this.guide === 'none') return nothing;
    const hole =
      this.guide === 'oval'
        ? svg`<ellipse cx="200" cy="145" rx="78" ry="106" />`
        : svg`<rect x="42" y="50" width="316" height="199" rx="14" />`;
    return html`<svg viewBox="0 0 400 300" preserveAspectRatio="xMidYMid meet" aria-hidden="true">
      <defs>
        <mask id="outside" maskUnits="userSpaceOnUse" x="-200" y="-200" width="800" height="700">
          <rect x="-200" y="-200" width="800" height="700" fill="#fff" /><g fill="#000">${hole}</g></mask>
      </defs>
      <rect x="-200" y="-200" width="800" height="700" fill="#0d141b" fill-opacity="0.5" mask="url(#outside)" />
      <g fill="none" stroke="#fff" stroke-width="3" stroke-dasharray="10 7">${hole}</g>
    </svg>`;
  }
}
customElements.define('op-preview', Preview);
