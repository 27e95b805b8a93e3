import type { Batch } from '../../data/dataset-tensors.js';
import { synchronise } from '../../engine/device.js';
import { Model } from '../../models/model.js';
import { networkOf } from '../../recipe/network-description.js';
import type { Recipe } from '../../recipe/recipe.js';
import { ghostGroup } from '../../recipe/training.js';
import { integers } from '../../tensor/create.js';
import { noise } from '../../tensor/noise.js';
import { scope } from '../../tensor/scope.js';
import { buildObjective } from '../train/build-objective.js';
import { buildOptimizer } from '../train/build-optimizer.js';
import type { OnTimed } from './on-timed.js';
import type { TrainingSetSize } from './training-set-size.js';

/** Duration of a training step on this machine, in seconds. */
export interface StepTime {
  /** Per image: the attack and the update. */
  readonly perImage: number;
  /** Per step: the optimiser. */
  readonly optimizer: number;
}

/** Warm-up steps that are not timed: they allocate memory and choose convolution algorithms. */
const warmUp = 2;
const most = 7;
/** Seconds after which one timed step is enough. */
const patience = 10;

/** Runs training steps of a recipe on `images` random images each on a device. Reading images is not measured. */
export function measureStep(
  recipe: Recipe,
  { shape, classes }: Pick<TrainingSetSize, 'shape' | 'classes'>,
  options: {
    readonly images: number;
    readonly device: string;
    readonly onProgress?: OnTimed | undefined;
  },
): StepTime {
  const { images, device, onProgress } = options;
  const { training } = recipe;
  const halves = new Array<number>(shape[0]).fill(0.5);
  const normalise = { mean: halves, std: halves };
  const names = Array.from({ length: classes }, (_, label) => String(label));
  const description = { ...networkOf(recipe), classes: names, shape, normalise };
  using network = Model.create(description, { seed: 0, device });
  using objective = buildObjective(withGroupsOf(images, recipe));
  using optimizer = buildOptimizer(training.optimizer, network);
  const ids = Array.from({ length: images }, (_, id) => id);
  return scope(() => {
    const batch: Batch = {
      x: noise('uniform', { key: { seed: 0, stream: 'bench' }, ids, shape, device }),
      labels: integers(
        ids.map((id) => id % classes),
        device,
      ),
      ids,
    };
    const [learning, optimizing]: [number[], number[]] = [[], []];
    const began = performance.now();
    const isLate = () => performance.now() - began > 1000 * patience;
    for (let step = 0; step < warmUp + most && !(isLate() && learning.length > 0); step++)
      scope(() => {
        onProgress?.({ label: 'time steps', done: step, total: warmUp + most });
        const counts = step >= (isLate() ? 1 : warmUp);
        const from = now(device);
        const index = { seed: 0, epoch: 1, step, stepsPerEpoch: 1000, part: 0, first: 0 };
        const { gradients, restore } = objective.computeGradients(network, batch, index);
        const learned = now(device);
        optimizer.step(gradients, 1e-6);
        restore?.();
        const done = now(device);
        if (!counts) return;
        learning.push(learned - from);
        optimizing.push(done - learned);
      });
    return { perImage: median(learning) / images / 1000, optimizer: median(optimizing) / 1000 };
  });
}

/** The recipe with one group in ghost batch norm if its own do not divide the images that are timed. */
function withGroupsOf(images: number, recipe: Recipe): Recipe {
  const { training } = recipe;
  const group = ghostGroup(training);
  if (group === undefined || images % group === 0) return recipe;
  return { ...recipe, training: { ...training, batchNorm: { ghost: images } } };
}

/** The time once the device has done what it was asked to do, in milliseconds. */
function now(device: string): number {
  synchronise(device);
  return performance.now();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
