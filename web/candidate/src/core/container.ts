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

/** True when these MP4 bytes hold a fragment with media, not the start of the file alone. */
export function holdsFragment(bytes: ArrayBuffer): boolean {
  const view = new DataView(bytes);
  let position = 0;
  while (position + 8 <= bytes.byteLength) {
    const size = view.getUint32(position);
    if (view.getUint32(position + 4) === 0x6d6f6f66 /* moof */) return true;
    if (size === 1 && position + 16 <= bytes.byteLength) {
      position += Number(view.getBigUint64(position + 8));
    } else if (size >= 8) {
      position += size;
    } else {
      return false;
    }
  }
  return false;
}
