import { expect, test, vi } from 'vitest';
import { NoPicture, takeStill } from '../src/core/checks/still';
import { Hands } from './helpers';

test('a camera that gives no frame is told apart from a line that takes no picture', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const silent = { videoWidth: 0, readyState: 0 } as HTMLVideoElement;
    const taken = expect(takeStill(silent, 'face', new Hands().clock)).rejects.toThrow(NoPicture);
    await vi.advanceTimersByTimeAsync(6_000);
    await taken;
  } finally {
    vi.useRealTimers();
  }
});
