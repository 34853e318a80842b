function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** SHA-256 in base64, as the `Content-Digest` header wants it between its colons. */
export async function sha256Base64(bytes: ArrayBuffer): Promise<string> {
  return base64(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export async function sha256Hex(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}

/** A base64 digest in hex. */
export function hexOf(base64Digest: string): string {
  return hex(Uint8Array.from(atob(base64Digest), (letter) => letter.charCodeAt(0)));
}

export function contentDigest(base64Digest: string): string {
  return `sha-256=:${base64Digest}:`;
}
