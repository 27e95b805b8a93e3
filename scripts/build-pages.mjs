/** `npm run build`, after the TypeScript: the pages of `satin serve` and `satin demo`. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportFailure } from './make-ready.mjs';
import { buildPages } from './web-pages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
try {
  await buildPages({ root, log: (text) => process.stdout.write(text) });
} catch (error) {
  reportFailure(error);
}
