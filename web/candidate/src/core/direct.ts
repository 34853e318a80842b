import { type Api, ApiProblem } from './api';
import { chunkIndex } from './container';
import type { ChunkUpload, TrackName, UploadLink } from './types';

/** After a failure the server takes the chunks for this long; a store that cannot be reached shall not hold them up. */
const REST_MS = 60_000;
/** Links asked for at once: twenty seconds of recording, well within the time they are valid. */
const LINKS = 10;
const SPARE_MS = 30_000;

interface Links {
  byNumber: Map<number, UploadLink>;
  /** On the page's clock. */
  until: number;
}

/** Sends chunks straight to the object store, where the server offers that; the server only sees what describes them. */
export class DirectUpload {
  #restsUntil = 0;
  #links = new Map<TrackName, Links>();

  constructor(
    private readonly api: Api,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** True once the server has linked the chunk; false when it is to be sent to the server itself. */
  async chunk(session: string, track: TrackName, chunk: ChunkUpload): Promise<boolean> {
    const index = chunk.contentType === 'video/mp4' ? chunkIndex(chunk.bytes) : null;
    if (!index || this.now() < this.#restsUntil) return false;
    try {
      const link = await this.#link(session, track, chunk.number);
      if (link === null) return false;
      await this.api.putToStore(link.url, chunk.bytes);
      await this.api.uploaded(session, track, chunk, link.upload, index);
      return true;
    } catch (error) {
      // What the server decided about the chunk holds for either way.
      if (error instanceof ApiProblem && error.slug !== 'not-uploaded') throw error;
      this.#restsUntil = this.now() + REST_MS;
      return false;
    }
  }

  async #link(session: string, track: TrackName, number: number): Promise<UploadLink | null> {
    let links = this.#links.get(track);
    if (!links?.byNumber.has(number) || this.now() > links.until) {
      const asked = this.now();
      const { body } = await this.api.uploads(session, track, number, LINKS);
      if (body.uploads === null) return null;
      const valid = body.valid_ms - SPARE_MS;
      links = { byNumber: new Map(body.uploads.map((link) => [link.number, link])), until: asked + valid };
      this.#links.set(track, links);
    }
    const link = links.byNumber.get(number) ?? null;
    // A link serves once: what is sent again gets another place.
    links.byNumber.delete(number);
    return link;
  }
}
