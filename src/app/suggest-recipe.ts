import { basename, resolve } from 'node:path';
import { imageSize } from '../data/decode-image.js';
import { homePath } from '../data/home-path.js';
import { listSplit } from '../data/image-folder.js';
import { InputError } from '../errors.js';
import { nameList } from '../user-input/name-list.js';

/** What a folder of images says about the recipe for it. */
export interface FolderFacts {
  readonly classes: readonly string[];
  /** Images that training draws from, and for validation and test. */
  readonly images: { readonly training: number; readonly validation: number; readonly test: number };
  /** The shorter side of an image in pixels: the median of some of them. */
  readonly side: number;
  readonly warnings: readonly string[];
}

/** The most images whose size is looked at. */
const looked = 200;

/** Looks at a folder of images, as training splits it. @throws {InputError} as training */
export async function folderFacts(
  dir: string,
  onProgress?: (done: number, total: number) => void,
): Promise<FolderFacts> {
  const source = { dir: homePath(dir), testSeed: 0, validationSeed: 0, validation: 0.1 };
  const training = await listSplit({ ...source, split: 'train' });
  const validation = await listSplit({ ...source, split: 'validation' });
  const test = await listSplit({ ...source, split: 'test' });
  const every = Math.max(1, Math.floor(training.images.length / looked));
  const sides: number[] = [];
  const some = training.images.filter((_, index) => index % every === 0);
  for (const [index, { file }] of some.entries()) {
    onProgress?.(index, some.length);
    const size = await imageSize(file).catch((error: unknown) => {
      if (error instanceof InputError) return null; // named by training, with all others that are broken
      throw error;
    });
    if (size !== null) sides.push(Math.min(...size));
  }
  const side = sides.sort((a, b) => a - b)[Math.floor(sides.length / 2)];
  if (side === undefined)
    throw InputError.expected('images that can be read', dir, `${training.images.length} broken ones`);
  return {
    classes: training.classes,
    images: {
      training: training.images.length,
      validation: validation.images.length,
      test: test.images.length,
    },
    side,
    warnings: training.warnings,
  };
}

/** About so many steps are trained, as far as so many epochs allow. */
const steps = 3000;
const epochsAllowed = { least: 10, most: 100 } as const;
/** The largest input that two cores train in the hours of an evening. */
const largestSide = 64;

/** A name for the recipe of a folder, from that of the folder. */
export function recipeName(dir: string): string {
  const name = basename(resolve(homePath(dir))).replaceAll(/[^A-Za-z0-9._-]+/g, '-');
  return /^[A-Za-z0-9]/.test(name) ? name : `photos${name}`;
}

/** What a recipe says of itself above its settings. */
interface Header {
  /** Lines on what can be done with it. */
  readonly usage: readonly string[];
  /** Where its JSON Schema is. */
  readonly schemaLine: string;
}

/** A commented recipe for a folder, as YAML. */
export function suggestRecipe(
  dir: string,
  { classes, images, side }: FolderFacts,
  { usage, schemaLine }: Header,
): string {
  const size = side >= largestSide ? largestSide : Math.max(8, side - (side % 8));
  const batch = Math.max(2, Math.min(64, 2 ** Math.floor(Math.log2(images.training / 4))));
  const perEpoch = Math.floor(images.training / batch);
  const { least, most } = epochsAllowed;
  const epochs = Math.max(least, Math.min(most, Math.round(steps / perEpoch)));
  return `# ${images.training} images of ${classes.length} classes to train on, ${images.validation} for validation, ${images.test} for the test:
# ${nameList(classes, { most: 10, length: 30 })}
#
${usage.map((line) => `#   ${line}\n`).join('')}#
# docs/recipe-keys.md has every key; an editor that knows YAML suggests and explains them.
${schemaLine}
name: ${recipeName(dir)}
data:
  name: folder
  dir: ${JSON.stringify(dir)}
  size: [${size}, ${size}] # height and width; the images' shorter side is ${side} pixels
  augment:
    flip: true # false if left and right matter, as in writing
    crop: ${Math.max(1, Math.round(size / 8))} # pixels by which images are shifted
model:
  name: resnet18
  width: 0.25 # 1 is the published width: 16 times the arithmetic
  activation: silu
threat:
  norm: linf # every pixel may change
  epsilon: 4/255 # by so much; 8/255 is usual for CIFAR-10
training:
  objective: pgd # clean trains without attacks: in less than half the time, and not robust
  attack:
    steps: 2
  epochs: ${epochs} # ${perEpoch * epochs} steps
  batch: ${batch}
  # classWeights: balanced # classes of few images count as much as those of many
  # patience: ${Math.max(3, Math.round(epochs / 5))} # the training ends after so many epochs without a better one
  schedule:
    name: one-cycle
    learningRate: ${batch >= 32 ? 0.1 : 0.05}
    warmup: ${Number((epochs / 5).toPrecision(3))} # epochs
`;
}
