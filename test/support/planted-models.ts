import type { FlagCode } from '../../src/evaluation/checks/flag.js';
import type { Model } from '../../src/models/model.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { softmax } from '../../src/tensor/functional.js';
import { gradient, withGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { operator } from '../../src/tensor/operator.js';
import { one, type Tensor } from '../../src/tensor/tensor.js';

/** A mistake, or a trick, that a check must see. */
export interface PlantedModel {
  /** As the table of docs/checks.md names it. */
  readonly name: string;
  /** What it must raise at the least. */
  readonly flag: FlagCode;
  /** Seen with --checks full alone. */
  readonly full?: boolean;
  /** The same network with the mistake in it. */
  readonly plant: (model: Model) => Classifier;
}

const floor = operator('aten::floor');
/** Pixels rounded to 0, 1/3, 2/3 and 1; the gradient is 0. */
const rounded = (x: Tensor) => one(floor, x.mul(3).add(0.5).handle).div(3);

export const plantedModels: readonly PlantedModel[] = [
  {
    name: 'logits multiplied by 1000',
    flag: 'saturated-logits',
    plant: (model) => (x) => model.classify(x).mul(1000),
  },
  {
    name: 'input rounded to four levels',
    flag: 'staircase',
    plant: (model) => (x) => model.classify(rounded(x)),
  },
  {
    name: 'input rounded to four levels, gradient passed straight through',
    flag: 'staircase',
    plant: (model) => (x) => model.classify(x.add(rounded(x).sub(x).detach())),
  },
  {
    name: 'a layer that adds random numbers',
    flag: 'random-model',
    plant(model) {
      let pass = 0;
      return (x) => {
        const ids = Array.from({ length: x.dimension(0) }, (_, id) => id);
        const key = { seed: 0, stream: 'bench', step: pass++ } as const;
        return model.classify(x.add(noise('normal', { key, ids, shape: x.shape.slice(1) }).mul(0.02)));
      };
    },
  },
  {
    name: 'a softmax at the end',
    flag: 'probabilities',
    plant: (model) => (x) => softmax(model.classify(x)),
  },
  {
    name: 'a step function on the input',
    flag: 'zero-gradients',
    plant: (model) => (x) => model.classify(x.greater(0.5).to('float32').mul(0.3).add(0.35)),
  },
  {
    name: 'batch norm in training mode',
    flag: 'depends-on-batch',
    plant: (model) => (x) => model.forward(x, { train: true, keepStatistics: true }),
  },
  {
    name: 'a gradient step on the input inside the model',
    flag: 'optimises-at-inference',
    plant: (model) => (x) => {
      const point = x.detach().requireGrad_();
      const slope = gradient(
        withGrad(() => model.classify(point).max([1]).sum()),
        point,
      );
      return model.classify(x.add(slope.sign().mul(0.01)));
    },
  },
  {
    name: 'pixels from 0 to 255 expected',
    flag: 'input-scale',
    plant: (model) => (x) => model.classify(x.div(255)),
  },
  {
    name: 'pixels from -1 to 1 expected',
    flag: 'input-scale',
    plant: (model) => (x) => model.classify(x.add(1).div(2)),
  },
  {
    name: 'a square root of 0',
    flag: 'gradient-not-finite',
    plant: (model) => (x) => model.classify(x).add(x.mul(0).sum([1, 2, 3]).sqrt().unsqueeze(1)),
  },
  {
    name: 'a gradient of the wrong sign',
    flag: 'gradient-is-not-the-slope',
    full: true,
    plant: (model) => (x) => model.classify(x.detach().mul(2).sub(x)),
  },
  {
    name: 'a gradient with random signs',
    flag: 'gradient-no-better-than-noise',
    full: true,
    plant: (model) => (x) => {
      const key = { seed: 0, stream: 'bench' } as const;
      const signs = noise('uniform', { key, ids: [0], shape: x.shape.slice(1) })
        .sub(0.5)
        .sign();
      const moved = x.sub(x.detach()); // 0, and leads the gradient
      return model.classify(x.detach().add(moved.mul(signs)));
    },
  },
];
