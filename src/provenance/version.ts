import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from './package-folder.js';

// Without zod, which would cost every start of the command line a quarter of its time.
const { version: read }: { version?: unknown } = JSON.parse(
  readFileSync(join(packageFolder, 'package.json'), 'utf8'),
);

/** The version of Satin. */
export const version = String(read);
