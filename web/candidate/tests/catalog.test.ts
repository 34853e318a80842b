import { expect, test } from 'vitest';
import { EVENT_NAMES, type EventKey, eventId } from '../src/core/catalog';

const FIXED: Partial<Record<EventKey, number>> = {
  focusIn: 4,
  focusOut: 5,
  idle: 6,
  active: 7,
  screenStopped: 12,
  recordingStarted: 13,
  recordingStopped: 14,
  notificationsGranted: 17,
  notificationsDenied: 18,
  cameraPassed: 26,
  cameraFailed: 27,
  audioPassed: 34,
  cameraDetected: 60,
  documentCaptured: 145,
  faceCaptured: 146,
  screenShared: 149,
  screenDenied: 150,
  socketFailed: 158,
  microphoneDetected: 159,
};

test('every event the page can raise is in the catalog, and a candidate may raise it', () => {
  for (const key of Object.keys(EVENT_NAMES) as EventKey[]) expect(eventId(key), key).toBeGreaterThan(0);
});

test('the numbers other systems know are the numbers we send', () => {
  for (const [key, id] of Object.entries(FIXED)) expect(eventId(key as EventKey), key).toBe(id);
});
