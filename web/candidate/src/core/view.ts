import type { FinishProgress } from './finish';
import type { RecordingState } from './recording';
import type { CheckId, CheckState, Room, SessionState } from './types';

export type Phase =
  | 'checks'
  | 'waiting'
  | 'exam'
  | 'finishing'
  | 'ended'
  | 'declined'
  | 'replaced'
  | 'locked-out'
  | 'signed-out';
export type LineLook = 'online' | 'reconnecting';

/** Everything a screen needs to know, in one piece; a new object at each change. */
export interface SessionView {
  phase: Phase;
  room: Room;
  checks: Partial<Record<CheckId, CheckState>>;
  line: LineLook;
  /** Chunks and events kept here and not yet acknowledged. */
  backlog: { chunks: number; bytes: number; events: number };
  recording: RecordingState;
  paused: { reason: string } | null;
  deadlineAt: number | null;
  /** The screen was shared for this exam and is not any more. */
  screenLost: boolean;
  cameraLost: boolean;
  microphoneLost: boolean;
  fullScreenLost: boolean;
  storageLow: boolean;
  /** The page was loaded without a line: the exam's own page waits for it. */
  frameHeld: boolean;
  messages: { id: number; text: string; at: number }[];
  finishing: FinishProgress | null;
  /** `late`: chunks that could not be sent before the server closed the session. */
  ended: { how: SessionState; complete: boolean; late: number; reason: string } | null;
}

/** Before anything happened. */
export function firstView(room: Room, recording: RecordingState): SessionView {
  return {
    phase: 'checks',
    room,
    checks: {},
    line: 'reconnecting',
    backlog: { chunks: 0, bytes: 0, events: 0 },
    recording: recording,
    paused: null,
    deadlineAt: room.deadline_at,
    screenLost: false,
    cameraLost: false,
    microphoneLost: false,
    fullScreenLost: false,
    storageLow: false,
    frameHeld: false,
    messages: [],
    finishing: null,
    ended: null,
  };
}
