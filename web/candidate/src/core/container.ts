/** Which container and codecs this browser records, and the little we need to know of their bytes. */

export interface RecorderType {
  /** Asked of MediaRecorder. */
  mimeType: string;
  /** Said to the server. */
  contentType: 'video/mp4' | 'video/webm';
}

const WITH_SOUND = [
  'video/mp4;codecs="avc1.42E01E,opus"',
  'video/mp4;codecs="avc1.42E01E,mp4a.40.2"',
  'video/mp4',
  'video/webm;codecs="vp9,opus"',
  'video/webm;codecs="vp8,opus"',
  'video/webm',
];
const WITHOUT_SOUND = [
  'video/mp4;codecs="avc1.42E01E"',
  'video/mp4',
  'video/webm;codecs="vp9"',
  'video/webm;codecs="vp8"',
  'video/webm',
];

/** The first type this browser can record, or null when it can record none. */
export function recorderType(
  sound: boolean,
  supported: (type: string) => boolean = (type) =>
    typeof MediaRecorder !== 'undefined' && MediaRecorder.isTypeSupported(type),
): RecorderType | null {
  const mimeType = (sound ? WITH_SOUND : WITHOUT_SOUND).find(supported);
  if (!mimeType) return null;
  return { mimeType, contentType: mimeType.startsWith('video/mp4') ? 'video/mp4' : 'video/webm' };
}

interface Box {
  kind: number;
  start: number;
  body: number;
  end: number;
}

const MOOV = 0x6d6f6f76;
const MOOF = 0x6d6f6f66;
const MDAT = 0x6d646174;

/** The boxes of an MP4 file, one level deep; null in place of one that is cut off or damaged, and nothing after it. */
function* boxesOf(bytes: ArrayBuffer): Generator<Box | null> {
  const view = new DataView(bytes);
  let start = 0;
  while (start < bytes.byteLength) {
    if (start + 8 > bytes.byteLength) return yield null;
    const size = view.getUint32(start);
    const large = size === 1;
    if (large && start + 16 > bytes.byteLength) return yield null;
    const body = start + (large ? 16 : 8);
    const end = start + (large ? Number(view.getBigUint64(start + 8)) : size);
    if (end < body || end > bytes.byteLength) return yield null;
    yield { kind: view.getUint32(start + 4), start, body, end };
    start = end;
  }
}

/** True when these MP4 bytes hold a fragment with media, not the start of the file alone. */
export function holdsFragment(bytes: ArrayBuffer): boolean {
  for (const box of boxesOf(bytes)) if (box?.kind === MOOF) return true;
  return false;
}

/** True for the first chunk of a part: it tells how to play the others. In WebM every chunk is a part of its own. */
export function beginsPart(contentType: string, bytes: ArrayBuffer): boolean {
  if (contentType !== 'video/mp4') return true;
  for (const box of boxesOf(bytes)) if (box?.kind === MOOV) return true;
  return false;
}

/** An MP4 chunk without the content of its `mdat` boxes: what describes the media. Null for bytes that are no whole MP4. */
export function chunkIndex(bytes: ArrayBuffer): Uint8Array<ArrayBuffer> | null {
  const parts: Uint8Array[] = [];
  for (const box of boxesOf(bytes)) {
    if (box === null) return null;
    parts.push(new Uint8Array(bytes, box.start, (box.kind === MDAT ? box.body : box.end) - box.start));
  }
  const index = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    index.set(part, at);
    at += part.byteLength;
  }
  return index.byteLength > 0 ? index : null;
}
