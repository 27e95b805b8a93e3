import { readFileSync } from 'node:fs';

// Without zod, which would cost every start of the command line a quarter of its time.
const { version: read }: { version?: unknown } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

/** The version of Satin; this file runs as dist/src/version.js. */
export const version = String(read);
