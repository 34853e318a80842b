import { type Hearing, SPEECH, SpeechJudge, soundFrame } from './speech';

const WINDOW = 2_048;
const EVERY_MS = 25;

/** Listens to a live track and reports what it hears about forty times a second. */
export class MicrophoneListener {
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly report: (hearing: Hearing) => void) {}

  /** Resolves false when the browser wants a click before it lets a page listen. */
  async start(track: MediaStreamTrack): Promise<boolean> {
    this.stop();
    const context = new AudioContext();
    this.#context = context;
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    if (this.#context !== context) return true;
    if (context.state !== 'running') {
      this.stop();
      return false;
    }
    const analyser = context.createAnalyser();
    analyser.fftSize = WINDOW;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(WINDOW);
    const judge = new SpeechJudge();
    const startedAt = performance.now();
    let heardAnything = false;
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      // The first windows are zeros of a graph that has only just started; they are no noise floor.
      heardAnything ||= samples.some((one) => one !== 0) || performance.now() - startedAt > 1_500;
      if (!heardAnything) return;
      this.report(judge.hear(soundFrame(samples, context.sampleRate, performance.now())));
    }, EVERY_MS);
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
    void this.#context?.close();
    this.#context = null;
  }
}

/** A device that gives nothing but digital silence: switched off, or muted by the system. */
export function isSilent(hearing: Hearing): boolean {
  return hearing.level <= SPEECH.quietest + 5;
}
