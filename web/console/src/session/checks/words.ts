/** Checks and policy in words. */

import type { CheckState, Policy, TrackPolicy } from '../../api/types';
import { wordLength } from '../../time/format';
import { trackName } from '../events/words';

const CHECKS: Record<string, string> = {
  consent: 'Consent',
  browser: 'Browser',
  camera: 'Camera',
  microphone: 'Microphone',
  notifications: 'Notifications',
  face: 'Face still',
  document: 'Identity document',
  room: 'Room pictures',
  screen: 'Screen sharing',
};
export const checkName = (id: string): string => CHECKS[id] ?? id;

export const CHECK_STATES: Record<CheckState, string> = {
  open: 'Open',
  passed: 'Passed',
  failed: 'Not passed',
  skipped: 'Not required',
};

const DETECTORS: Record<string, string> = {
  faces: 'Faces: none, one, several',
  objects: 'Phones and books',
  face_covered: 'Face covered',
  camera_obscured: 'Camera covered or black',
  camera_frozen: 'Camera picture frozen',
  laptop: 'Second computer',
  speech: 'Speech',
  looking_away: 'Looking away',
  face_mismatch: 'Face differs from the face still',
  virtual_camera: 'Virtual camera',
};

const megabits = (bits: number): string =>
  bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`;

export function trackWords(track: TrackPolicy): string {
  const parts = [];
  if (track.width && track.height) parts.push(`${track.width} × ${track.height}`);
  if (track.frame_rate) parts.push(`${track.frame_rate} pictures/s`);
  if (track.video_bits_per_second) parts.push(megabits(track.video_bits_per_second));
  if (track.audio) parts.push('with sound');
  return parts.join(', ');
}

const STAKES = { low: 'Low', medium: 'Medium', high: 'High' };
const days = (n: number): string => (n === 1 ? '1 day' : `${n} days`);
const yes = (value: boolean | undefined): string => (value ? 'Yes' : 'No');

/** The policy as rows of a table, grouped. */
export function policyRows(policy: Policy): { title: string; rows: [string, string][] }[] {
  const tracks = Object.entries(policy.tracks ?? {}).map(([track, settings]): [string, string] => [
    trackName(track),
    settings ? trackWords(settings) : 'Not recorded',
  ]);
  const detectors = Object.entries(policy.detectors ?? {}).map(([id, on]): [string, string] => [
    DETECTORS[id] ?? id.replaceAll('_', ' '),
    on ? 'Looked for' : 'Off',
  ]);
  const limit = (ms: number | undefined): string => (ms === undefined ? '–' : wordLength(ms));
  return [
    {
      title: 'Exam',
      rows: [
        ['Stake', policy.stake ? STAKES[policy.stake] : '–'],
        ['Time limit', policy.minutes ? `${policy.minutes} min` : 'None'],
        ['Checks', (policy.checks ?? []).map(checkName).join(', ') || 'None'],
        ['Whole screen required', yes(policy.whole_screen)],
        ['Full screen required', yes(policy.full_screen)],
        ['Kept for', policy.retention_days ? days(policy.retention_days) : '–'],
      ],
    },
    { title: 'Recorded', rows: tracks.length > 0 ? tracks : [['Nothing', '']] },
    { title: 'Analysis', rows: detectors },
    {
      title: 'Noted after',
      rows: [
        ['Window left', limit(policy.focus_debounce_ms)],
        ['No input', limit(policy.idle_ms)],
        ['Line lost', limit(policy.offline_ms)],
        ['No recording', limit(policy.recording_stall_ms)],
        ['No face', limit(policy.hold_ms?.['16'])],
        ['Several faces', limit(policy.hold_ms?.['81'])],
      ],
    },
  ];
}
