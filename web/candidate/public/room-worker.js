/* Keeps the room's page at hand, so that loading it again works without a line. Nothing of the exam is kept here. */
const CACHE = 'openproctor-room';
const PATIENCE_MS = 2_500;

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('message', (event) => {
  if (Array.isArray(event.data?.keep)) event.waitUntil(keep(event.data.keep));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate' && pathname.startsWith('/room/')) event.respondWith(page(request));
  else if (pathname.startsWith('/candidate-app/')) event.respondWith(part(request));
});

/** The page and its parts, as the page lists them; what an older version had goes. */
async function keep(paths) {
  const cache = await caches.open(CACHE);
  await cache.addAll(paths);
  const wanted = new Set(paths.map((path) => new URL(path, location.origin).href));
  for (const request of await cache.keys()) {
    if (!wanted.has(request.url)) await cache.delete(request);
  }
}

/** From the server, unless it does not answer or cannot. */
async function page(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  try {
    const answer = await fetch(request, kept ? { signal: AbortSignal.timeout(PATIENCE_MS) } : undefined);
    return kept && answer.status >= 500 ? kept : answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function part(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? fetch(request);
}
