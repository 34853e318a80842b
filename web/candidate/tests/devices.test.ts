import { expect, test } from 'vitest';
import { DeviceDesk, DeviceError } from '../src/core/desk';
import { ScreenDesk, ShareError } from '../src/core/screen';

/** A browser whose question to the candidate is answered when the test says so. */
class BrowserMedia extends EventTarget {
  answer: (stream: MediaStream) => void = () => undefined;
  asked = 0;

  getUserMedia(): Promise<MediaStream> {
    this.asked += 1;
    return new Promise((resolve) => {
      this.answer = resolve;
    });
  }

  getDisplayMedia(): Promise<MediaStream> {
    return this.getUserMedia();
  }

  get asMedia(): MediaDevices {
    return this as unknown as MediaDevices;
  }
}

class Track extends EventTarget {
  readyState: MediaStreamTrackState = 'live';
  label = 'a device';
  getSettings = () => ({ displaySurface: 'monitor', width: 1280, height: 720 });
  stop = () => {
    this.readyState = 'ended';
  };

  get stream(): MediaStream {
    return { getTracks: () => [this], getVideoTracks: () => [this] } as unknown as MediaStream;
  }
}

test('a camera that is allowed after everything was let go is switched off again', async () => {
  const media = new BrowserMedia();
  const desk = new DeviceDesk(media.asMedia, undefined);
  const opened = desk.open('camera');
  const track = new Track();
  desk.close();
  media.answer(track.stream);
  await expect(opened).rejects.toThrow(DeviceError);
  expect(track.readyState).toBe('ended');
  expect(desk.track('camera')).toBeNull();
  await expect(desk.open('camera')).rejects.toThrow(DeviceError);
  expect(media.asked).toBe(1);
});

test('a screen that is shared after everything was let go is not kept', async () => {
  const media = new BrowserMedia();
  const screen = new ScreenDesk(media.asMedia, undefined, true);
  const shared = screen.share();
  const track = new Track();
  screen.close();
  media.answer(track.stream);
  await expect(shared).rejects.toThrow(ShareError);
  expect(track.readyState).toBe('ended');
  expect(screen.track).toBeNull();
});
