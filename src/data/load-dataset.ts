import { resolve } from 'node:path';
import { InputError, SatinError } from '../errors.js';
import { requireArgument, requireOptional } from '../user-input/require-argument.js';
import { chooseExamples } from './choose-examples.js';
import { type CifarLayout, cifar10, cifar100, findCifar, otherCifarVersion, readCifar } from './cifar.js';
import { type Dataset, type LoadProgress, type Split, subset } from './dataset.js';
import { datasetError } from './dataset-error.js';
import type { DataName, NamedSplit } from './dataset-names.js';
import { allImages, dataNames, robustbenchSubset } from './dataset-names.js';
import type { ImageForm } from './decode-image.js';
import { homePath } from './home-path.js';
import { type FolderSource, readFolder } from './image-folder.js';
import type { BrokenRule } from './image-rules.js';
import type { Layout } from './imagenet/layout.js';
import { type CentreForm, loadImagenet } from './imagenet/splits.js';
import { findIdx, readIdx } from './mnist-idx.js';
import {
  cifar10Files,
  cifar100Files,
  fashionFiles,
  fetchFiles,
  mnistFiles,
  type SourceFiles,
} from './public-files.js';
import { cutValidation } from './validation-split.js';

/**
 * The one way in: a name and a split become bytes, labels and names. This file knows where files are looked
 * for and how a validation split comes about; formats are read elsewhere. It draws nothing from the seed of a
 * run: the splits have seeds of their own.
 */
