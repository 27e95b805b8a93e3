import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nameList } from '../../user-input/name-list.js';
import { datasetError, errorCode, firstLine } from '../dataset-error.js';
import { homePath } from '../home-path.js';
import { listClasses } from '../image-folder-layout.js';
import { folderImages } from './class-folders.js';
import type { EncodedImages } from './encoded-images.js';
import { shardImages } from './shard-images.js';

/** The layout on disk: class folders of image files, or WebDataset archives. */
export const layouts = ['folder', 'shards'] as const;

export type Layout = (typeof layouts)[number];

export interface ImagenetPlace {
  readonly dir: string;
  /** null detects the layout. */
  readonly layout: Layout | null;
  /** ImageNet's own splits: Satin reports on `val` and selects on a part of `train`. */
  readonly part: 'train' | 'val';
}

/**
 * Opens a part of ImageNet: `train/` or `val/` with a folder per class; or archives, `train/*.tar`, or those in `dir` with
 * `train` (or `val`) in their names, such as `imagenet-train-000000.tar`.
 *
 * @throws {InputError} if neither or both layouts are found, or archives are missing from the sequence.
 */
export async function openImagenet({ dir: stated, layout, part }: ImagenetPlace): Promise<EncodedImages> {
  const dir = homePath(stated);
  const name = `imagenet:${part === 'train' ? 'train' : 'test'}`;
  const folder = join(dir, part);
  const beside = (await namesIn(dir, 'required')).filter((file) => shardsOf[part].test(file));
  const inside = (await namesIn(folder, 'optional')).filter((file) => file.endsWith('.tar'));
  const shards = [
    ...beside.map((file) => join(dir, file)),
    ...inside.map((file) => join(folder, file)),
  ].sort();
  const hasFolder = inside.length === 0 && (await namesIn(dir, 'required')).includes(part);
  if (layout === null && shards.length > 0 && hasFolder)
    throw datasetError({
      file: dir,
      expected: `${part}/ or archives of ${part}`,
      received: `both (${nameList(beside, 3)})`,
      remedy: 'Say which by data.layout: folder or shards.',
    });
  if (shards.length > 0 && layout !== 'folder') {
    requireAll(shards);
    return shardImages(shards, { name, dir });
  }
  if (hasFolder && layout !== 'shards') {
    const train = join(dir, 'train');
    const classesOf = part === 'val' && (await holdsFolders(train)) ? train : null;
    return folderImages(folder, { name, classesOf });
  }
  throw datasetError({
    file: dir,
    expected:
      layout === 'shards'
        ? `archives such as imagenet-${part}-000000.tar`
        : layout === 'folder'
          ? `${part}/ with a subfolder for each class`
          : `${part}/ with a subfolder for each class, or archives such as imagenet-${part}-000000.tar,`,
    received: 'neither',
    remedy: 'Give the folder that has them: docs/imagenet.md shows both layouts.',
  });
}

async function holdsFolders(folder: string): Promise<boolean> {
  return (await namesIn(folder, 'optional')).length > 0 && (await listClasses(folder)).length > 0;
}

const shardsOf = { train: /train.*\.tar$/, val: /val.*\.tar$/ } as const;

async function namesIn(folder: string, need: 'required' | 'optional'): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (need === 'optional') return [];
    throw datasetError({
      file: folder,
      expected: 'the folder of ImageNet',
      received: errorCode(error) === 'ENOENT' ? 'no folder' : firstLine(error),
      remedy: 'Check the path (data.dir, or `dir`).',
    });
  }
}

/** Archives are numbered: a gap indicates an incomplete download. @throws {InputError} naming the missing archive */
function requireAll(shards: readonly string[]): void {
  let before = { stem: '', number: 0 };
  for (const shard of shards) {
    const [, stem, digits] = /^(.*?)(\d+)\.tar$/.exec(shard) ?? [];
    if (stem === undefined || digits === undefined) continue;
    const number = Number(digits);
    if (before.stem === stem && number !== before.number + 1)
      throw datasetError({
        file: `${stem}${String(before.number + 1).padStart(digits.length, '0')}.tar`,
        expected: 'an archive',
        received: `none, but ${shard} after it`,
        remedy: 'Copy or download what is missing.',
      });
    before = { stem, number };
  }
}
