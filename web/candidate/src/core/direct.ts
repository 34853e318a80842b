import { type Api, ApiProblem } from './api';
import { chunkIndex } from './container';
import { hexOf } from './digest';
import type { ChunkUpload, TrackName } from './types';

/** After a failure the server takes the chunks for this long; a store that cannot be reached shall not hold them up. */
const REST_MS = 60_000;

/** Sends chunks straight to the object store, where the server offers that; the server only sees what describes them. */
export class DirectUpload {
  #restsUntil = 0;

  constructor(
    private readonly api: Api,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** True once the server has linked the chunk; false when it is to be sent to the server itself. */
  async chunk(session: string, track: TrackName, chunk: ChunkUpload): Promise<boolean> {
    const index = chunk.contentType === 'video/mp4' ? chunkIndex(chunk.bytes) : null;
    if (!index || this.now() < this.#restsUntil) return false;
    const digest = hexOf(chunk.digest);
    try {
      const { body } = await this.api.uploadLink(session, track, chunk.number, digest);
      if (body.url === null) return false;
      await this.api.putToStore(body.url, chunk.bytes);
      await this.api.uploaded(session, track, chunk, digest, index);
      return true;
    } catch (error) {
      // What the server decided about the chunk holds for either way.
      if (error instanceof ApiProblem && error.slug !== 'not-uploaded') throw error;
      this.#restsUntil = this.now() + REST_MS;
      return false;
    }
  }
}
