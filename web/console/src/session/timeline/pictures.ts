/** Small pictures for the canvas. A few are loaded at a time; each is told when it is there. */

import type { Capture } from '../../api/types';
import { STILL_WIDTH } from './scene';

const AT_ONCE = 4;

export class Pictures {
  readonly loaded = new Map<string, ImageBitmap>();
  private readonly asked = new Set<string>();
  private readonly queue: string[] = [];
  private running = 0;
  private captures: ReadonlyMap<string, Capture> = new Map();
  private readonly onLoad: () => void;

  constructor(onLoad: () => void) {
    this.onLoad = onLoad;
  }

  setCaptures(captures: ReadonlyMap<string, Capture>): void {
    this.captures = captures;
    this.onLoad();
  }

  readonly want = (id: string): void => {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    this.queue.push(id);
    this.next();
  };

  private next(): void {
    while (this.running < AT_ONCE) {
      const id = this.queue.shift();
      if (id === undefined) return;
      const capture = this.captures.get(id);
      if (!capture) {
        // Drawn before its link was known here: the next drawing asks again.
        this.asked.delete(id);
        continue;
      }
      this.running += 1;
      void this.load(capture).finally(() => {
        this.running -= 1;
        this.next();
      });
    }
  }

  private async load(capture: Capture): Promise<void> {
    const image = new Image();
    image.src = capture.url;
    try {
      await image.decode();
      const bitmap = await createImageBitmap(image, {
        resizeWidth: STILL_WIDTH * 2,
        resizeQuality: 'medium',
      });
      this.loaded.set(capture.id, bitmap);
      this.onLoad();
    } catch {
      // The link may have run out; the next list of stills brings a new one.
      this.asked.delete(capture.id);
    }
  }

  destroy(): void {
    this.queue.length = 0;
    for (const bitmap of this.loaded.values()) bitmap.close();
    this.loaded.clear();
  }
}
