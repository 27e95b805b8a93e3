import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { systemPath, textOfName } from '../files/path-text.js';
import { nearest } from '../user-input/did-you-mean.js';
import { nameList } from '../user-input/name-list.js';
import type { Split } from './dataset.js';
import { countOf, datasetError, errorCode, firstLine } from './dataset-error.js';
import { imageExtensions, unreadExtensions } from './image-format.js';

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
  readonly warnings: string[];
}

/** The layout of a data folder: one folder per split (some may be missing), or all classes in one folder. */
export type FolderLayout =
  | { readonly kind: 'splits'; readonly folders: Readonly<Partial<Record<Split, string>>> }
  | { readonly kind: 'whole'; readonly folder: string };

/** The usual names of the folders of splits, in lower case. */
const splitOfName: Readonly<Record<string, Split>> = {
  train: 'train',
  training: 'train',
  test: 'test',
  testing: 'test',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
};
const wanted = 'one subfolder of images for each class, or train/ and test/ with such subfolders,';

/**
 * Detects the layout of `dir`. Its subfolders are splits if all of them have the name of a split, in upper or lower case,
 * `train` or `test` among them; otherwise they are classes (so a class may be named `train` beside `plane`).
 *
 * @throws {InputError} if it is missing, not a folder, or has no subfolders; or if only some of its subfolders are splits.
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
  const others: string[] = [];
  for (const name of names) {
    const split = splitOfName[name.toLowerCase()];
    if (split === undefined) {
      others.push(name);
      continue;
    }
    const other = folders[split];
    if (other !== undefined && others.length === 0)
      throw datasetError({
        file: dir,
        expected: `one folder for the ${split} split`,
        received: `both ${other} and ${join(dir, name)}`,
        remedy: 'Keep one of them.',
      });
    folders[split] = join(dir, name);
  }
  const first = folders.train ?? folders.test;
  if (others.length > 0) {
    if (first !== undefined && (await holdsClasses(first)))
      throw datasetError({
        file: dir,
        expected: wanted,
        received: `both: ${basename(first)}/ holds folders itself, and beside it there ${others.length === 1 ? 'is' : 'are'} ${nameList(others)}`,
        remedy: 'Keep only the folders of splits there.',
      });
    return { kind: 'whole', folder: dir };
  }
  if (first === undefined) return { kind: 'whole', folder: dir };
  // A single train/ is a whole data set that has yet to be split.
  if (folders.train !== undefined && names.length === 1) return { kind: 'whole', folder: folders.train };
  return { kind: 'splits', folders };
}

/** Whether a folder holds folders, and no images. */
async function holdsClasses(folder: string): Promise<boolean> {
  const entries = await entriesOf(folder);
  return entries.some(({ kind }) => kind === 'folder') && !entries.some(isImage);
}

/** Classes that have been determined elsewhere, in label order: those of the training split. */
export interface KnownClasses {
  readonly names: readonly string[];
  /** The folder that has them. */
  readonly of: string;
}

/**
 * Lists the images of `folder`, one subfolder per class; class names are the subfolder names, sorted by code unit, or those
 * that are known. Other files are skipped and listed in the warnings, as are known classes without images.
 *
 * @throws {InputError} for fewer than two classes, a class that is not known, or, unless the classes are known, a class
 *   without images.
 */
export async function listImages(folder: string, known?: KnownClasses): Promise<ImageList> {
  const entries = await entriesOf(folder);
  const found = entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name);
  requireDistinct(folder, found);
  if ((known?.names ?? found).length < 2)
    throw datasetError({
      file: folder,
      expected: 'at least two subfolders, one for each class,',
      received: found.length === 0 ? 'none' : `one (${found[0]})`,
      remedy:
        found.length === 0
          ? 'A classifier needs two classes or more to choose from.'
          : `A classifier needs two classes or more to choose from; if ${join(folder, found[0]!)} holds the classes, give that folder.`,
    });
  const classes = known?.names ?? found;
  const folderOf = foldersOfClasses(folder, { classes, found, of: known?.of ?? folder });
  const skipped = new Skipped(folder);
  for (const entry of entries) if (entry.kind !== 'folder') skipped.add(entry.name);
  const images: FolderImage[] = [];
  const empty: string[] = [];
  let inEmpty: string[] = [];
  for (const [label, name] of classes.entries()) {
    const own = folderOf.get(name);
    const inside = own === undefined ? [] : await entriesOf(join(folder, own));
    const before = images.length;
    for (const entry of inside) {
      const path = `${own}/${entry.name}`;
      if (isImage(entry)) images.push({ path, file: join(folder, own!, entry.name), label });
      else skipped.add(entry.kind === 'folder' ? `${path}/` : path);
    }
    if (images.length > before) continue;
    if (empty.length === 0) inEmpty = inside.map((entry) => entry.name);
    empty.push(name);
  }
  if (empty.length > 0 && known === undefined)
    throw datasetError({
      file: empty
        .map((name) => join(folder, name))
        .slice(0, 5)
        .join(', '),
      expected: `at least one image (${imageExtensions.join(', ')})`,
      received: inEmpty.length === 0 ? 'an empty folder' : nameList(inEmpty, 3),
      remedy: `Put images of the class ${nameList(empty)} there, or delete the folder if it is no class.`,
    });
  const warnings = skipped.warnings();
  if (empty.length > 0)
    warnings.push(
      `${countOf(empty.length, 'class', 'classes')} of the ${classes.length} of ${known!.of} ${empty.length === 1 ? 'has' : 'have'} no images in ${folder}: ${nameList(empty)}. What is measured there is measured on the other classes alone.`,
    );
  return { images, classes, warnings };
}

