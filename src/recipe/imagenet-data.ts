import { z } from 'zod';
import { isOff } from '../data/imagenet/colour-draws.js';
import { type Layout, layouts } from '../data/imagenet/layout.js';
import type { CentreForm } from '../data/imagenet/splits.js';
import { type Filter, filters } from '../tensor/resample.js';
import { atLeastZero, between, oneOf, positive, text, whole, yesOrNo } from '../user-input/schema-fields.js';
import { defaults } from './defaults.js';

/** A pair [lowest, highest]. */
function interval<Bound extends z.ZodType<number>>(bound: Bound, error: string) {
  return z
    .tuple([bound, bound], { error })
    .refine(([low = 0, high = 0]) => low <= high, { error, params: { expected: true } });
}

const jitter = (standard: number, meaning: string) => between(0, 1).default(standard).describe(meaning);

const augment = z
  .strictObject({
    scale: interval(
      positive().max(1, { error: 'a number from 0 to 1' }),
      'two shares [lowest, highest], above 0 and at most 1,',
    )
      .default([...defaults.imagenet.augment.scale])
      .describe('Range of the area of a random crop, relative to the image.'),
    ratio: interval(positive(), 'two proportions [lowest, highest] above 0')
      .default([...defaults.imagenet.augment.ratio])
      .describe('Range of the aspect ratio, width over height, of a random crop.'),
    flip: yesOrNo()
      .default(defaults.imagenet.augment.flip)
      .describe('Flip each training image horizontally with probability 0.5.'),
    brightness: jitter(
      defaults.imagenet.augment.brightness,
      'Brightness jitter: pixels are multiplied by a factor from 1 ± this; 0 is off.',
    ),
    contrast: jitter(
      defaults.imagenet.augment.contrast,
      "Contrast jitter: the same for differences from the image's mean grey.",
    ),
    saturation: jitter(
      defaults.imagenet.augment.saturation,
      "Saturation jitter: the same for differences from each pixel's grey.",
    ),
    lighting: atLeastZero()
      .default(defaults.imagenet.augment.lighting)
      .describe("Standard deviation of PCA lighting noise, along ImageNet's principal colour components."),
    colours: oneOf(['continuous', 'tensorpack'])
      .default(defaults.imagenet.augment.colours)
      .describe(
        'How colours are changed: in real numbers, clipped once at the end, or as `tensorpack` changes bytes: contrast ' +
          'about the mean of each channel, and every step clipped and cut to bytes.',
      ),
  })
  .refine((value) => value.colours === 'continuous' || !isOff(value), {
    path: ['colours'],
    error: 'without brightness, contrast, saturation and lighting it would have no effect. Leave it out.',
  })
  .prefault({});

/** The fields of ImageNet, decoded on demand: docs/imagenet.md. */
export const imagenetFields = {
  dir: text('the path of a folder').describe('The folder that contains `train` and `val`, or the archives.'),
  layout: oneOf(layouts)
    .nullable()
    .default(defaults.imagenet.layout)
    .describe('`folder` (train/SYNSET/*.JPEG) or `shards` (WebDataset archives); null to detect it.'),
  size: whole(1)
    .default(defaults.imagenet.size)
    .describe("Height and width of the network's input in pixels."),
  resize: whole(1)
    .nullable()
    .default(defaults.imagenet.resize)
    .describe('Evaluation resizes the shorter side to this before the centre crop; null for `size` + 32.'),
  filter: oneOf(filters)
    .default(defaults.imagenet.filter)
    .describe(
      "Interpolation: `bilinear` or `bicubic`, antialiased as Pillow's, or `opencv-cubic`, OpenCV's INTER_CUBIC, which " +
        'is not.',
    ),
  decoding: oneOf(['exact', 'fast'])
    .default(defaults.imagenet.decoding)
    .describe("`exact` gives torchvision's pixels; `fast` downscales large JPEGs while decoding."),
  augment,
  shuffleBuffer: whole(1)
    .nullable()
    .default(defaults.imagenet.shuffleBuffer)
    .describe('Size of the shuffle buffer in images; null for 16,384 with shards and all with folders.'),
  workers: whole(1)
    .nullable()
    .default(defaults.imagenet.workers)
    .describe('Number of images decoded concurrently; null for one per processor.'),
  mostBroken: whole(0)
    .default(defaults.imagenet.mostBroken)
    .describe('Number of broken training images tolerated before the run stops.'),
};

interface ImagenetData {
  readonly size: number;
  readonly resize: number | null;
  readonly filter: Filter;
  readonly decoding: 'exact' | 'fast';
}

/** An inconsistency between fields: the field and a sentence; null if there is none. */
export function imagenetProblem({
  size,
  resize,
  filter,
  decoding,
}: ImagenetData): readonly [field: 'resize' | 'decoding', message: string] | null {
  if (resize !== null && resize < size) return ['resize', `${resize} is less than the crop size of ${size}.`];
  if (filter === 'opencv-cubic' && decoding === 'fast')
    return ['decoding', 'fast shrinks with antialiasing, and opencv-cubic has none. Use exact.'];
  return null;
}

/** The fields that determine the preprocessing in an evaluation. */
export function imagenetForm({
  layout,
  resize,
  filter,
  decoding,
}: Omit<CentreForm, 'size'> & { readonly layout: Layout | null }) {
  return { layout, resize, filter, decoding };
}
