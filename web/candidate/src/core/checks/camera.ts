/** Looks at a live picture long enough to say whether the camera really works. */

export type CameraFault = 'black' | 'frozen' | 'small' | 'slow';

export interface CameraMeasures {
  width: number;
  height: number;
  /** Frames a second, measured. */
  frameRate: number;
  /** Mean of the picture, 0 to 255, and how much it varies over the picture. */
  brightness: number;
  spread: number;
  /** Largest mean difference between two looks, 0 to 255. */
  motion: number;
}

export const CAMERA_LIMITS = {
  width: 320,
  height: 240,
  frameRate: 5,
  brightness: 14,
  spread: 8,
  motion: 0,
} as const;

/** What these measures say; null when the camera is fine. */
export function judgeCamera(measures: CameraMeasures): CameraFault | null {
  if (measures.frameRate === 0) return 'frozen';
  if (measures.brightness < CAMERA_LIMITS.brightness && measures.spread < CAMERA_LIMITS.spread)
    return 'black';
  // A real sensor is never silent: pictures equal to the last bit come from a frozen source.
  if (measures.motion <= CAMERA_LIMITS.motion) return 'frozen';
  if (measures.width < CAMERA_LIMITS.width || measures.height < CAMERA_LIMITS.height) return 'small';
  if (measures.frameRate < CAMERA_LIMITS.frameRate) return 'slow';
  return null;
}

/** Mean and spread of the luma of RGBA pixels. */
export function lumaOf(rgba: Uint8ClampedArray): { mean: number; spread: number } {
  let sum = 0;
  let squares = 0;
  const count = rgba.length / 4;
  for (let i = 0; i < rgba.length; i += 4) {
    const luma = 0.299 * rgba[i]! + 0.587 * rgba[i + 1]! + 0.114 * rgba[i + 2]!;
    sum += luma;
    squares += luma * luma;
  }
  const mean = sum / count;
  return { mean, spread: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

export function difference(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) if (i % 4 !== 3) sum += Math.abs(a[i]! - b[i]!);
  return sum / ((a.length / 4) * 3);
}

const LOOK_EVERY_MS = 120;
const WHOLE = { width: 64, height: 48 };

type FrameVideo = HTMLVideoElement & {
  requestVideoFrameCallback?: (heard: () => void) => number;
  cancelVideoFrameCallback?: (id: number) => void;
};

/** Measures a playing video element until `signal` aborts; a report comes with every look. */
export async function watchCamera(
  video: HTMLVideoElement,
  report: (measures: CameraMeasures, elapsedMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const small = canvas(WHOLE.width, WHOLE.height);
  const detail = canvas(160, 120);
  let frames = 0;
  let firstFrameAt = 0;
  let lastFrameAt = 0;
  const stopCounting = countFrames(video, () => {
    const now = performance.now();
    if (frames === 0) firstFrameAt = now;
    frames += 1;
    lastFrameAt = now;
  });
  const startedAt = performance.now();
  let lastSmall: Uint8ClampedArray | null = null;
  let lastDetail: Uint8ClampedArray | null = null;
  let motion = 0;
  try {
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      const { videoWidth: width, videoHeight: height } = video;
      const elapsed = performance.now() - startedAt;
      if (width === 0) {
        report({ width, height, frameRate: 0, brightness: 0, spread: 0, motion: 0 }, elapsed);
        continue;
      }
      small.drawImage(video, 0, 0, WHOLE.width, WHOLE.height);
      // A piece in full resolution keeps the sensor's noise, which a shrunk picture would average away.
      detail.drawImage(video, (width - 160) / 2, (height - 120) / 2, 160, 120, 0, 0, 160, 120);
      const smallNow = small.getImageData(0, 0, WHOLE.width, WHOLE.height).data;
      const detailNow = detail.getImageData(0, 0, 160, 120).data;
      if (lastSmall && lastDetail) {
        motion = Math.max(motion, difference(smallNow, lastSmall), difference(detailNow, lastDetail));
      }
      lastSmall = smallNow;
      lastDetail = detailNow;
      const { mean, spread } = lumaOf(smallNow);
      const span = lastFrameAt - firstFrameAt;
      const frameRate = frames > 1 && span > 0 ? ((frames - 1) / span) * 1000 : 0;
      report({ width, height, frameRate, brightness: mean, spread, motion }, elapsed);
    }
  } finally {
    stopCounting();
  }
}

function canvas(width: number, height: number): CanvasRenderingContext2D {
  const element = document.createElement('canvas');
  element.width = width;
  element.height = height;
  const context = element.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('canvas is not available');
  return context;
}

function countFrames(video: FrameVideo, heard: () => void): () => void {
  if (video.requestVideoFrameCallback) {
    let id = 0;
    let on = true;
    const next = () => {
      if (!on) return;
      heard();
      id = video.requestVideoFrameCallback!(next);
    };
    id = video.requestVideoFrameCallback(next);
    return () => {
      on = false;
      video.cancelVideoFrameCallback?.(id);
    };
  }
  let last = video.getVideoPlaybackQuality().totalVideoFrames;
  const timer = setInterval(() => {
    const now = video.getVideoPlaybackQuality().totalVideoFrames;
    for (; last < now; last += 1) heard();
  }, 30);
  return () => clearInterval(timer);
}
