/** What the parts of the session page share: the data, the clock, the window of the timeline, and the selection. */

import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';
import type { SessionEvent } from '../api/types';
import type { SessionModel } from './model';
import type { Playback, PlaybackState } from './players/playback';
import type { TimelineWindow } from './timeline/timelineWindow';
import type { Range } from './timeline/viewport';

export interface Desk {
  model: SessionModel;
  playback: Playback;
  window: TimelineWindow;
  selected: SessionEvent | null;
  /** Selects an event, brings it into view and, unless told otherwise, takes the players to it. */
  choose: (event: SessionEvent | null, options?: { seek?: boolean }) => void;
  goTo: (at: number) => void;
  stepFinding: (direction: 1 | -1) => void;
  openStill: (captureId: string) => void;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error('useDesk outside of the session page');
  return desk;
}

export const usePlaybackState = (playback: Playback): PlaybackState =>
  useSyncExternalStore(playback.watch, playback.snapshot);

export const useRange = (window: TimelineWindow): Range =>
  useSyncExternalStore(window.watch, window.snapshot);

/** A value that depends on the playhead. Renders again only when the value changes, so it has to be a primitive. */
export function useAtPlayhead<T extends string | number | boolean | null>(
  playback: Playback,
  read: (at: number) => T,
): T {
  const snapshot = useCallback(() => read(playback.at), [playback, read]);
  return useSyncExternalStore(playback.onTick, snapshot);
}
