import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of Satin's package; this file runs as dist/src/provenance/package-folder.js. */
export const packageFolder = dirname(fileURLToPath(new URL('../../../package.json', import.meta.url)));
