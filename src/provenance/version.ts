import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from './package-folder.js';

// Not validated with zod, which would take a quarter of the start-up time of the command line.
const { version: read }: { version?: unknown } = JSON.parse(
  readFileSync(join(packageFolder, 'package.json'), 'utf8'),
);

/** The version of Satin. */
export const version = String(read);
