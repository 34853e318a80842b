import { expect, test } from 'vitest';
import { type CameraMeasures, difference, judgeCamera, lumaOf } from '../src/core/checks/camera';
import { holdsFragment, recorderType } from '../src/core/container';

const good: CameraMeasures = {
  width: 640,
  height: 480,
  frameRate: 15,
  brightness: 120,
  spread: 40,
  motion: 1.2,
};

test.each<[string, Partial<CameraMeasures>, string | null]>([
  ['a live picture', {}, null],
  ['a lens cover', { brightness: 3, spread: 1 }, 'black'],
  ['a dark room with a lamp in it', { brightness: 11, spread: 30 }, null],
  ['pictures equal to the last bit', { motion: 0 }, 'frozen'],
  ['no picture at all', { frameRate: 0, brightness: 0, spread: 0 }, 'frozen'],
  ['a tiny picture', { width: 176, height: 144 }, 'small'],
  ['three frames a second', { frameRate: 3 }, 'slow'],
])('%s', (_what, change, verdict) => {
  expect(judgeCamera({ ...good, ...change })).toBe(verdict);
});

test('luma and difference of pixels', () => {
  const grey = new Uint8ClampedArray([100, 100, 100, 255, 100, 100, 100, 255]);
  const other = new Uint8ClampedArray([103, 100, 100, 0, 100, 100, 103, 0]);
  expect(lumaOf(grey).mean).toBeCloseTo(100);
  expect(lumaOf(grey).spread).toBeCloseTo(0);
  expect(difference(grey, other)).toBeCloseTo(1);
});

test('MP4 is recorded where the browser can, WebM else', () => {
  expect(recorderType(true, (type) => type.includes('avc1.42E01E,opus'))?.contentType).toBe('video/mp4');
  expect(recorderType(true, (type) => type.startsWith('video/webm'))?.contentType).toBe('video/webm');
  expect(recorderType(true, () => false)).toBeNull();
});

test('a head of a file holds no fragment, media does', () => {
  const boxes = (...names: string[]) => {
    const bytes = new Uint8Array(names.length * 12);
    names.forEach((name, i) => {
      bytes[i * 12 + 3] = 12;
      bytes.set(new TextEncoder().encode(name), i * 12 + 4);
    });
    return bytes.buffer;
  };
  expect(holdsFragment(boxes('ftyp', 'moov'))).toBe(false);
  expect(holdsFragment(boxes('ftyp', 'moov', 'moof', 'mdat'))).toBe(true);
  expect(holdsFragment(new Uint8Array([0, 0, 0, 0, 1, 2, 3, 4, 5]).buffer)).toBe(false);
});
