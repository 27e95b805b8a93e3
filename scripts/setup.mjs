/** `npm run setup`: installs and builds what `./satin` and `npm test` need and is missing. See docs/setup.md. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeReady, reportFailure } from './make-ready.mjs';
import { isReady } from './ready.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
try {
  if (!isReady({ root, need: 'engine' })) await makeReady({ root, need: 'engine' });
} catch (error) {
  reportFailure(error);
}
