import { type Api, ApiProblem, NoAnswer } from '../api';
import type { Clock } from '../clock';
import { sha256Base64 } from '../digest';
import { ulid } from '../ids';
import type { CaptureAnswer, CaptureKind } from '../types';

export interface Still {
  id: string;
  kind: CaptureKind;
  image: Blob;
  digest: string;
  capturedAt: number;
}

const LONGEST_SIDE = 1920;
/** A quick candidate presses the button before the preview of a new step has its first frame. */
const FIRST_FRAME_MS = 5_000;

/** The camera is open and gives nothing. */
export class NoPicture extends Error {}

/** Waits until the element shows something. Throws NoPicture. */
async function firstFrame(video: HTMLVideoElement): Promise<void> {
  const deadline = performance.now() + FIRST_FRAME_MS;
  while (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
    if (performance.now() > deadline) throw new NoPicture('the camera shows no picture');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Takes the picture a video element shows now, unmirrored, as JPEG. */
export async function takeStill(video: HTMLVideoElement, kind: CaptureKind, clock: Clock): Promise<Still> {
  await firstFrame(video);
  const { videoWidth, videoHeight } = video;
  const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(videoWidth * scale);
  canvas.height = Math.round(videoHeight * scale);
  const capturedAt = clock.now();
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  const image = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  if (!image) throw new Error('the picture could not be made');
  return {
    id: ulid(capturedAt),
    kind,
    image,
    digest: await sha256Base64(await image.arrayBuffer()),
    capturedAt,
  };
}

const TRIES = 6;

/** Sends a still; a broken line is tried again with the same id, so that it is never kept twice. */
export async function sendStill(api: Api, session: string, still: Still): Promise<CaptureAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await api.capture(session, still)).body;
    } catch (error) {
      const passing =
        error instanceof NoAnswer ||
        (error instanceof ApiProblem && (error.status >= 500 || error.status === 429));
      if (!passing || attempt >= TRIES) throw error;
      const wait = error instanceof ApiProblem ? error.retryAfterMs : null;
      await new Promise((resolve) => setTimeout(resolve, wait ?? Math.min(8_000, 500 * 2 ** attempt)));
    }
  }
}
