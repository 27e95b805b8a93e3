import { z } from 'zod';
import { atLeastZero, oneOf, text, whole, yesOrNo } from '../user-input/schema-fields.js';
import { defaults } from './defaults.js';
import { imagenetFields } from './imagenet-data.js';

const augment = z
  .strictObject({
    /** Mirror each training image left to right with probability one half. @default false */
    flip: yesOrNo().default(defaults.data.augment.flip),
    /** Pad by this many black pixels on each side, then crop at random; 0 is off. @default 0 */
    crop: whole(0).default(defaults.data.augment.crop),
  })
  .prefault({});

/** Examples (1 or more) or share (below 1) of the training set kept for validation; 0 is none. */
const validationAmount = () =>
  atLeastZero().refine((value) => value < 1 || Number.isInteger(value), {
    error: 'a whole number of examples, or a share below 1,',
    params: { expected: true },
  });

const commonFields = {
  /** Draws the validation split; apart from the seed of the run, so that paired runs share it. @default 0 */
  validationSeed: whole(0).default(defaults.data.validationSeed),
  /** Train on this many examples only; null is all that are not kept for validation. @default null */
  examples: whole(1).nullable().default(defaults.data.examples),
};

const dataFields = {
  ...commonFields,
  /** @default 0.1 */
  validation: validationAmount().default(defaults.data.validation),
  augment,
};

/** The section `data`: what is trained on. */
export const data = z.discriminatedUnion(
  'name',
  [
    z.strictObject({
      name: z.enum(['fashion-mnist', 'mnist', 'cifar10', 'cifar100']),
      /** Where the files lie; null is the places where Satin looks by itself. @default null */
      dir: text('the path of a folder').nullable().default(defaults.data.dir),
      ...dataFields,
    }),
    z.strictObject({
      name: z.literal('folder'),
      /** A folder with one subfolder a class, or with `train` and `test` above those. */
      dir: text('the path of a folder'),
      /** Height and width in pixels to which every image is brought; null: all have one size. @default null */
      size: z
        .tuple([whole(1), whole(1)], { error: 'two whole numbers [height, width]' })
        .nullable()
        .default(defaults.data.size),
      /** How another shape is brought to `size`. @default 'crop' */
      resize: oneOf(['crop', 'stretch', 'pad']).default(defaults.data.resize),
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
