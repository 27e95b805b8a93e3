import type { Recipe } from '../src/recipe/recipe.js';
import { type Arm, type Study, withActivation } from './study.js';

const wider = (times: number) => (base: Recipe) => ({
  ...base,
  model: { ...base.model, width: base.model.width * times },
});
const deeper = (name: string) => (base: Recipe) => ({ ...base, model: { ...base.model, name } });

/** Images of another size in training and test. */
const larger = (size: number) => (base: Recipe) => ({ ...base, data: { ...base.data, size } });
const isImagenet = (base: Recipe) => base.data.name === 'imagenet';
const onImagenet = { applies: isImagenet };
const onSmallImages = { applies: (base: Recipe) => !isImagenet(base) };

/** Both activations at one size. */
const pair = (size: string, change: (base: Recipe) => object, only: Pick<Arm, 'applies'> = {}): Arm[] => [
  {
    name: `relu-${size}`,
    change: (base) => withActivation('relu')(change(base) as Recipe),
    against: null,
    ...only,
  },
  {
    name: `silu-${size}`,
    change: (base) => withActivation('silu')(change(base) as Recipe),
    against: `relu-${size}`,
    ...only,
  },
];

export const scaling: Study = {
  name: 'scaling',
  question: 'Does the gain of a smooth activation grow with the network?',
  source: 'Section on scaling: depth, width and resolution of ResNet',
  reading:
    'Each size is a pair of its own; the differences of the rows with SiLU say how the gain changes with width, depth and resolution.',
  arms: [
    ...pair('width-1', wider(1)),
    ...pair('width-2', wider(2)),
    ...pair('width-4', wider(4)),
    ...pair('resnet20', deeper('resnet20'), onSmallImages),
    ...pair('resnet32', deeper('resnet32'), onSmallImages),
    ...pair('resnet101', deeper('resnet101'), onImagenet),
    ...pair('resnet152', deeper('resnet152'), onImagenet),
    ...pair('299-pixels', larger(299), onImagenet),
    ...pair('380-pixels', larger(380), onImagenet),
  ],
};
