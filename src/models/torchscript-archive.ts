import { closeSync, openSync } from 'node:fs';
import { InputError } from '../errors.js';
import { crc32 } from '../weights/crc32.js';
import { readPart } from '../weights/read-part.js';
import { type ZipRecord, zipDataOffset, zipRecords } from '../weights/zip.js';

/**
 * Compares the checksums of the pickles of a TorchScript file before libtorch reads it: libtorch does not, and takes
 * gigabytes where a damaged pickle names a long string.
 *
 * @throws {InputError} naming the first pickle that is damaged or cut off.
 */
export function requireWholePickles(path: string): void {
  const records = zipRecords(path);
  if (records === null) return; // libtorch refuses it with a sentence of its own
  const file = openSync(path, 'r');
  try {
    for (const [name, record] of records)
      if (name.endsWith('.pkl') && record.isStored && !isWhole(file, record))
        throw new InputError(
          'broken-file',
          `Expected an undamaged TorchScript file in ${path} but its ${name} does not match its checksum.`,
        );
  } finally {
    closeSync(file);
  }
}

function isWhole(file: number, record: ZipRecord): boolean {
  const begin = zipDataOffset(file, record);
  const bytes = begin === null ? null : readPart(file, begin, record.size);
  return bytes !== null && crc32(bytes) === record.checksum;
}
