/**
 * Tells speech from everything else a microphone hears, well enough for a sound check. Speech is loud against the room,
 * comes in syllables (the level rises and falls several times a second), is voiced, spread over many bands, and sounds
 * different from one syllable to the next. A tone, a hum, a fan or a beeping device lacks at least one of these.
 */

export interface SoundFrame {
  /** ms, any steady clock. */
  at: number;
  /** Level of the speech band, 150 to 4000 Hz, dBFS. */
  level: number;
  /** Shape of the spectrum: dB of each band against the strongest, -30 at the lowest. */
  shape: number[];
  /** Strength of a pitch between 75 and 350 Hz, 0 to 1. */
  voiced: number;
}

export interface Hearing {
  /** Smoothed level and the floor of the room, dBFS. */
  level: number;
  floor: number;
  /** Speech heard so far, ms. */
  speechMs: number;
  /** Median level of the syllables, dBFS. */
  speechLevel: number;
  syllables: number;
  passed: boolean;
}

export const SPEECH = {
  /** A syllable must stand this far above the floor, and rise and fall by so much, dB. */
  aboveFloor: 10,
  swing: 6,
  shortestMs: 50,
  longestMs: 700,
  windowMs: 5_000,
  syllables: 5,
  voicedSyllables: 3,
  /** Mean difference of the spectra of neighbouring syllables, dB; a beep that repeats stays below. */
  change: 2.5,
  /** Bands within 20 dB of the strongest; a tone has fewer. */
  bands: 5,
  quietest: -80,
} as const;

interface Syllable {
  at: number;
  ms: number;
  peak: number;
  shape: number[];
  voiced: number;
}

interface Rise {
  since: number;
  peak: number;
  shape: number[];
  voiced: number;
  broad: boolean;
}

export class SpeechJudge {
  #recent: { at: number; level: number }[] = [];
  #smooth: number[] = [];
  #trough = Number.POSITIVE_INFINITY;
  #rising: Rise | null = null;
  #syllables: Syllable[] = [];
  #speechMs = 0;
  #levels: number[] = [];
  #passed = false;

