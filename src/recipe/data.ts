import { z } from 'zod';
import { brokenRules } from '../data/image-rules.js';
import { atLeastZero, oneOf, text, whole, yesOrNo } from '../user-input/schema-fields.js';
import { defaults } from './defaults.js';
import { imagenetFields } from './imagenet-data.js';

const augment = z
  .strictObject({
    flip: yesOrNo()
      .default(defaults.data.augment.flip)
      .describe('Flip each training image horizontally with probability 0.5.'),
    crop: whole(0)
      .default(defaults.data.augment.crop)
      .describe('Pad by this many black pixels on each side, then crop randomly; 0 is off.'),
  })
  .prefault({});

const validationAmount = (standard: number) =>
  atLeastZero()
    .refine((value) => value < 1 || Number.isInteger(value), {
      error: 'a whole number of examples, or a share below 1,',
      params: { expected: true },
    })
    .meta({ anyOf: [{ type: 'integer' }, { exclusiveMaximum: 1 }] })
    .default(standard)
    .describe('Training images that are kept for validation: a number, or a share below 1; 0 for none.');

const commonFields = {
  validationSeed: whole(0)
    .default(defaults.data.validationSeed)
    .describe(
      'Seed of the validation split; separate from the seed of the run, so that paired runs share the split.',
    ),
  examples: whole(1)
    .nullable()
    .default(defaults.data.examples)
    .describe('Number of training examples; null for all outside the validation split.'),
};

const dataFields = {
  ...commonFields,
  validation: validationAmount(defaults.data.validation),
  augment,
};

const name = 'The data set (docs/data.md).';

/** The section `data`: the training data. */
export const data = z.discriminatedUnion(
  'name',
  [
    z.strictObject({
      name: z.enum(['fashion-mnist', 'mnist', 'cifar10', 'cifar100']).describe(name),
      dir: text('the path of a folder')
        .nullable()
        .default(defaults.data.dir)
        .describe('Folder of the data set; null for the default locations.'),
      ...dataFields,
    }),
    z.strictObject({
      name: z.literal('folder').describe(name),
      dir: text('the path of a folder').describe(
        'A folder with one subfolder per class, or with `train` and `test` folders that contain these.',
      ),
      size: z
        .tuple([whole(1), whole(1)], { error: 'two whole numbers [height, width]' })
        .nullable()
        .default(defaults.data.size)
        .describe('Height and width in pixels to which images are resized; null if all have the same size.'),
      resize: oneOf(['crop', 'stretch', 'pad'])
        .default(defaults.data.resize)
        .describe('How images of another aspect ratio are resized to `size`.'),
      broken: oneOf(brokenRules)
        .default(defaults.data.broken)
        .describe(
          '`refuse` stops at broken images and names all of them; `skip` leaves them out, with a warning.',
        ),
      ...dataFields,
    }),
    z.strictObject({
      name: z.literal('imagenet').describe(name),
      ...imagenetFields,
      ...commonFields,
      validation: validationAmount(defaults.imagenet.validation),
    }),
  ],
  { error: "'fashion-mnist', 'mnist', 'cifar10', 'cifar100', 'folder' or 'imagenet'" },
);
