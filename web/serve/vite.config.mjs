import { defineConfig } from 'vite';

/** The page of `satin serve`, built into dist/web/serve: one script and one stylesheet, nothing from elsewhere. */
export default defineConfig({
  build: {
    outDir: '../../dist/web/serve',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
