import { defineConfig } from 'vite';

/** The page of `satin demo`: a folder whose files refer to each other by relative paths, so that it can lie anywhere. */
export default defineConfig({
  base: './',
  build: {
    outDir: '../../dist/web/demo',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  worker: { format: 'es' },
});
