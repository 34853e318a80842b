/** The way of devices onto a desk. Once closed it lets none through: the browser's question may be answered too late. */
export class Gate {
  #closed = false;

  constructor(private readonly refusal: (detail: string) => Error) {}

  close(): void {
    this.#closed = true;
  }

  /** Throws once it is closed; the device that came is switched off first. */
  pass(track?: MediaStreamTrack): void {
    if (!this.#closed) return;
    track?.stop();
    throw this.refusal('nothing is recorded any more');
  }
}
