/** `npm run build`, after the TypeScript: the page of `satin demo`. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPage } from './demo-page.mjs';
import { reportFailure } from './make-ready.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
try {
  await buildPage({ root, log: (text) => process.stdout.write(text) });
} catch (error) {
  reportFailure(error);
}
