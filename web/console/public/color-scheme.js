// Sets light or dark before the first paint. A file of its own, since inline scripts are refused by our policy.
(() => {
  let chosen = 'auto';
  try {
    chosen = localStorage.getItem('openproctor-color-scheme') || 'auto';
  } catch {
    // Storage may be blocked; the system's choice is used then.
  }
  const dark = chosen === 'dark' || (chosen === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
