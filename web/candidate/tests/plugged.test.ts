import { expect, test } from 'vitest';
import { DeviceDesk } from '../src/core/desk';
import { EventQueue } from '../src/core/queue';
import { DeviceSensor } from '../src/core/sensors/devices';
import type { BatchAnswer } from '../src/core/types';
import { freshStore, Hands, until } from './helpers';

/** The devices of a browser, as the test plugs them in. */
class BrowserMedia extends EventTarget {
  cameras = ['built in'];

  async enumerateDevices(): Promise<MediaDeviceInfo[]> {
    return this.cameras.map(
      (id) => ({ kind: 'videoinput', deviceId: id, label: id }) as unknown as MediaDeviceInfo,
    );
  }

  async getUserMedia(): Promise<MediaStream> {
    const track = Object.assign(new EventTarget(), {
      readyState: 'live',
      label: 'built in',
      getSettings: () => ({ deviceId: 'built in' }),
      stop: () => undefined,
    });
    return { getTracks: () => [track] } as unknown as MediaStream;
  }
}

test('a camera that the browser announces twice in a row is reported once', async () => {
  const store = await freshStore();
  const { clock } = new Hands();
  const queue = new EventQueue(store, 'session', clock, 'page');
  await queue.load();
  const media = new BrowserMedia();
  const desk = new DeviceDesk(media as unknown as MediaDevices, undefined);
  const sensor = new DeviceSensor(desk, queue, store, 'session', () => clock.pageNow());
  sensor.start();
  await desk.open('camera');
  await sensor.reportPresent('camera');

  media.cameras.push('plugged in');
  media.dispatchEvent(new Event('devicechange'));
  media.dispatchEvent(new Event('devicechange'));
  media.cameras.push('another');
  media.dispatchEvent(new Event('devicechange'));
  const labels: unknown[] = [];
  queue.useCarrier({
    ready: true,
    maxBatch: 10,
    async send({ events }): Promise<BatchAnswer> {
      labels.push(...events.map((event) => event.data.label));
      return { acknowledged: events.map((event) => event.seq), refused: [] };
    },
  });
  await until(() => labels.includes('another'), 'the last one is reported');
  await sensor.reportPresent('camera');
  await queue.settled();
  await until(() => queue.waiting === 0, 'all is sent');
  expect([...labels].sort()).toEqual(['another', 'built in', 'plugged in']);
});
