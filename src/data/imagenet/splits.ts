import { availableParallelism } from 'node:os';
import { InputError, RunError } from '../../errors.js';
import type { Filter } from '../../tensor/resample.js';
import { nameList } from '../../user-input/name-list.js';
import { chooseExamples } from '../choose-examples.js';
import { type Dataset, subset } from '../dataset.js';
import { countOf } from '../dataset-error.js';
import type { NamedSplit } from '../dataset-names.js';
import { robustbenchSubset } from '../dataset-names.js';
import { allocate } from '../decode-image.js';
import { homePath } from '../home-path.js';
import { BrokenImage } from '../raw-image.js';
import { cutValidation } from '../validation-split.js';
import { type CentreRule, centreView } from './crop.js';
import { decodeView } from './decode.js';
import type { EncodedImages } from './encoded-images.js';
import { type Layout, openImagenet } from './layout.js';
import { robustbenchPlaces } from './robustbench-subset.js';

/** Deterministic resizing for evaluation. */
export interface CentreForm {
  /** Height and width of the network's input. */
  readonly size: number;
  /** Size of the shorter side before the centre crop; null for `size` + 32. */
  readonly resize: number | null;
  readonly filter: Filter;
  readonly decoding: 'exact' | 'fast';
  /** @default 'torchvision' */
  readonly centre?: CentreRule | undefined;
}

export interface ImagenetSplitOptions {
  readonly dir: string;
  readonly layout: Layout | null;
  readonly split: NamedSplit;
  /** Number of images, or share below 1, of `train` for the validation split. */
  readonly validation: number;
  readonly validationSeed: number;
}

/** A split of ImageNet with encoded images. */
export interface OpenedSplit {
  readonly images: EncodedImages;
  /** Indices of the split: ascending, except for the RobustBench subset, which has its own order. */
  readonly indices: Uint32Array;
  /** `imagenet:validation` */
  readonly name: string;
}

/**
 * Opens a split: `test` is ImageNet's `val`; `train` and `validation` are taken from its `train`.
 *
 * @throws {InputError} if files are missing or the split is empty.
 */
export async function openSplit(options: ImagenetSplitOptions): Promise<OpenedSplit> {
  const { dir, layout, split, validation, validationSeed } = options;
  const part = split === 'train' || split === 'validation' ? 'train' : 'val';
  if (split === 'validation' && validation === 0)
    throw InputError.expected('an amount for the validation split of imagenet', 'validation', 0);
  const images = await openImagenet({ dir, layout, part });
  const name = `imagenet:${split}`;
  if (split === robustbenchSubset)
    return { images, indices: await robustbenchPlaces(images, homePath(dir)), name };
  const count = images.labels.length;
  if (part === 'val' || validation === 0)
    return { images, indices: Uint32Array.from({ length: count }, (_, index) => index), name };
  const cut = cutValidation({
    labels: images.labels,
    keys: Array.from({ length: count }, (_, index) => images.keyOf(index)),
    classes: images.classes.length,
    validation,
    seed: validationSeed,
  });
  return { images, indices: cut[split === 'validation' ? 'validation' : 'train'], name };
}

/**
 * Loads a split, or `examples` of it, preprocessed for evaluation.
 *
 * @throws {InputError} for what cannot be used.
 */
export async function loadImagenet(
  options: ImagenetSplitOptions &
    CentreForm & {
      readonly examples: { readonly count: number; readonly seed: number } | undefined;
      readonly onProgress?: (done: number, total: number) => void;
    },
): Promise<Dataset> {
  const opened = await openSplit(options);
  try {
    const { examples } = options;
    const indices = examples === undefined ? opened.indices : chosenPlaces(opened, examples);
    return await decodePlaces(opened, indices, options);
  } finally {
    await opened.images.close();
  }
}

/** A subset of a split: the first images of RobustBench's list, else a stratified draw. */
export function chosenPlaces(
  { images, indices, name }: OpenedSplit,
  { count, seed }: { readonly count: number; readonly seed: number },
): Uint32Array {
  if (count >= indices.length) return indices;
  const labels = indices.map((index) => images.labels[index]!);
  const order = name.endsWith(robustbenchSubset) ? 'file' : 'folder';
  const chosen = chooseExamples(
    { ids: indices, labels: Uint16Array.from(labels), classes: images.classes, order, name },
    count,
    { seed },
  );
  return chosen.map((position) => indices[position]!);
}

/**
 * Decodes images of a split into memory for evaluation: deterministic. Broken images are an error that names all of them,
 * unless `mostBroken` of them may be left out, with a warning: those of training, where they are tolerated too.
 *
 * @throws {InputError} for broken images, and if memory does not suffice.
 * @throws {RunError} if more images are broken than `mostBroken`.
 */
export async function decodePlaces(
  { images, name }: Pick<OpenedSplit, 'images' | 'name'>,
  indices: Uint32Array,
  {
    onProgress,
    mostBroken,
    ...form
  }: CentreForm & {
    readonly mostBroken?: number;
    readonly onProgress?: (done: number, total: number) => void;
  },
): Promise<Dataset> {
  const { size, filter, decoding, centre } = form;
  const resize = form.resize ?? size + 32;
  if (resize < size) throw InputError.expected(`at least ${size}, the image size,`, 'the resize', resize);
  const area = 3 * size * size;
  const target = allocate(indices.length, area);
  const broken = new Map<number, string>();
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < indices.length) {
      const at = next++;
      const index = indices[at]!;
      const encoded = await images.read(index);
      await decodeView(encoded, {
        viewOf: (original) => centreView(original, { resize, size, centre }),
        filter,
        decoding,
        target,
        offset: at * area,
      }).catch((error: unknown) => {
        if (!(error instanceof BrokenImage)) throw error;
        broken.set(at, `${images.nameOf(index)} (${error.message})`);
      });
      onProgress?.(++done, indices.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), indices.length) }, work));
  const named = nameList(
    [...broken].sort(([a], [b]) => a - b).map(([, text]) => text),
    { most: 20, length: 500 },
  );
  if (broken.size > 0 && mostBroken === undefined)
    throw new InputError(
      'unusable-data',
      `Expected images that can be read to their end in ${name} but received ${countOf(broken.size, 'broken one')}: ${named}. Replace ${broken.size === 1 ? 'it' : 'them'}: an evaluation leaves no image out.`,
    );
  if (mostBroken !== undefined && broken.size > mostBroken)
    throw new RunError(
      'broken-images',
      `Expected at most ${countOf(mostBroken, 'broken image')} in ${name} but received ${broken.size}: ${named}. Replace them, or raise data.mostBroken.`,
    );
  const dataset: Dataset = {
    name,
    classes: images.classes,
    shape: [3, size, size],
    images: target,
    labels: Uint16Array.from(indices, (index) => images.labels[index]!),
    ids: indices,
    order: name.endsWith(robustbenchSubset) ? 'file' : 'folder',
    warnings: images.warnings,
  };
  if (broken.size === 0) return dataset;
  const kept = Uint32Array.from(indices.keys()).filter((at) => !broken.has(at));
  const left = `Left out ${countOf(broken.size, 'broken image')} of the ${indices.length} of ${name} that are measured: ${named}.`;
  return { ...subset(dataset, kept), warnings: [...images.warnings, left] };
}
