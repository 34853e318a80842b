/** Keeps the display from going dark in mid-exam; the browser drops the lock whenever the page is hidden. */
export async function keepAwake(wanted: () => boolean): Promise<void> {
  const lock = async () => {
    if (!wanted() || document.hidden) return;
    await navigator.wakeLock?.request('screen').catch(() => undefined);
  };
  document.addEventListener('visibilitychange', () => void lock());
  await lock();
}
