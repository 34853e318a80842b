/**
 * Stand-ins for a device that went away, so that a recording part always has the same tracks: a plate that says so in
 * place of the picture, silence in place of the sound.
 */
export interface StandIn {
  track: MediaStreamTrack;
  /** Keeps frames coming; called from the worker's pulse, since a hidden tab's own timers are slowed down. */
  pulse(): void;
  stop(): void;
}

export function platePicture(width: number, height: number, text: string): StandIn | null {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context || typeof canvas.captureStream !== 'function') return null;
  let count = 0;
  const draw = () => {
    count += 1;
    context.fillStyle = '#1b2733';
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#d7dee6';
    context.font = `600 ${Math.round(height / 18)}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.fillText(text, width / 2, height / 2, width * 0.9);
    // Changes a little each time: a canvas that stays the same gives no new frame.
    context.fillRect(width / 2 - 2, height * 0.62, 4, count % 2 === 0 ? 4 : 6);
  };
  draw();
  const track = canvas.captureStream(5).getVideoTracks()[0];
  if (!track) return null;
  const timer = setInterval(draw, 250);
  return {
    track,
    pulse: draw,
    stop: () => {
      clearInterval(timer);
      track.stop();
    },
  };
}

export async function silence(): Promise<StandIn | null> {
  if (typeof AudioContext === 'undefined') return null;
  const context = new AudioContext();
  const source = context.createConstantSource();
  const level = context.createGain();
  level.gain.value = 0;
  const out = context.createMediaStreamDestination();
  source.connect(level).connect(out);
  source.start();
  const track = out.stream.getAudioTracks()[0];
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 500))]);
  // Without a click on this page the context stays suspended and would hold the recorder up.
  if (!track || context.state !== 'running') {
    void context.close();
    return null;
  }
  return {
    track,
    pulse: () => undefined,
    stop: () => {
      track.stop();
      void context.close();
    },
  };
}
