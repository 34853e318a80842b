const LOW_BYTES = 300 * 1024 * 1024;

/** Asks the browser not to clear our store when the disk gets full. */
export function keepStorage(): void {
  void navigator.storage?.persist?.().catch(() => false);
}

/** True when the browser has little room left for what waits to be sent. */
export async function storageIsLow(): Promise<boolean> {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  return quota !== undefined && usage !== undefined && quota - usage < LOW_BYTES;
}
