/** What one player has to do to stay with the common clock: a pure rule, asked again on every tick. */

export interface PlayerStatus {
  /** Where the clock wants the player on its playlist, in s; null where the track has no recording. */
  target: number | null;
  /** Where the player is, in s. */
  current: number;
  seeking: boolean;
  /** Has the picture for `current` and something after it (readyState ≥ 3). */
  ready: boolean;
  playing: boolean;
  /** Speed of the clock. */
  rate: number;
  /** The leader carries the sound: the clock follows it, so that the sound is never bent. */
  leader: boolean;
}

export type Steering =
  | { do: 'nothing-recorded' }
  | { do: 'wait' }
  | { do: 'seek'; to: number }
  | { do: 'run'; rate: number; nudge: number };

/** Farther off than this and bending the speed takes too long: jump. In s of recording at speed 1. */
export const JUMP_S = 0.3;
/** Nearer than this is in step: less than a frame of the camera. */
export const STEP_S = 0.03;
const STRONGEST_BEND = 0.12;

/** At high speed a tick covers more recording, so the same real delay is a larger distance. */
export const jumpAt = (rate: number): number => JUMP_S * Math.max(1, rate);

export function steer(status: PlayerStatus): Steering {
  const { target, current, seeking, ready, playing, rate, leader } = status;
  if (target === null) return { do: 'nothing-recorded' };
  if (seeking) return { do: 'wait' };
  const ahead = current - target;
  if (Math.abs(ahead) > (playing ? jumpAt(rate) : STEP_S)) return { do: 'seek', to: target };
  if (!ready) return { do: 'wait' };
  if (!playing || Math.abs(ahead) <= STEP_S) return { do: 'run', rate, nudge: 0 };
  if (leader) return { do: 'run', rate, nudge: ahead };
  const bend = Math.max(-STRONGEST_BEND, Math.min(STRONGEST_BEND, -ahead));
  return { do: 'run', rate: rate * (1 + bend), nudge: 0 };
}

/** Speeds offered; the browser still plays sound with its pitch kept at all of them. */
export const SPEEDS = [0.5, 1, 1.5, 2, 4, 8] as const;

/** The next speed in a direction, staying at the ends. */
export function nextSpeed(rate: number, direction: 1 | -1): number {
  const faster = SPEEDS.filter((speed) => (direction > 0 ? speed > rate : speed < rate));
  return (direction > 0 ? faster[0] : faster.at(-1)) ?? rate;
}
