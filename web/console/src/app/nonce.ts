/** The nonce of this response, with which the page's Content-Security-Policy accepts style elements made at run time. */

const meta = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]');
export const styleNonce = (): string => meta?.content ?? '';

// The scroll lock of dialogs makes a style element of its own and looks for the nonce here.
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = styleNonce();
