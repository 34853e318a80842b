const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** A 26-character ULID in lower case: 48 bits of time, 80 random bits. */
export function ulid(at: number = Date.now()): string {
  let time = Math.floor(at);
  let head = '';
  for (let i = 0; i < 10; i += 1) {
    head = ALPHABET[time % 32] + head;
    time = Math.floor(time / 32);
  }
  const random = crypto.getRandomValues(new Uint8Array(16));
  let tail = '';
  for (const byte of random) tail += ALPHABET[byte % 32];
  return head + tail;
}

/** 128 random bits as text, for devices and page loads. */
export function randomId(): string {
  return ulid();
}
