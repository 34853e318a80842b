/** The event types a candidate's page may raise. Names are the contract; numbers come from the one catalog file. */
import catalog from '@catalog';

type Surface = 'monitor' | 'window' | 'browser' | 'unverified';
type Track = 'camera' | 'screen';
interface Lost {
  label?: string;
  count?: number;
  reason?: string;
}
interface Present {
  count: number;
  label?: string;
  plugged_in?: boolean;
}

/** What each event must carry; the server checks it against the catalog's schema. */
export interface EventData {
  focusIn: { away_ms: number };
  focusOut: { reason: 'blur' | 'hidden' };
  idle: { idle_after_ms: number };
  active: { idle_ms: number };
  screenStopped: { reason?: string };
  recordingStarted: { track: Track; part: number; mime_type: string };
  recordingStopped: { track: Track; reason: string; part?: number; last_number?: number };
  notificationsGranted: { already?: boolean };
  notificationsDenied: { reason: 'refused' | 'blocked' | 'unsupported' };
  cameraPassed: {
    width: number;
    height: number;
    frame_rate: number;
    label?: string;
    brightness?: number;
    evidence_ids?: string[];
  };
  cameraFailed: {
    reason: 'denied' | 'missing' | 'busy' | 'black' | 'frozen' | 'small' | 'slow' | 'error';
    detail?: string;
    label?: string;
    width?: number;
    height?: number;
    frame_rate?: number;
    brightness?: number;
  };
  audioPassed: { level_db: number; noise_floor_db: number; label?: string; speech_ms?: number };
  audioFailed: {
    reason: 'denied' | 'missing' | 'busy' | 'silent' | 'no_speech' | 'error';
    detail?: string;
    level_db?: number;
    noise_floor_db?: number;
    label?: string;
  };
  cameraDetected: Present;
  microphoneDetected: Present;
  cameraLost: Lost;
  microphoneLost: Lost;
  cameraBack: { label?: string; lost_ms?: number };
  microphoneBack: { label?: string; lost_ms?: number };
  documentCaptured: { evidence_id: string };
  faceCaptured: { evidence_id: string };
  screenShared: { surface: Surface; width: number; height: number; label?: string };
  screenDenied: { reason: 'refused' | 'window' | 'browser' | 'unsupported' | 'error'; detail?: string };
  screenResumed: { surface?: Surface; stopped_ms?: number; width?: number; height?: number };
  socketFailed: { attempt: number; error?: string };
  fullScreenExited: Record<string, never>;
  fullScreenEntered: { exited_ms?: number };
  clipboardUsed: { action: 'copy' | 'cut' | 'paste'; length?: number };
  printAttempted: Record<string, never>;
  additionalDisplay: { count?: number };
  windowResized: { width: number; height: number };
  recordingGap: { track: Track; from: number; until: number; numbers?: number[]; reason?: string };
  clockChanged: { change_ms: number; where?: 'candidate' };
  consentGiven: { text_digest: string; language?: string };
  consentRefused: { text_digest?: string };
  messageToProctor: { text: string };
  handRaised: Record<string, never>;
}

export type EventKey = keyof EventData;

export const EVENT_NAMES: Record<EventKey, string> = {
  focusIn: 'Window Focus-In',
  focusOut: 'Window Focus-Out',
  idle: 'User Idle',
  active: 'User Active',
  screenStopped: 'Screen-capture Stopped',
  recordingStarted: 'Recording Started',
  recordingStopped: 'Recording Stopped',
  notificationsGranted: 'Notification Permission Granted',
  notificationsDenied: 'Notification Permission Denied',
  cameraPassed: 'Camera Test Passed',
  cameraFailed: 'Camera Test Failed',
  audioPassed: 'Audio Test Passed',
  audioFailed: 'Audio Test Failed',
  cameraDetected: 'Camera Detected',
  microphoneDetected: 'Audio device detected',
  cameraLost: 'Camera Disconnected',
  microphoneLost: 'Microphone Disconnected',
  cameraBack: 'Camera reconnected',
  microphoneBack: 'Microphone reconnected',
  documentCaptured: 'Photo ID capture',
  faceCaptured: 'Face capture',
  screenShared: 'Screen Capture Enabled',
  screenDenied: 'Screen Capture Denied',
  screenResumed: 'Screen capture resumed',
  socketFailed: 'Socket connection failure',
  fullScreenExited: 'Full-screen Exited',
  fullScreenEntered: 'Full-screen Entered',
  clipboardUsed: 'Clipboard Used',
  printAttempted: 'Print Attempted',
  additionalDisplay: 'Additional Display Detected',
  windowResized: 'Window Resized',
  recordingGap: 'Recording Gap',
  clockChanged: 'Clock Changed',
  consentGiven: 'Consent Given',
  consentRefused: 'Consent Refused',
  messageToProctor: 'Message From Candidate',
  handRaised: 'Hand Raised',
};

const idByName = new Map(catalog.types.map((type) => [type.name, type.id]));

/** The catalog number of an event; throws when the shipped catalog does not have it. */
export function eventId(key: EventKey): number {
  const id = idByName.get(EVENT_NAMES[key]);
  if (id === undefined) throw new Error(`The catalog has no event named “${EVENT_NAMES[key]}”.`);
  return id;
}
