import { relative } from 'node:path';
import { InputError } from '../errors.js';
import { nameList } from '../user-input/name-list.js';
import { type Dataset, labelArray, type Split } from './dataset.js';
import { countOf, datasetError } from './dataset-error.js';
import { allImages } from './dataset-names.js';
import { decodeCached } from './decode-cached.js';
import { type ImageForm, imageSize } from './decode-image.js';
import {
  type FolderImage,
  folderLayout,
  type ImageList,
  listClasses,
  listImages,
} from './image-folder-layout.js';
import type { BrokenRule } from './image-rules.js';
import { classCounts, drawStratified } from './stratify.js';
import { cutValidation, positionsWithout } from './validation-split.js';

export interface FolderSource {
  readonly dir: string;
  readonly split: Split | typeof allImages;
  /** Name of the data set: `folder:train`. */
  readonly name: string;
  /** What every image is brought to; without a size all images must have one. */
  readonly form: Omit<ImageForm, 'size'> & { readonly size?: ImageForm['size'] | undefined };
  /** Whether broken images are an error or are left out. @default 'refuse' */
  readonly broken?: BrokenRule | undefined;
  /** Draws the test images of a folder that has no splits. */
  readonly testSeed: number;
  /** Draws the validation images. */
  readonly validationSeed: number;
  /** How many of the training images are taken for validation; undefined: as the folder has it. */
  readonly validation?: number | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What decides which images a split has. */
type Listed = Pick<FolderSource, 'dir' | 'split' | 'testSeed' | 'validationSeed' | 'validation'>;

/** The images of one split, with their ids, before any is decoded. */
interface Part {
  readonly images: readonly FolderImage[];
  readonly ids: Uint32Array;
  readonly classes: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Reads one split of a folder with one subfolder of images a class. Only that split's images are decoded.
 * Whatever is missing, contradictory or broken is an `InputError` that names the file or folder.
 */
export async function readFolder(source: FolderSource): Promise<Dataset> {
  const { images, ids, classes, warnings } = await listSplit(source);
  if (images.length === 0)
    throw datasetError({
      file: source.dir,
      expected: `images for the ${source.split} split`,
      received: 'none',
      remedy: 'Ask for a larger split, or add images: a class of three or more gives one at least to each.',
    });
  const { name, onProgress, broken } = source;
  const files = images.map(({ file }) => file);
  const form = await completeForm(source.form, files);
  const decoded = await decodeCached({ files, form, broken, remedy: leavingOut, onProgress });
  const { kept } = decoded;
  if (kept.length === 0)
    throw datasetError({
      file: source.dir,
      expected: `images for the ${source.split} split`,
      received: `broken ones alone, ${images.length} of them`,
      remedy: 'Replace them.',
    });
  const labels = labelArray(kept.length, classes.length);
  for (const [position, index] of kept.entries()) labels[position] = images[index]!.label;
  const [height, width] = form.size;
  return {
    name,
    classes,
    shape: [form.channels ?? 3, height, width],
    images: decoded.images,
    labels,
    ids: kept.map((index) => ids[index]!),
    files: Array.from(kept, (index) => relative(source.dir, images[index]!.file)),
    order: 'folder',
    warnings: [...warnings, ...decoded.warnings],
  };
}

const leavingOut = 'They are left out by data.broken: skip, or `broken` skip.';

/** Without a size, the first image that can be read gives it, and the others have to be alike. */
async function completeForm(
  { size, ...rest }: FolderSource['form'],
  files: readonly string[],
): Promise<ImageForm> {
  if (size !== undefined) return { ...rest, size };
  for (const file of files) {
    const own = await imageSize(file).catch((error: unknown) => {
      if (error instanceof InputError) return null; // `decodeImages` names it, and all others that are broken
      throw error;
    });
    if (own !== null) return { ...rest, size: own, resize: 'refuse' };
  }
  return { ...rest, size: [1, 1] };
}

/**
 * Lists the images of one split without reading any.
 *
 * @throws {InputError} as `readFolder`, but for broken images.
 */
export async function listSplit(source: Listed): Promise<Part> {
  const layout = await folderLayout(source.dir);
  return layout.kind === 'whole' ? cutWhole(layout.folder, source) : ownSplit(layout.folders, source);
}

/** One tenth of each class for the test split, one tenth for validation, the rest for training. */
async function cutWhole(folder: string, source: Listed): Promise<Part> {
  const { split, testSeed, validationSeed, validation } = source;
  const list = await listImages(folder);
  if (split === allImages) return part(list, Uint32Array.from(list.images.keys()));
  const { labels, paths } = keysOf(list.images);
  const sizes = classCounts(labels, list.classes.length);
  const tenths = sizes.map((size) => (size < 3 ? 0 : Math.max(1, Math.round(size / 10))));
  const test = drawStratified({ purpose: 'test', seed: testSeed, labels, keys: paths, counts: tenths });
  const rest = part(list, positionsWithout(test, labels.length));
  const small = list.classes.filter((_, label) => sizes[label]! < 3);
  const warnings = [...list.warnings];
  if (small.length > 0)
    warnings.push(
      `${countOf(small.length, 'class', 'classes')} of ${folder} with fewer than three images stay whole in the training split: ${nameList(small, 3)}.`,
    );
  if (split === 'test') return { ...part(list, test), warnings };
  const inRest = keysOf(rest.images);
  if (validation !== undefined)
    return { ...takeValidation(rest, { split, validationSeed, validation }), warnings };
  const drawn = drawStratified({
    purpose: 'validation',
    seed: validationSeed,
    labels: inRest.labels,
    keys: inRest.paths,
    counts: tenths,
  });
  const positions = split === 'validation' ? drawn : positionsWithout(drawn, rest.images.length);
  return { ...part(rest, positions), warnings };
}

/** A split that has a folder of its own, or the validation images taken from train/. */
async function ownSplit(
  folders: Readonly<Partial<Record<Split, string>>>,
  { dir, split, validationSeed, validation }: Listed,
): Promise<Part> {
  if (split === allImages)
    throw datasetError({
      file: dir,
      expected: `a folder without splits for ${allImages}`,
      received: Object.values(folders).join(' and '),
      remedy: 'Name one of its splits.',
    });
  const fromTrain = split === 'validation' && folders.validation === undefined && validation !== undefined;
  const folder = folders[fromTrain ? 'train' : split];
  if (folder === undefined)
    throw datasetError({
      file: dir,
      expected: `a folder for the ${split} split`,
      received: `only ${Object.values(folders).join(' and ')}`,
      remedy: missingSplitRemedy[split],
    });
  const reference = folders.train ?? folder;
  const isReference = split === 'train' || fromTrain;
  const known = { names: await listClasses(reference), of: reference };
  const list = await listImages(folder, isReference ? undefined : known);
  if (isReference) list.warnings.push(...(await warningsOfOthers(folders, list)));
  const all = part(list, Uint32Array.from(list.images.keys()));
  if (split === 'test' || validation === undefined) return all;
  if (folders.validation === undefined) return takeValidation(all, { split, validationSeed, validation });
  const unused = `The amount for validation (${validation}) was not used, since ${folders.validation} holds the validation images.`;
  return { ...all, warnings: [...all.warnings, unused] };
}

/**
 * What is odd about the other splits of a training split: told before training, whose result they will measure.
 *
 * @throws {InputError} for classes that are not those of the training split.
 */
async function warningsOfOthers(
  { train, ...others }: Readonly<Partial<Record<Split, string>>>,
  { classes }: ImageList,
): Promise<string[]> {
  const warnings = [];
  for (const folder of Object.values(others))
    warnings.push(...(await listImages(folder, { names: classes, of: train! })).warnings);
  return warnings;
}

const missingSplitRemedy: Readonly<Record<Split, string>> = {
  train: 'Add train/ with one subfolder for each class.',
  validation: 'Say how many training images are taken for validation, or add val/.',
  test: 'Rename val/ to test/ (validation images are then taken from train/), or add test/.',
};

function takeValidation(
  whole: Part,
  { split, validationSeed, validation }: { split: Split; validationSeed: number; validation: number },
): Part {
  const { labels, paths } = keysOf(whole.images);
  const cut = cutValidation({
    labels,
    keys: paths,
    classes: whole.classes.length,
    validation,
    seed: validationSeed,
  });
  return part(whole, split === 'validation' ? cut.validation : cut.train);
}

/** The images at `positions`; an id is the index in the whole sorted list, whatever the split. */
function part(list: ImageList | Part, positions: Uint32Array): Part {
  return {
    images: Array.from(positions, (position) => list.images[position]!),
    ids: 'ids' in list ? positions.map((position) => list.ids[position]!) : positions,
    classes: list.classes,
    warnings: list.warnings,
  };
}

/** Splits are keyed by path, so that adding or removing a file does not move other files between splits. */
function keysOf(images: readonly FolderImage[]): { readonly labels: number[]; readonly paths: string[] } {
  return { labels: images.map(({ label }) => label), paths: images.map(({ path }) => path) };
}
