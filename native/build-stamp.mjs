/** Stamps: small JSON files that note what something was made from, so that it is made again only after a change. */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

/**
 * SHA-256 of strings and buffers in order, as hexadecimal text.
 * @param {(string | Buffer)[]} parts
 * @returns {string}
 */
export function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** Size and time of a file: changes whenever the file is written. */
export function fileIdentity(file) {
  const { size, mtimeMs } = statSync(file);
  return `${file} ${size} ${mtimeMs}`;
}

/** The parsed file, or null where there is none or it is cut short. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Written beside its place and renamed, so that a reader never sees half a file. */
export function writeJson(file, value) {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(fresh, file);
}