export interface LoadOptions {
  readonly name: DataName;
  readonly split: NamedSplit;
  /** The folder that holds the files; needed for `folder` and `imagenet`. Elsewhere the usual places, then a download. */
  readonly dir?: string | undefined;
  /** Only for `folder`: what every image is brought to; without it all images must have one size. */
  readonly size?: ImageForm['size'] | undefined;
  /** Only for `folder`. @default 'crop' */
  readonly resize?: 'crop' | 'stretch' | 'pad' | undefined;
  /** Only for `folder`: 3 is RGB, 1 is grey. @default 3 */
  readonly channels?: 1 | 3 | undefined;
  /** Only for `imagenet`: how its images are brought to `size`. @default bilinear, the shorter side to the size + 32 */
  readonly imagenet?: Omit<CentreForm, 'size'> & { readonly layout: Layout | null };
  /** Only for `folder`: whether broken images are an error that names them, or left out. @default 'refuse' */
  readonly broken?: BrokenRule | undefined;
  /** Only so many of them, as `chooseExamples` takes them. @default all */
  readonly examples?: { readonly count: number; readonly seed: number } | undefined;
  /** How much of the training set is kept for validation: examples, or a share below 1. @default none, or as a folder has it */
  readonly validation?: number | undefined;
  /** Draws the validation split. @default 0 */
  readonly validationSeed?: number | undefined;
  /** Draws the test images of a folder without splits. @default 0 */
  readonly testSeed?: number | undefined;
  /** Whether a public set that is missing is downloaded. @default true */
  readonly download?: boolean | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/**
 * Loads one split of a data set. Files that are missing or unusable, and options that do not fit the set,
 * are an `InputError`; a download that fails is a `SatinError` that says what else can be done.
 */
export async function loadDataset(options: LoadOptions): Promise<Dataset> {
  requireArgument(options, 'options', 'loadDataset');
  const { name, split, examples, dir } = options;
  if (!dataNames.includes(name))
    throw InputError.expected(`one of ${dataNames.join(', ')}`, 'the name of a data set', name);
  requireArgument(split, 'text', 'the split of a data set');
  requireOptional(dir, 'text', 'the folder of a data set');
  if (name === 'imagenet') return loadEncoded(options);
  if (split === robustbenchSubset) throw InputError.expected('imagenet', `the set of ${split}`, name);
  const known = { ...options, dir: dir && homePath(dir) };
  const whole = await (name === 'folder'
    ? loadFolder({ ...known, split })
    : loadFiles(name, { ...known, split: cutSplit(name, split) }));
  if (examples === undefined || examples.count >= whole.ids.length) return whole;
  return subset(whole, chooseExamples(whole, examples.count, { seed: examples.seed }));
}

/** @throws {InputError} for all images of a set that its authors split. */
function cutSplit<Name extends NamedSplit>(name: DataName, split: Name): Exclude<Name, typeof allImages> {
  if (split === allImages) throw InputError.expected('folder', `the split ${split}`, name);
  return split as Exclude<Name, typeof allImages>;
}

/** Options of a set that lies in memory. */
type SplitOptions = LoadOptions & { readonly split: Split };

async function loadEncoded(options: LoadOptions): Promise<Dataset> {
  const { split, dir, size = [224, 224], imagenet, validation, validationSeed = 0, examples } = options;
  for (const option of ['resize', 'channels', 'broken', 'testSeed'] as const)
    if (options[option] !== undefined)
      throw InputError.expected(`no ${option}, which only folders have,`, 'imagenet', options[option]);
  if (dir === undefined)
    throw InputError.expected(
      'the path of a folder of images',
      'dir',
      dir,
      'It holds train/ and val/, or archives; name it by data.dir, or `dir`.',
    );
  if (size[0] !== size[1]) throw InputError.expected('a square', 'the size of imagenet', size);
  const { onProgress } = options;
  return loadImagenet({
    ...(imagenet ?? { layout: null, resize: null, filter: 'bilinear', decoding: 'exact' }),
    dir,
    split: cutSplit('imagenet', split),
    size: size[0],
    validation: validation ?? 0,
    validationSeed,
    examples,
    ...(onProgress && {
      onProgress: (done, total) => onProgress({ stage: 'decode', what: `imagenet:${split}`, done, total }),
    }),
  });
}

/** A set whose author made it of a few files, with a training and a test split. */
interface FileSet {
  readonly files: SourceFiles;
  /** The Debian package that brings it, and where it puts the files. */
  readonly debian?: { readonly name: string; readonly dir: string };
  /** The downloads that `dir` lacks for this split; none where the set is there. */
  missing(dir: string, split: 'train' | 'test'): Promise<string[]>;
  /** What `dir` has instead: the set in a form that is not read; undefined if nothing. */
  other(dir: string): Promise<string | undefined>;
  read(dir: string, split: 'train' | 'test', name: string): Promise<Dataset>;
}

const fileSets = {
  'fashion-mnist': {
    ...idxSet(fashionFiles, [
      'T-shirt/top',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ]),
    debian: { name: 'dataset-fashion-mnist', dir: '/usr/share/datasets/fashion-mnist' },
  },
  mnist: idxSet(mnistFiles, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']),
  cifar10: cifarSet(cifar10Files, cifar10),
  cifar100: cifarSet(cifar100Files, cifar100),
} satisfies Record<Exclude<DataName, 'folder' | 'imagenet'>, FileSet>;

function idxSet(files: SourceFiles, classes: readonly string[]): FileSet {
  return {
    files,
    other: async () => undefined,
    async missing(dir, split) {
      const found = await findIdx(dir, split);
      const prefix = split === 'train' ? 'train' : 't10k';
      return [
        ...(found.images === undefined ? [`${prefix}-images-idx3-ubyte.gz`] : []),
        ...(found.labels === undefined ? [`${prefix}-labels-idx1-ubyte.gz`] : []),
      ];
    },
    async read(dir, split, name) {
      const { images, labels } = await findIdx(dir, split);
      if (images === undefined || labels === undefined)
        throw new RangeError(`${dir} was not checked for ${name}.`);
      return readIdx({ images, labels, classes, name });
    },
  };
}

function cifarSet(files: SourceFiles, layout: CifarLayout): FileSet {
  return {
    files,
    other: (dir) => otherCifarVersion(layout, dir),
    missing: async (dir) => ((await findCifar(layout, dir)) === undefined ? [layout.archive] : []),
    read: (dir, split, name) => readCifar({ layout, dir, split, name }),
  };
}

async function loadFiles(name: keyof typeof fileSets, options: SplitOptions): Promise<Dataset> {
  const { split, validation = 0, validationSeed = 0 } = options;
  for (const option of ['size', 'resize', 'channels', 'broken', 'testSeed', 'imagenet'] as const)
    if (options[option] !== undefined)
      throw InputError.expected(`no ${option}, which only folders have,`, name, options[option]);
  if (split === 'validation' && validation === 0)
    throw InputError.expected(
      `an amount for the validation split of ${name}`,
      'validation',
      options.validation,
      'Say how many training examples, or which share of them, are kept for it.',
    );
  const from = split === 'test' ? 'test' : 'train';
  const dir = await placeOf(name, from, options);
  const whole = await fileSets[name].read(dir, from, `${name}:${split}`);
  if (split === 'test' || validation === 0) return whole;
  const { labels, ids: keys, classes } = whole;
  const cut = cutValidation({ labels, keys, classes: classes.length, validation, seed: validationSeed });
  return subset(whole, cut[split]);
}

/** Names of the data sets that are downloaded where they are missing. */
export type PublicName = keyof typeof fileSets;

/** The usual place that has all files of a public data set; null if none has. */
export async function findDataset(name: PublicName): Promise<string | null> {
  const set: FileSet = fileSets[name];
  for (const place of usualPlaces(name)) {
    const missing = [...(await set.missing(place, 'train')), ...(await set.missing(place, 'test'))];
    if (missing.length === 0) return place;
  }
  return null;
}

/** Where the files of a public data set are looked for; the last is where they are downloaded to. */
function usualPlaces(name: PublicName): string[] {
  const set: FileSet = fileSets[name];
  return [...(set.debian === undefined ? [] : [set.debian.dir]), resolve('data', name)];
}

/** The folder that has the files of this split, after a download where it is needed. */
async function placeOf(
  name: keyof typeof fileSets,
  split: 'train' | 'test',
  { dir, download = true, onProgress }: SplitOptions,
): Promise<string> {
  const set: FileSet = fileSets[name];
  if (dir !== undefined) {
    const missing = await set.missing(dir, split);
    if (missing.length === 0) return dir;
    const other = await set.other(dir);
    if (other !== undefined)
      throw datasetError({
        file: dir,
        expected: `the binary version of ${name} (${missing.join(' and ')})`,
        received: other,
        remedy: `Download ${missing.map((file) => set.files[file]!.url).join(' and ')} into the folder, or leave the folder out: Satin then downloads it.`,
      });
    throw datasetError({
      file: dir,
      expected: `the files of ${name}`,
      received: `a folder without ${missing.join(' and ')}`,
      remedy:
        'Put them there, or leave the folder out: Satin then looks in the usual places and downloads them.',
    });
  }
  const places = usualPlaces(name);
  const own = places.at(-1)!;
  for (const place of places) if ((await set.missing(place, split)).length === 0) return place;
  const wanted = await set.missing(own, split);
  const notFound = `Expected the files of ${name} in ${places.join(' or ')} but found none`;
  const elsewhere = `${set.debian === undefined ? 'Else' : `Else install the Debian package ${set.debian.name}, or`} say which folder has them.`;
  if (!download) {
    const urls = wanted.map((file) => set.files[file]!.url).join(' and ');
    throw new InputError('data-not-found', `${notFound}. Download ${urls} into ${own}. ${elsewhere}`);
  }
  try {
    await fetchFiles({ files: set.files, wanted, folder: own, onProgress });
  } catch (error) {
    if (!(error instanceof SatinError)) throw error;
    throw new SatinError(error.code, `${notFound}. ${error.message} ${elsewhere}`, { cause: error });
  }
  return own;
}

async function loadFolder(
  options: LoadOptions & { readonly split: FolderSource['split'] },
): Promise<Dataset> {
  const {
    split,
    dir,
    size,
    resize,
    channels,
    broken,
    validation,
    validationSeed = 0,
    testSeed = 0,
    onProgress,
  } = options;
  if (dir === undefined)
    throw InputError.expected(
      'the path of a folder of images',
      'dir',
      dir,
      'Data of the kind folder need to know where they are.',
    );
  const name = `folder:${split}`;
  const report =
    onProgress && ((done: number, total: number) => onProgress({ stage: 'decode', what: name, done, total }));
  return readFolder({
    dir,
    split,
    name,
    form: { size, resize, channels },
    broken,
    validation,
    validationSeed,
    testSeed,
    onProgress: report,
  });
}
