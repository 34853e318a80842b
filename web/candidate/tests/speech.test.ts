import { expect, test } from 'vitest';
import { type Hearing, SpeechJudge, soundFrame } from '../src/core/checks/speech';

const RATE = 48_000;
const WINDOW = 2_048;
const STEP = RATE / 30;

/** Sound as a function of time in seconds, heard as the page hears it. */
function listen(sound: (t: number) => number, seconds: number): Hearing {
  const judge = new SpeechJudge();
  let hearing: Hearing | null = null;
  const samples = new Float32Array(WINDOW);
  for (let end = WINDOW; end < seconds * RATE; end += STEP) {
    for (let i = 0; i < WINDOW; i += 1) samples[i] = sound((end - WINDOW + i) / RATE);
    hearing = judge.hear(soundFrame(samples, RATE, (end / RATE) * 1_000));
    if (hearing.passed) break;
  }
  return hearing!;
}

let seed = 1;
/** Noise of the same size every run. */
function noise(level: number): number {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return (seed / 1_073_741_824 - 1) * level;
}

const VOWELS = [
  [730, 1_090, 2_440],
  [270, 2_290, 3_010],
  [570, 840, 2_410],
  [530, 1_840, 2_480],
  [300, 870, 2_240],
];

/** A voice of 120 Hz: harmonics shaped by the formants of a vowel, a new one each syllable, four a second. */
function voice(t: number, loud: number): number {
  const syllable = Math.floor(t * 4);
  const within = (t * 4) % 1;
  const envelope = within < 0.7 ? Math.sin((Math.PI * within) / 0.7) : 0;
  const formants = VOWELS[syllable % VOWELS.length]!;
  const pitch = 120 + 15 * Math.sin(t * 3);
  let sum = 0;
  for (let k = 1; k * pitch < 4_000; k += 1) {
    const hz = k * pitch;
    const gain = formants.reduce((most, f) => Math.max(most, 1 / (1 + ((hz - f) / 90) ** 2)), 0.01);
    sum += (gain * Math.sin(2 * Math.PI * hz * t)) / Math.sqrt(k);
  }
  return sum * envelope * loud;
}

test('speech above the noise of the room is heard within a few seconds', () => {
  const hearing = listen((t) => noise(0.002) + (t > 1 ? voice(t, 0.1) : 0), 6);
  expect(hearing.passed).toBe(true);
  expect(hearing.speechLevel).toBeGreaterThan(hearing.floor + 10);
  expect(hearing.speechMs).toBeGreaterThan(300);
});

test('quiet speech in a quiet room is heard too', () => {
  expect(listen((t) => noise(0.0003) + (t > 1 ? voice(t, 0.01) : 0), 8).passed).toBe(true);
});

test.each<[string, (t: number) => number]>([
  ['silence', () => 0],
  ['the noise of the room', () => noise(0.01)],
  ['a loud steady noise', () => noise(0.3)],
  ['a steady tone', (t) => 0.3 * Math.sin(2 * Math.PI * 440 * t)],
  ['a tone that begins late', (t) => noise(0.001) + (t > 3 ? 0.3 * Math.sin(2 * Math.PI * 880 * t) : 0)],
  [
    'a mains hum with its harmonics',
    (t) =>
      [1, 2, 3, 4, 6, 8].reduce(
        (sum, k) => sum + (0.1 / k) * Math.sin(2 * Math.PI * 50 * k * t),
        noise(0.002),
      ),
  ],
  ['a beep every second', (t) => noise(0.002) + (t % 1 < 0.2 ? 0.3 * Math.sin(2 * Math.PI * 1_000 * t) : 0)],
  ['quick beeps', (t) => noise(0.002) + ((t * 4) % 1 < 0.5 ? 0.3 * Math.sin(2 * Math.PI * 600 * t) : 0)],
  [
    'a buzzer that goes on and off',
    (t) =>
      noise(0.002) +
      ((t * 3) % 1 < 0.5
        ? [1, 2, 3, 4, 5, 6, 7, 8].reduce((s, k) => s + 0.05 * Math.sin(2 * Math.PI * 200 * k * t), 0)
        : 0),
  ],
  ['a fan that swings', (t) => noise(0.05 * (1 + 0.3 * Math.sin(2 * Math.PI * 4 * t)))],
  ['knocking', (t) => noise(0.001) + ((t * 3) % 1 < 0.02 ? noise(0.6) : 0)],
])('%s never passes', (_name, sound) => {
  expect(listen(sound, 9).passed).toBe(false);
});
