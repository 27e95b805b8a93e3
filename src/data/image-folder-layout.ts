import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { nameList } from '../user-input/name-list.js';
import type { Split } from './dataset.js';
import { countOf, datasetError, errorCode, firstLine } from './dataset-error.js';

/** An image file of a folder. */
export interface FolderImage {
  /** Relative to the folder of its split, with `/`: `cat/0001.jpg`. */
  readonly path: string;
  readonly file: string;
  readonly label: number;
}

export interface ImageList {
  /** Sorted by class, then path: the index in this list is the example's id. */
  readonly images: readonly FolderImage[];
  readonly classes: readonly string[];
  readonly warnings: readonly string[];
}

/** The layout of a data folder: one folder per split (some may be missing), or all classes in one folder. */
export type FolderLayout =
  | { readonly kind: 'splits'; readonly folders: Readonly<Partial<Record<Split, string>>> }
  | { readonly kind: 'whole'; readonly folder: string };

const splitOfName: Readonly<Record<string, Split>> = {
  train: 'train',
  test: 'test',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
};
const imageExtensions = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'];
const wanted = 'one subfolder of images for each class, or train/ and test/ with such subfolders,';

/**
 * Detects the layout of `dir`. Its subfolders are splits if all of them have the name of a split, `train` or `test` among
 * them; otherwise they are classes (so a class may be named `train` beside `plane`).
 *
 * @throws {InputError} if it is missing, not a folder, or has no subfolders.
 */
export async function folderLayout(dir: string): Promise<FolderLayout> {
  const names = await listClasses(dir);
  if (names.length === 0)
    throw datasetError({
      file: dir,
      expected: wanted,
      received: 'a folder without subfolders',
      remedy: 'Sort the images into subfolders named after the classes.',
    });
  const folders: Partial<Record<Split, string>> = {};
  for (const name of names) {
    const split = splitOfName[name];
    if (split === undefined) return { kind: 'whole', folder: dir };
    const other = folders[split];
    if (other !== undefined)
      throw datasetError({
        file: dir,
        expected: `one folder for the ${split} split`,
        received: `both ${other} and ${join(dir, name)}`,
        remedy: 'Keep one of them.',
      });
    folders[split] = join(dir, name);
  }
  if (folders.train === undefined && folders.test === undefined) return { kind: 'whole', folder: dir };
  // A single train/ is a whole data set that has yet to be split.
  if (folders.train !== undefined && names.length === 1) return { kind: 'whole', folder: folders.train };
  return { kind: 'splits', folders };
}

/**
 * Lists the images of `folder`, one subfolder per class; class names are the subfolder names, sorted by code unit. Other
 * files are skipped and listed in the warnings.
 *
 * @throws {InputError} for fewer than two classes, or a class without images.
 */
export async function listImages(folder: string): Promise<ImageList> {
  const entries = await entriesOf(folder);
  const classes = await listClasses(folder);
  if (classes.length < 2)
    throw datasetError({
      file: folder,
      expected: 'at least two subfolders, one for each class,',
      received: classes.length === 0 ? 'none' : `one (${classes[0]})`,
      remedy: 'A classifier needs two classes or more to choose from.',
    });
  const skipped = entries.filter((entry) => !entry.folder).map((entry) => entry.name);
  const images: FolderImage[] = [];
  for (const [label, name] of classes.entries()) {
    const inside = await entriesOf(join(folder, name));
    const before = images.length;
    for (const entry of inside) {
      const path = `${name}/${entry.name}`;
      if (entry.folder || !isImageName(entry.name)) skipped.push(entry.folder ? `${path}/` : path);
      else images.push({ path, file: join(folder, name, entry.name), label });
    }
    if (images.length === before)
      throw datasetError({
        file: join(folder, name),
        expected: `at least one image (${imageExtensions.join(', ')})`,
        received:
          inside.length === 0
            ? 'an empty folder'
            : nameList(
                inside.map((entry) => entry.name),
                3,
              ),
        remedy: `Put images of the class ${name} there, or delete the folder if it is no class.`,
      });
  }
  const warnings =
    skipped.length === 0
      ? []
      : [
          `Skipped ${countOf(skipped.length, 'entry', 'entries')} of ${folder} that are no images: ${nameList(skipped, 3)}.`,
        ];
  return { images, classes, warnings };
}

/** The class names of `folder`, as `listImages` returns them. */
export async function listClasses(folder: string): Promise<string[]> {
  return (await entriesOf(folder)).filter((entry) => entry.folder).map((entry) => entry.name);
}

function isImageName(name: string): boolean {
  return !name.startsWith('.') && imageExtensions.includes(extname(name).toLowerCase());
}

/** The entries of a folder, sorted by code unit so that ids do not depend on the file system or the locale. */
async function entriesOf(folder: string): Promise<{ readonly name: string; readonly folder: boolean }[]> {
  let found: Dirent[];
  try {
    found = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = errorCode(error);
    throw datasetError({
      file: folder,
      expected: 'a folder of images',
      received: code === 'ENOENT' ? 'no folder' : code === 'ENOTDIR' ? 'a file' : firstLine(error),
      remedy: 'Give the folder that holds one subfolder for each class.',
    });
  }
  const entries = await Promise.all(
    found.map(async (entry) => ({ name: entry.name, folder: await isClassFolder(folder, entry) })),
  );
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Hidden folders and macOS metadata folders are not classes; links to folders are followed. */
async function isClassFolder(parent: string, entry: Dirent): Promise<boolean> {
  if (entry.name.startsWith('.') || entry.name === '__MACOSX') return false;
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(join(parent, entry.name)).then(
    (target) => target.isDirectory(),
    () => false,
  );
}
