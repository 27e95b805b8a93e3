import { z } from 'zod';
import { brokenRules } from '../data/image-rules.js';
import { atLeastZero, oneOf, text, whole, yesOrNo } from '../user-input/schema-fields.js';
import { defaults } from './defaults.js';
import { imagenetFields } from './imagenet-data.js';

const augment = z
  .strictObject({
    /** Flip each training image horizontally with probability 0.5. @default false */
    flip: yesOrNo().default(defaults.data.augment.flip),
    /** Pad by this many black pixels on each side, then crop randomly; 0 is off. @default 0 */
    crop: whole(0).default(defaults.data.augment.crop),
  })
  .prefault({});

/** Number (1 or more) or share (below 1) of training examples for the validation split; 0 for none. */
const validationAmount = () =>
  atLeastZero().refine((value) => value < 1 || Number.isInteger(value), {
    error: 'a whole number of examples, or a share below 1,',
    params: { expected: true },
  });

const commonFields = {
  /**
   * Seed of the validation split; separate from the seed of the run, so that paired runs share the split.
   *
   * @default 0
   */
  validationSeed: whole(0).default(defaults.data.validationSeed),
  /** Number of training examples; null for all outside the validation split. @default null */
  examples: whole(1).nullable().default(defaults.data.examples),
};

const dataFields = {
  ...commonFields,
  /** @default 0.1 */
  validation: validationAmount().default(defaults.data.validation),
  augment,
};

/** The section `data`: the training data. */
export const data = z.discriminatedUnion(
  'name',
  [
    z.strictObject({
      name: z.enum(['fashion-mnist', 'mnist', 'cifar10', 'cifar100']),
      /** Folder of the data set; null for the default locations. @default null */
      dir: text('the path of a folder').nullable().default(defaults.data.dir),
      ...dataFields,
    }),
    z.strictObject({
      name: z.literal('folder'),
      /** A folder with one subfolder per class, or with `train` and `test` folders that contain these. */
      dir: text('the path of a folder'),
      /** Height and width in pixels to which images are resized; null if all have the same size. @default null */
      size: z
        .tuple([whole(1), whole(1)], { error: 'two whole numbers [height, width]' })
        .nullable()
        .default(defaults.data.size),
      /** How images of another aspect ratio are resized to `size`. @default 'crop' */
      resize: oneOf(['crop', 'stretch', 'pad']).default(defaults.data.resize),
      /** `refuse` stops at broken images and names all of them; `skip` leaves them out, with a warning. @default 'refuse' */
      broken: oneOf(brokenRules).default(defaults.data.broken),
      ...dataFields,
    }),
    z.strictObject({
      ...imagenetFields,
      ...commonFields,
      /** @default 10000 */
      validation: validationAmount().default(defaults.imagenet.validation),
    }),
  ],
  { error: "'fashion-mnist', 'mnist', 'cifar10', 'cifar100', 'folder' or 'imagenet'" },
);
