/** Wire shapes of the REST API. Times are integer ms since 1970 UTC, durations end in `_ms`, media positions are seconds. */

import type { Severity } from '../severity/severity';

export type SessionState =
  | 'created'
  | 'checking'
  | 'waiting'
  | 'running'
  | 'paused'
  | 'completed'
  | 'terminated'
  | 'expired';

export interface Person {
  id: string | null;
  name: string;
  email: string;
  organization: { id: string; name: string };
}

export interface Exam {
  id: string;
  title: string;
  url: string | null;
  created_at: number;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type CheckState = 'open' | 'passed' | 'failed' | 'skipped';

export interface Check {
  id: string;
  state: CheckState;
  at: number | null;
  event_sequence: number | null;
}

export interface TrackSummary {
  track: string;
  from: number | null;
  until: number | null;
  recorded_ms: number;
  chunks: number;
  complete: boolean;
  playlist: string;
}

export interface TrackPolicy {
  width?: number;
  height?: number;
  frame_rate?: number;
  video_bits_per_second?: number;
  audio?: boolean;
  audio_bits_per_second?: number;
}

export interface Policy {
  stake?: 'low' | 'medium' | 'high';
  checks?: string[];
  tracks?: Record<string, TrackPolicy | null>;
  detectors?: Record<string, boolean>;
  whole_screen?: boolean;
  notifications_required?: boolean;
  document_face_required?: boolean;
  room_pictures?: number;
  full_screen?: boolean;
  minutes?: number | null;
  idle_ms?: number;
  focus_debounce_ms?: number;
  offline_ms?: number;
  recording_stall_ms?: number;
  chunk_ms?: number;
  hold_ms?: Record<string, number>;
  retention_days?: number;
  help?: string | null;
}

/** A session as the list shows it. */
export interface SessionSummary {
  id: string;
  state: SessionState;
  exam: { id: string; title: string; url: string | null };
  candidate: { external_id: string; name: string; email: string | null };
  attempt: number;
  created_at: number;
  joined_at: number | null;
  started_at: number | null;
  deadline_at: number | null;
  finish_requested_at: number | null;
  completed_at: number | null;
  outcome: string | null;
  connected: boolean;
  findings: Record<Severity, number>;
  last_sequence: number;
}

/** What the analysis does not look for at this candidate, or less strictly. */
export interface Accommodation {
  type_ids: number[];
  what: 'off' | 'relaxed';
  factor?: number | null;
  reason: string;
  by?: string;
  person?: string | null;
  at?: number;
}

/** An accommodation to be granted: who grants it is whoever is signed in. */
export type AccommodationWish = Pick<Accommodation, 'type_ids' | 'what' | 'reason'> & { factor?: number };

export interface Session extends SessionSummary {
  policy: Policy;
  accommodations?: Accommodation[];
  checks: Check[];
  tracks: TrackSummary[];
}

export type Evidence =
  | { kind: 'capture'; id: string; url?: string }
  | { kind: 'chunk'; track: string; number: number; digest: string };

export type EventData = Record<string, unknown>;

export interface SessionEvent {
  sequence: number;
  type_id: number;
  name: string;
  source: string;
  category: string;
  severity: Severity;
  occurred_at: number;
  received_at: number;
  data: EventData;
  evidence: Evidence[];
  link: string;
}

export interface EventPage {
  items: SessionEvent[];
  next: number | null;
}

export interface CaptureReason {
  code: string;
  message?: string;
}

export interface Capture {
  id: string;
  kind: string;
  captured_at: number;
  width: number;
  height: number;
  digest: string;
  measures?: Record<string, unknown> | null;
  reasons?: (CaptureReason | string)[] | null;
  passed?: boolean | null;
  url: string;
}

/** An unbroken stretch of recording: wall time in ms, `position_s` is where it begins on the playlist. */
export interface Span {
  from: number;
  until: number;
  position_s: number;
  part: number;
}

export interface TrackMedia {
  track: string;
  playlist: string;
  complete: boolean;
  duration_s: number;
  spans: Span[];
  gaps: { from: number; until: number }[];
}

export interface PropertySchema {
  type?: string;
  description?: string;
  enum?: string[];
}

export interface EventType {
  id: number;
  name: string;
  source: string[];
  category: string;
  severity: Record<'low' | 'medium' | 'high', Severity>;
  description: string;
  ends?: number[];
  data: { properties?: Record<string, PropertySchema> };
}

export interface Catalog {
  version: number;
  categories: { id: string; name: string }[];
  types: EventType[];
}
