import { Emitter } from './emitter';
import { Gate } from './gate';
import type { TrackPolicy } from './types';

export type Surface = 'monitor' | 'window' | 'browser' | 'unverified';

export interface SharedScreen {
  surface: Surface;
  width: number;
  height: number;
  label: string;
}

export type ShareFault = 'refused' | 'window' | 'browser' | 'unsupported' | 'error';

export class ShareError extends Error {
  constructor(
    readonly fault: ShareFault,
    detail: string,
  ) {
    super(detail);
    this.name = 'ShareError';
  }
}

/** Hints a browser may follow; what was really picked is looked at afterwards. */
type DisplayOptions = DisplayMediaStreamOptions & {
  monitorTypeSurfaces?: 'include' | 'exclude';
  selfBrowserSurface?: 'include' | 'exclude';
  surfaceSwitching?: 'include' | 'exclude';
};

export function canShareScreen(media: MediaDevices | undefined = navigator.mediaDevices): boolean {
  return typeof media?.getDisplayMedia === 'function';
}

/** The shared display: asks for it, knows which kind of surface it is, and says when it ends. */
export class ScreenDesk extends Emitter<{ ended: { reason: string } }> {
  #track: MediaStreamTrack | null = null;
  readonly #gate = new Gate((detail) => new ShareError('error', detail));
  shared: SharedScreen | null = null;

  constructor(
    private readonly media: MediaDevices,
    private readonly policy: TrackPolicy | undefined,
    private readonly wholeScreen: boolean,
  ) {
    super();
  }

  get track(): MediaStreamTrack | null {
    return this.#track?.readyState === 'live' ? this.#track : null;
  }

  /** Must be called from a click. Throws ShareError. */
  async share(): Promise<SharedScreen> {
    if (!canShareScreen(this.media)) throw new ShareError('unsupported', 'getDisplayMedia is missing');
    const { width = 1280, height = 720, frame_rate = 5 } = this.policy ?? {};
    const options: DisplayOptions = {
      video: {
        displaySurface: 'monitor',
        width: { max: width },
        height: { max: height },
        frameRate: { max: frame_rate },
      },
      audio: false,
      monitorTypeSurfaces: 'include',
      selfBrowserSurface: 'exclude',
      surfaceSwitching: 'exclude',
    };
    let stream: MediaStream;
    try {
      stream = await this.media.getDisplayMedia(options);
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new ShareError(name === 'NotAllowedError' || name === 'AbortError' ? 'refused' : 'error', detail);
    }
    const track = stream.getVideoTracks()[0];
    if (!track) throw new ShareError('error', 'no picture was shared');
    this.#gate.pass(track);
    const settings = track.getSettings() as MediaTrackSettings & { displaySurface?: string };
    const surface = surfaceOf(settings.displaySurface);
    if (this.wholeScreen && (surface === 'window' || surface === 'browser')) {
      track.stop();
      throw new ShareError(surface, track.label);
    }
    this.release();
    this.#track = track;
    track.contentHint = 'detail';
    track.addEventListener('ended', () => {
      if (this.#track !== track) return;
      this.#track = null;
      this.shared = null;
      this.emit('ended', { reason: 'track ended' });
    });
    this.shared = { surface, width: settings.width ?? 0, height: settings.height ?? 0, label: track.label };
    return this.shared;
  }

  /** Ends sharing for good: what an answer to the browser's question still opens is closed at once. */
  close(): void {
    this.#gate.close();
    this.release();
  }

  /** Ends sharing ourselves; not a loss. */
  release(): void {
    const track = this.#track;
    this.#track = null;
    this.shared = null;
    track?.stop();
  }
}

/** Where the browser does not say (Firefox), we do not guess. */
function surfaceOf(value: string | undefined): Surface {
  return value === 'monitor' || value === 'window' || value === 'browser' ? value : 'unverified';
}
