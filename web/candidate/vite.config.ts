import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

const catalogFile = fileURLToPath(new URL('../../src/openproctor/catalog/events.json', import.meta.url));

/** The page needs only the id and name of what a candidate's page may raise, not the whole catalog. */
function candidateCatalog(): Plugin {
  return {
    name: 'candidate-catalog',
    enforce: 'pre',
    load(id) {
      if (id.split('?')[0] !== catalogFile) return null;
      this.addWatchFile(catalogFile);
      const whole = JSON.parse(readFileSync(catalogFile, 'utf8')) as {
        version: number;
        types: { id: number; name: string; source: string[] }[];
      };
      const types = whole.types
        .filter((type) => type.source.includes('candidate'))
        .map(({ id: number, name }) => ({ id: number, name }));
      return JSON.stringify({ version: whole.version, types });
    },
  };
}

export default defineConfig({
  base: '/candidate-app/',
  plugins: [candidateCatalog()],
  resolve: { alias: { '@catalog': catalogFile } },
  worker: { format: 'es' },
  build: {
    outDir: '../../src/openproctor/web/candidate',
    emptyOutDir: true,
    // What others wrote and we bundle keeps its terms beside it.
    license: { fileName: 'licences.md' },
    target: ['chrome111', 'firefox115', 'safari16.4'],
    // Small files stay files: the page's content security policy allows no data: scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/api': { target: process.env.OPENPROCTOR_URL ?? 'http://127.0.0.1:8000', ws: true },
      '/sample-exam': { target: process.env.OPENPROCTOR_URL ?? 'http://127.0.0.1:8000' },
    },
  },
  test: {
    environment: 'node',
    include: ['tests/**/*.test.ts'],
    testTimeout: 10_000,
  },
});