/** The subfolder of each class: by its name, or by the other Unicode form of it. @throws {InputError} for other subfolders */
function foldersOfClasses(
  folder: string,
  {
    classes,
    found,
    of,
  }: { readonly classes: readonly string[]; readonly found: readonly string[]; readonly of: string },
): Map<string, string> {
  const classOf = new Map(classes.map((name) => [name.normalize('NFC'), name]));
  const unknown = found.filter((name) => !classOf.has(name.normalize('NFC')));
  if (unknown.length > 0) {
    const meant = unknown.flatMap((name) => {
      const near = nearest(name, classes);
      return near === undefined ? [] : [`'${near}' for '${name}'`];
    });
    throw datasetError({
      file: folder,
      expected: `only classes of ${of}`,
      received: `${nameList(unknown, 3)} as well`,
      remedy:
        meant.length > 0
          ? `Did you mean ${meant[0]}?`
          : `A network knows the classes it is trained on${classes.length <= 10 ? `: ${nameList(classes, 10)}` : ''}.`,
    });
  }
  return new Map(found.map((name) => [classOf.get(name.normalize('NFC'))!, name]));
}

/** @throws {InputError} for two names that differ in nothing but their Unicode form, which look the same */
function requireDistinct(folder: string, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const form = name.normalize('NFC');
    const other = seen.get(form);
    if (other !== undefined)
      throw datasetError({
        file: folder,
        expected: 'classes with different names',
        received: `'${other}' and '${name}', two Unicode forms of one name`,
        remedy: 'Put the images of both into one folder.',
      });
    seen.set(form, name);
  }
}

/** Entries that are passed over: pictures in formats that are not read, and what is no picture. */
class Skipped {
  readonly #pictures: string[] = [];
  readonly #others: string[] = [];

  constructor(readonly folder: string) {}

  add(path: string): void {
    const isPicture =
      unreadExtensions.includes(extname(path).toLowerCase()) && !basename(path).startsWith('.');
    (isPicture ? this.#pictures : this.#others).push(path);
  }

  warnings(): string[] {
    const kinds = [...new Set(this.#pictures.map((path) => extname(path).toLowerCase()))];
    return [
      ...(this.#pictures.length === 0
        ? []
        : [
            `Skipped ${countOf(this.#pictures.length, 'file')} of ${this.folder} in formats that are not read (${nameList(kinds)}): ${nameList(this.#pictures, 3)}. Convert them to JPEG or PNG.`,
          ]),
      ...(this.#others.length === 0
        ? []
        : [
            `Skipped ${countOf(this.#others.length, 'entry', 'entries')} of ${this.folder} that are no images: ${nameList(this.#others, 3)}.`,
          ]),
    ];
  }
}

/** The class names of `folder`, as `listImages` returns them. */
export async function listClasses(folder: string): Promise<string[]> {
  return (await entriesOf(folder)).filter(({ kind }) => kind === 'folder').map(({ name }) => name);
}

interface Entry {
  readonly name: string;
  /** Links are what they lead to; pipes and devices are others. */
  readonly kind: 'folder' | 'file' | 'other';
}

function isImage({ name, kind }: Entry): boolean {
  return kind === 'file' && isImageName(name);
}

function isImageName(name: string): boolean {
  return !name.startsWith('.') && imageExtensions.includes(extname(name).toLowerCase());
}

/**
 * The entries of a folder, sorted by code unit so that ids do not depend on the file system or the locale.
 *
 * @throws {InputError} if it is no folder.
 */
async function entriesOf(folder: string): Promise<Entry[]> {
  let found: Dirent<Buffer>[];
  try {
    found = await readdir(systemPath(folder), { withFileTypes: true, encoding: 'buffer' });
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
    found.map(async (entry): Promise<Entry> => {
      const name = textOfName(entry.name);
      return { name, kind: await kindOf(join(folder, name), entry) };
    }),
  );
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Hidden folders and macOS metadata folders are not classes; links to folders are followed. */
async function kindOf(path: string, entry: Dirent<Buffer>): Promise<Entry['kind']> {
  const name = basename(path);
  const kind = (found: Pick<Dirent, 'isDirectory' | 'isFile'>) =>
    found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';
  // A link that leads nowhere is a file that cannot be read, which is told with the broken ones.
  const own = entry.isSymbolicLink()
    ? await stat(systemPath(path)).then(kind, () => 'file' as const)
    : kind(entry);
  return own === 'folder' && (name.startsWith('.') || name === '__MACOSX') ? 'other' : own;
}
