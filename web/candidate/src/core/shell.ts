import lineWorkerUrl from './line.worker.ts?worker&url';

/** Lets the browser keep this page and its parts, so that a reload works while the line is down. Best effort. */
export async function keepShell(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    const registered = await navigator.serviceWorker.register('/room-worker.js', { scope: '/room/' });
    const worker = registered.installing ?? registered.waiting ?? registered.active;
    if (!worker) return;
    await activated(worker);
    worker.postMessage({ keep: [location.pathname, ...parts()] });
  } catch {
    // Without it a reload needs the line; everything else is as before.
  }
}

function activated(worker: ServiceWorker): Promise<void> {
  if (worker.state === 'activated') return Promise.resolve();
  return new Promise((resolve, reject) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') resolve();
      if (worker.state === 'redundant') reject(new Error('not needed any more'));
    });
  });
}

function parts(): string[] {
  const named = [
    ...document.querySelectorAll<HTMLScriptElement | HTMLLinkElement>('script[src], link[href]'),
  ];
  const urls = named.map((one) => new URL('src' in one ? one.src : one.href, location.href));
  urls.push(new URL(lineWorkerUrl, location.href));
  return [...new Set(urls.filter((url) => url.origin === location.origin).map((url) => url.pathname))];
}
