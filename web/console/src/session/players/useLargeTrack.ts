import { useLocalStorage } from '@mantine/hooks';
import type { TrackLane } from '../timeline/scene';

export interface LargeTrack {
  /** The track shown large; null when the session has none. */
  track: string | null;
  set: (track: string) => void;
  /** Makes the next track the large one. */
  swap: () => void;
}

/** Which recording is shown large: the viewer's last choice, also in other sessions. */
export function useLargeTrack(tracks: readonly TrackLane[]): LargeTrack {
  const [preferred, set] = useLocalStorage<string>({
    key: 'openproctor-large-track',
    defaultValue: 'camera',
    getInitialValueInEffect: false,
  });
  const index = Math.max(
    0,
    tracks.findIndex((lane) => lane.track === preferred),
  );
  const swap = () => {
    const next = tracks[(index + 1) % Math.max(tracks.length, 1)];
    if (next) set(next.track);
  };
  return { track: tracks[index]?.track ?? null, set, swap };
}
