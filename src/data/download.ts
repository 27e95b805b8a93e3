import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { SatinError } from '../errors.js';
import { errorCode, firstLine } from './dataset-error.js';

/** A file to download, with the digest stated by its publisher or by an independent project. */
export interface PublicFile {
  readonly url: string;
  readonly digest: `${'md5' | 'sha256'}:${string}`;
}

export interface Download extends PublicFile {
  /** Destination; named `FILE.part` until it is complete and verified. */
  readonly file: string;
  /** Bytes so far (including an earlier attempt) and in total, if the server reports it. */
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
}

/** Number of attempts; each resumes where the previous one ended. */
const tries = 3;

/**
 * Downloads a file, resuming from `FILE.part`. The file gets its name once its digest is verified.
 *
 * @throws {SatinError} `download-failed` (no network, refused by the server, disk full; the part is kept) and
 *   `digest-mismatch` (the part is removed).
 */
export async function download({ url, digest, file, onProgress }: Download): Promise<void> {
  const part = `${file}.part`;
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchRest(url, part, onProgress);
      break;
    } catch (error) {
      if (error instanceof Refusal || attempt === tries)
        throw new SatinError(
          'download-failed',
          `Expected to download ${url} but ${reason(error)}. Try again when it can be reached, or fetch it by hand and put it at ${file}.`,
          { cause: error },
        );
    }
  }
  const [algorithm = '', wanted] = digest.split(':');
  const received = await hashOf(part, createHash(algorithm));
  if (received !== wanted) {
    await rm(part);
    throw new SatinError(
      'digest-mismatch',
      `Expected ${algorithm} ${wanted} for ${url} but received ${received}. What was downloaded has been removed: try again, or put the right file at ${file} by hand.`,
    );
  }
  await rename(part, file);
}

/** The server answered; retrying would give the same answer. */
class Refusal extends Error {}

/** Appends the missing bytes to `part`, or starts over if the server does not support ranges. */
async function fetchRest(url: string, part: string, onProgress: Download['onProgress']): Promise<void> {
  const have = await sizeOf(part);
  const response = await fetch(url, {
    // A compressed transfer would change the bytes that ranges and digests refer to.
    headers: { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
  });
  if (response.status === 416) {
    // Nothing follows the bytes that are there: they are complete, or not of this file, which the digest will reveal.
    await response.body?.cancel();
    return;
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Refusal(`the server answered ${response.status} ${response.statusText}`.trimEnd());
  }
  const resumed =
    response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${have}-`);
  if (response.status === 206 && resumed !== true) {
    await response.body.cancel();
    await rm(part);
    throw new Error('the server sent another part than was asked for');
  }
  let done = resumed ? have : 0;
  const length = response.headers.get('content-length');
  const total = length === null ? undefined : done + Number(length);
  onProgress?.(done, total);
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      done += chunk.length;
      onProgress?.(done, total);
      yield chunk;
    }
  };
  await mkdir(dirname(part), { recursive: true });
  await pipeline(response.body, counted, createWriteStream(part, { flags: resumed ? 'a' : 'w' }));
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function hashOf(file: string, hash: Hash): Promise<string> {
  const stream = createReadStream(file).on('data', (chunk) => hash.update(chunk));
  await finished(stream);
  return hash.digest('hex');
}

/** `fetch` reports only 'fetch failed'; the reason is in its cause. */
function reason(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return `it failed (${firstLine(cause) || errorCode(cause) || 'no reason was given'})`;
}
