/** The wire types of the candidate's API. Times are integer ms since 1970 UTC, durations end in `_ms`. */

export type CheckId =
  | 'consent'
  | 'browser'
  | 'camera'
  | 'microphone'
  | 'notifications'
  | 'face'
  | 'document'
  | 'room'
  | 'screen';

export type TrackName = 'camera' | 'screen';
export const TRACKS: readonly TrackName[] = ['camera', 'screen'];

export type SessionState =
  | 'created'
  | 'checking'
  | 'waiting'
  | 'running'
  | 'paused'
  | 'completed'
  | 'terminated'
  | 'expired';

export type CheckState = 'open' | 'passed' | 'failed' | 'skipped';
export type CaptureKind = 'face' | 'document' | 'room' | 'camera_test';
export type Outcome = 'finished' | 'time_up';

export interface TrackPolicy {
  width: number;
  height: number;
  frame_rate: number;
  video_bits_per_second: number;
  audio?: boolean;
  audio_bits_per_second?: number;
}

export interface Policy {
  stake: 'low' | 'medium' | 'high';
  checks: CheckId[];
  tracks: Partial<Record<TrackName, TrackPolicy>>;
  whole_screen: boolean;
  notifications_required: boolean;
  document_face_required: boolean;
  room_pictures: number;
  full_screen: boolean;
  minutes: number | null;
  idle_ms: number;
  focus_debounce_ms: number;
  offline_ms: number;
  recording_stall_ms: number;
  chunk_ms: number;
  retention_days: number;
  help: string | null;
}

export interface ConsentText {
  title: string;
  paragraphs: string[];
  recorded: string[];
  by: string;
  kept_days: number;
}

export interface Room {
  session_id: string;
  state: SessionState;
  server_time: number;
  exam: { title: string; url?: string | null };
  candidate: { name: string };
  organization: { name: string };
  attempt: number;
  policy: Policy;
  checks: { id: CheckId; state: CheckState }[];
  deadline_at: number | null;
  started_at: number | null;
  /** Set once the exam has ended and only what was recorded is still awaited. */
  finish_requested_at?: number | null;
  /** Highest chunk number stored, -1 when none. */
  recorded_numbers: Partial<Record<TrackName, number>>;
  last_part: Partial<Record<TrackName, number>>;
  consent: { text_digest: string; text: ConsentText };
  /** Recordings may go straight to the object store. */
  direct_upload: boolean;
}

export interface Joined {
  session_id: string;
  candidate_token: string;
  expires_at: number;
  room: Room;
}

export interface Reason {
  code: string;
  message: string;
}

export interface CheckResult {
  passed: boolean;
  reasons: Reason[];
  measures?: Record<string, unknown>;
}

export interface CaptureAnswer {
  id: string;
  kind: CaptureKind;
  digest: string;
  width: number;
  height: number;
  check: CheckResult | null;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  what_to_do?: string;
  [more: string]: unknown;
}

export interface Evidence {
  kind: 'capture';
  id: string;
}

export interface WireEvent {
  seq: number;
  type_id: number;
  at: number;
  data: Record<string, unknown>;
  evidence?: Evidence[];
}

export interface Refusal {
  seq: number;
  type: string;
  title?: string;
  detail?: string;
}

export interface BatchAnswer {
  acknowledged: number[];
  refused: Refusal[];
}

export interface Manifest {
  streams: Record<string, number>;
  tracks: Partial<Record<TrackName, number>>;
}

export interface FinishAnswer {
  state: SessionState;
  missing: { events?: number; chunks?: Partial<Record<TrackName, number[]>> };
}

/** A place in the object store for one chunk. */
export interface UploadLink {
  number: number;
  upload: string;
  url: string;
}

/** What the server says of a chunk it holds; the digest in hex. */
export interface StoredChunk {
  track: TrackName;
  number: number;
  digest: string;
}

export interface ChunkUpload {
  number: number;
  part: number;
  partStartedAt: number;
  contentType: string;
  digest: string;
  bytes: ArrayBuffer;
}
