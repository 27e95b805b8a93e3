import type { Recipe } from '../src/recipe/recipe.js';
import { type Arm, type Study, withActivation } from './study.js';

const wider = (times: number) => (base: Recipe) => ({
  ...base,
  model: { ...base.model, width: base.model.width * times },
});
const deeper = (name: string) => (base: Recipe) => ({ ...base, model: { ...base.model, name } });

/** Both activations at one size. */
const pair = (size: string, change: (base: Recipe) => object): Arm[] => [
  { name: `relu-${size}`, change: (base) => withActivation('relu')(change(base) as Recipe), against: null },
  {
    name: `silu-${size}`,
    change: (base) => withActivation('silu')(change(base) as Recipe),
    against: `relu-${size}`,
  },
];

export const scaling: Study = {
  name: 'scaling',
  question: 'Does the gain of a smooth activation grow with the network?',
  source: 'Section on scaling: ResNet depth and width',
  reading:
    'Each size is a pair of its own; the differences of the rows with SiLU say how the gain changes with width and depth.',
  arms: [
    ...pair('width-1', wider(1)),
    ...pair('width-2', wider(2)),
    ...pair('width-4', wider(4)),
    ...pair('resnet20', deeper('resnet20')),
    ...pair('resnet32', deeper('resnet32')),
  ],
};
