import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { nameList } from '../../user-input/name-list.js';
import { countOf, datasetError } from '../dataset-error.js';
import { download, type PublicFile } from '../download.js';
import { exists, readExisting } from '../read-file.js';
import type { EncodedImages } from './encoded-images.js';

/** RobustBench's list (MIT licence), at the commit of 2025-03-31; it has not changed since 2022-08-01. */
const list: PublicFile = {
  url: 'https://raw.githubusercontent.com/RobustBench/robustbench/78fcc9e48a07a861268f295a777b975f25155964/robustbench/helper_files/imagenet_test_image_ids.txt',
  digest: 'sha256:d4121626d07722a0126c35b1563042e46a546f1a05ce705f2cdc635896d58574',
};

/**
 * The indices of the images that RobustBench evaluates on, in its order. The list is in `dir`, or is downloaded once.
 *
 * @throws {InputError} for a list that is not RobustBench's, or missing images.
 * @throws {SatinError} if it cannot be downloaded.
 */
export async function robustbenchPlaces(images: EncodedImages, dir: string): Promise<Uint32Array> {
  const fileName = basename(list.url);
  const own = resolve('data', 'imagenet', fileName);
  const beside = join(dir, fileName);
  const file = (await exists(beside)) ? beside : own;
  if (!(await exists(file))) await download({ ...list, file });
  const bytes = await readExisting(file);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (digest !== list.digest)
    throw datasetError({
      file,
      expected: `the list of RobustBench (${list.digest})`,
      received: `another file (${digest})`,
      remedy: `Delete it; it is downloaded from ${list.url}.`,
    });
  return placesOf(Buffer.from(bytes).toString('utf8').trim().split('\n'), images);
}

/** The indices of images listed as `SYNSET/ILSVRC2012_val_00000001.JPEG`. @throws {InputError} for missing images */
export function placesOf(names: readonly string[], images: EncodedImages): Uint32Array {
  const indices = new Map<string, number>();
  for (let index = 0; index < images.labels.length; index++) indices.set(stemOf(images.keyOf(index)), index);
  const missing = names.filter((name) => !indices.has(stemOf(name)));
  if (missing.length > 0)
    throw new InputError(
      'unusable-data',
      `Expected the ${countOf(names.length, 'image')} of RobustBench in ${images.name} but ${countOf(missing.length, 'of them is', 'of them are')} missing: ${nameList(missing, 3)}. Complete the validation images of ImageNet.`,
    );
  return Uint32Array.from(names, (name) => indices.get(stemOf(name))!);
}

/** Folders and shards use different names with the same number. */
function stemOf(name: string): string {
  return /ILSVRC2012_val_\d{8}/.exec(name)?.[0] ?? name;
}
