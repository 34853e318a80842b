/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = process.env.OPENPROCTOR_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  resolve: {
    alias: {
      '@catalog': fileURLToPath(new URL('../../src/openproctor/catalog/events.json', import.meta.url)),
    },
  },
  build: {
    outDir: '../../src/openproctor/web/console',
    emptyOutDir: true,
    // What others wrote and we bundle keeps its terms beside it.
    license: { fileName: 'licences.md' },
    target: 'es2023',
    // Inlined files would become data: URLs, which the page's Content-Security-Policy refuses for scripts and styles.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': server } },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