  hear(frame: SoundFrame): Hearing {
    const level = this.#smoothed(frame.level);
    const floor = this.#floor(frame.at, level);
    const high = level > floor + SPEECH.aboveFloor;
    if (!this.#rising) {
      this.#trough = Math.min(this.#trough, level);
      if (high && level - this.#trough >= SPEECH.swing) {
        this.#rising = { since: frame.at, peak: level, shape: frame.shape, voiced: 0, broad: false };
      }
    }
    const now = this.#rising;
    if (now) {
      if (level >= now.peak) {
        now.peak = level;
        now.shape = frame.shape;
      }
      now.voiced = Math.max(now.voiced, frame.voiced);
      now.broad ||= frame.shape.filter((band) => band > -20).length >= SPEECH.bands;
      if (level <= now.peak - SPEECH.swing) this.#fall(frame.at, now, level);
      else if (frame.at - now.since > SPEECH.longestMs) {
        // No syllable lasts this long; a held tone does.
        this.#rising = null;
        this.#trough = level;
      }
    }
    this.#decide(frame.at);
    return {
      level,
      floor,
      speechMs: Math.round(this.#speechMs),
      speechLevel: median(this.#levels) ?? level,
      syllables: this.#syllables.length,
      passed: this.#passed,
    };
  }

  #fall(at: number, now: Rise, level: number): void {
    const ms = at - now.since;
    if (ms >= SPEECH.shortestMs && now.broad) {
      this.#syllables.push({ at, ms, peak: now.peak, shape: now.shape, voiced: now.voiced });
      this.#speechMs += ms;
      this.#levels.push(now.peak);
    }
    this.#rising = null;
    this.#trough = level;
  }

  #decide(at: number): void {
    this.#syllables = this.#syllables.filter((one) => at - one.at <= SPEECH.windowMs);
    if (this.#passed || this.#syllables.length < SPEECH.syllables) return;
    const voiced = this.#syllables.filter((one) => one.voiced >= 0.45).length;
    const changes = this.#syllables.slice(1).map((one, i) => distance(one.shape, this.#syllables[i]!.shape));
    this.#passed = voiced >= SPEECH.voicedSyllables && (median(changes) ?? 0) >= SPEECH.change;
  }

  #smoothed(level: number): number {
    this.#smooth.push(Math.max(SPEECH.quietest, level));
    if (this.#smooth.length > 2) this.#smooth.shift();
    return this.#smooth.reduce((sum, one) => sum + one, 0) / this.#smooth.length;
  }

  /** The lowest level of the last two and a half seconds: speech always pauses, a steady sound becomes the floor. */
  #floor(at: number, level: number): number {
    this.#recent.push({ at, level });
    while (this.#recent.length > 0 && at - this.#recent[0]!.at > 2_500) this.#recent.shift();
    let lowest = level;
    for (const one of this.#recent) lowest = Math.min(lowest, one.level);
    return lowest;
  }
}

const BAND_EDGES = [
  150, 250, 350, 450, 570, 700, 840, 1000, 1170, 1370, 1600, 1850, 2150, 2500, 2900, 3400, 4000,
];

/** Makes a frame of about 20 to 45 ms of sound. `samples`: a power of two of them, -1 to 1. */
export function soundFrame(samples: Float32Array, rate: number, at: number): SoundFrame {
  const power = powerSpectrum(samples);
  const binHz = rate / samples.length;
  const bands = BAND_EDGES.slice(1).map((edge, i) => {
    const from = Math.max(1, Math.round(BAND_EDGES[i]! / binHz));
    const to = Math.max(from + 1, Math.round(edge / binHz));
    let sum = 0;
    for (let bin = from; bin < to && bin < power.length; bin += 1) sum += power[bin]!;
    return sum;
  });
  const total = bands.reduce((sum, one) => sum + one, 0);
  const strongest = Math.max(...bands);
  const shape = bands.map((one) => (strongest > 0 ? Math.max(-30, decibel(one / strongest)) : -30));
  return { at, level: decibel(total), shape, voiced: pitchStrength(samples, rate) };
}

function decibel(power: number): number {
  return power > 1e-12 ? 10 * Math.log10(power) : -120;
}

/** Normalised autocorrelation at the best lag of a human voice's pitch. */
function pitchStrength(samples: Float32Array, rate: number): number {
  const step = Math.max(1, Math.round(rate / 12_000));
  const count = Math.floor(samples.length / step);
  const low = new Float32Array(count);
  let mean = 0;
  for (let i = 0; i < count; i += 1) {
    let sum = 0;
    for (let j = 0; j < step; j += 1) sum += samples[i * step + j]!;
    low[i] = sum / step;
    mean += low[i]!;
  }
  mean /= count;
  const reduced = rate / step;
  let best = 0;
  for (let lag = Math.floor(reduced / 350); lag <= Math.min(count / 2, Math.ceil(reduced / 75)); lag += 1) {
    let cross = 0;
    let here = 0;
    let there = 0;
    for (let i = 0; i + lag < count; i += 1) {
      const a = low[i]! - mean;
      const b = low[i + lag]! - mean;
      cross += a * b;
      here += a * a;
      there += b * b;
    }
    if (here > 0 && there > 0) best = Math.max(best, cross / Math.sqrt(here * there));
  }
  return best;
}

/** Power of each bin after a Hann window, scaled so that a full-scale sine sums to 0 dB. */
function powerSpectrum(samples: Float32Array): Float64Array {
  const n = samples.length;
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  for (let i = 0; i < n; i += 1) re[i] = samples[i]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
  transform(re, im);
  const power = new Float64Array(n / 2);
  // Hann: coherent gain 0.5, noise bandwidth 1.5 bins; a sine of amplitude 1 has to sum up to 1.
  const scale = 4 / (n * n * 0.25 * 1.5);
  for (let i = 0; i < n / 2; i += 1) power[i] = (re[i]! * re[i]! + im[i]! * im[i]!) * scale;
  return power;
}

/** In-place radix-2 Fourier transform (Cooley and Tukey, 1965). */
function transform(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i += 1) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let size = 2; size <= n; size <<= 1) {
    const half = size >> 1;
    const angle = (-2 * Math.PI) / size;
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < half; k += 1) {
        const wr = Math.cos(angle * k);
        const wi = Math.sin(angle * k);
        const a = start + k;
        const b = a + half;
        const tr = re[b]! * wr - im[b]! * wi;
        const ti = re[b]! * wi + im[b]! * wr;
        re[b] = re[a]! - tr;
        im[b] = im[a]! - ti;
        re[a] = re[a]! + tr;
        im[a] = im[a]! + ti;
      }
    }
  }
}

function median(values: number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function distance(a: number[], b: number[]): number {
  return a.reduce((sum, one, i) => sum + Math.abs(one - b[i]!), 0) / a.length;
}
