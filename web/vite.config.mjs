import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The page of `satin serve`, built into dist/web/: one script and one stylesheet, nothing from elsewhere. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  logLevel: 'warn',
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
