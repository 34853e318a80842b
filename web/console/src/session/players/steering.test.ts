import { describe, expect, it } from 'vitest';
import { JUMP_S, nextSpeed, type PlayerStatus, steer } from './steering';

const inStep: PlayerStatus = {
  target: 10,
  current: 10,
  seeking: false,
  ready: true,
  playing: true,
  rate: 1,
  leader: false,
};

describe('keeping players in step', () => {
  it('shows nothing where the track has no recording, whatever the player does', () => {
    expect(steer({ ...inStep, target: null, seeking: true })).toEqual({ do: 'nothing-recorded' });
  });

  it('leaves a player alone that is in step', () => {
    expect(steer(inStep)).toEqual({ do: 'run', rate: 1, nudge: 0 });
  });

  it('bends the speed of a follower that is a little off, towards the clock', () => {
    const late = steer({ ...inStep, current: 9.9 });
    const early = steer({ ...inStep, current: 10.1 });
    expect(late.do === 'run' && late.rate > 1).toBe(true);
    expect(early.do === 'run' && early.rate < 1).toBe(true);
  });

  it('moves the clock to the leader instead of bending its sound', () => {
    const ahead = steer({ ...inStep, leader: true, current: 10.1 });
    expect(ahead.do).toBe('run');
    if (ahead.do === 'run') {
      expect(ahead.rate).toBe(1);
      expect(ahead.nudge).toBeCloseTo(0.1);
    }
  });

  it('jumps when it is far off, and waits while a jump is under way', () => {
    expect(steer({ ...inStep, current: 12 })).toEqual({ do: 'seek', to: 10 });
    expect(steer({ ...inStep, current: 12, seeking: true })).toEqual({ do: 'wait' });
  });

  it('waits for a picture that is not loaded yet', () => {
    expect(steer({ ...inStep, ready: false })).toEqual({ do: 'wait' });
  });

  it('allows more distance at high speed and none while paused', () => {
    const off = { ...inStep, current: 10 + JUMP_S * 2 };
    expect(steer(off).do).toBe('seek');
    expect(steer({ ...off, rate: 4 }).do).toBe('run');
    expect(steer({ ...inStep, playing: false, current: 10.1 })).toEqual({ do: 'seek', to: 10 });
  });

  it('comes together again within three seconds', () => {
    let clock = 100;
    let follower = 99.75;
    for (let i = 0; i < 60; i++) {
      const todo = steer({ ...inStep, target: clock, current: follower });
      follower += 0.05 * (todo.do === 'run' ? todo.rate : 0);
      clock += 0.05;
    }
    expect(Math.abs(clock - follower)).toBeLessThan(0.05);
  });
});

describe('speeds', () => {
  it('steps through what is offered and stays at the ends', () => {
    expect(nextSpeed(1, 1)).toBe(1.5);
    expect(nextSpeed(1, -1)).toBe(0.5);
    expect(nextSpeed(8, 1)).toBe(8);
    expect(nextSpeed(0.5, -1)).toBe(0.5);
  });
});
