import { z } from 'zod';
import { type Layout, layouts } from '../data/imagenet/layout.js';
import type { CentreForm } from '../data/imagenet/splits.js';
import { filters } from '../tensor/resample.js';
import { atLeastZero, between, oneOf, positive, text, whole, yesOrNo } from '../user-input/schema-fields.js';
import { defaults } from './defaults.js';

/** Lowest and highest, in that order. */
function interval<Bound extends z.ZodType<number>>(bound: Bound, error: string) {
  return z
    .tuple([bound, bound], { error })
    .refine(([low = 0, high = 0]) => low <= high, { error, params: { expected: true } });
}

/** A factor is drawn from 1 ± this; 0 is off. */
const jitter = (standard: number) => between(0, 1).default(standard);

const augment = z
  .strictObject({
    /** Share of an image's area that a random crop takes, lowest and highest. @default [0.08, 1] */
    scale: interval(
      positive().max(1, { error: 'a number from 0 to 1' }),
      'two shares [lowest, highest], above 0 and at most 1,',
    ).default([...defaults.imagenet.augment.scale]),
    /** Width over height of a random crop, lowest and highest. @default [0.75, 1.3333333333333333] */
    ratio: interval(positive(), 'two proportions [lowest, highest] above 0').default([
      ...defaults.imagenet.augment.ratio,
    ]),
    /** Mirror each training image left to right with probability one half. @default true */
    flip: yesOrNo().default(defaults.imagenet.augment.flip),
    /** Multiplies pixels by a factor from 1 ± this. @default 0 */
    brightness: jitter(defaults.imagenet.augment.brightness),
    /** The same for distances from the image's mean grey. @default 0 */
    contrast: jitter(defaults.imagenet.augment.contrast),
    /** The same for distances from each pixel's grey. @default 0 */
    saturation: jitter(defaults.imagenet.augment.saturation),
    /** Deviation of the shifts along ImageNet's principal colours (PCA lighting). @default 0 */
    lighting: atLeastZero().default(defaults.imagenet.augment.lighting),
  })
  .prefault({});

/** Images that are decoded as they are needed: docs/imagenet.md. */
export const imagenetFields = {
  name: z.literal('imagenet'),
  /** The folder of `train` and `val`, or of the archives. */
  dir: text('the path of a folder'),
  /** `folder` (train/SYNSET/*.JPEG) or `shards` (WebDataset archives); null: what is there. @default null */
  layout: oneOf(layouts).nullable().default(defaults.imagenet.layout),
  /** Height and width in pixels of what the network sees. @default 224 */
  size: whole(1).default(defaults.imagenet.size),
  /** Evaluation brings the shorter side to this and cuts out the middle; null: `size` + 32. @default null */
  resize: whole(1).nullable().default(defaults.imagenet.resize),
  /** How pixels are interpolated, with antialiasing. @default 'bilinear' */
  filter: oneOf(filters).default(defaults.imagenet.filter),
  /** `exact` has torchvision's pixels; `fast` shrinks large JPEGs while they are decoded. @default 'exact' */
  decoding: oneOf(['exact', 'fast']).default(defaults.imagenet.decoding),
  augment,
  /** Images in the window that shards are shuffled through; null: 16,384 for shards, all for folders. @default null */
  shuffleBuffer: whole(1).nullable().default(defaults.imagenet.shuffleBuffer),
  /** Images that are decoded side by side; null: one a processor. @default null */
  workers: whole(1).nullable().default(defaults.imagenet.workers),
  /** Training images that may be broken before the run stops. @default 100 */
  mostBroken: whole(0).default(defaults.imagenet.mostBroken),
};

interface ImagenetData {
  readonly size: number;
  readonly resize: number | null;
}

/** What is wrong between fields, as a sentence; null where nothing is. */
export function imagenetProblem({ size, resize }: ImagenetData): string | null {
  return resize !== null && resize < size
    ? `${resize} is less than the size of ${size} that is cut out.`
    : null;
}

/** How an evaluation sees the images of such a recipe. */
export function imagenetForm({
  layout,
  resize,
  filter,
  decoding,
}: Omit<CentreForm, 'size'> & { readonly layout: Layout | null }) {
  return { layout, resize, filter, decoding };
}
