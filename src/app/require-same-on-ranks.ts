import { createHash } from 'node:crypto';
import type { ProcessGroup } from '../distributed/process-group.js';
import { describe, InputError, RunError } from '../errors.js';
import type { Model } from '../models/model.js';
import { version } from '../provenance/version.js';
import type { Recipe } from '../recipe/recipe.js';
import { firstDifference } from '../user-input/first-difference.js';
import { toArrays } from '../weights/module-weights.js';
import { type TrainingData, trainingDataDigest } from './train/training-data.js';

/**
 * Requires every rank to have the recipe of rank 0, apart from the data folder and the number of threads, which may differ
 * between machines.
 *
 * @throws {InputError} on a rank that was started with another recipe or version of Satin, naming the difference.
 */
export function requireSameRecipe(group: ProcessGroup, recipe: Recipe): void {
  const { threads: _threads, data, ...rest } = recipe;
  const { dir: _dir, ...images } = data;
  requireSame(group, 'recipe', { satin: version, data: images, ...rest });
}

/** @throws {InputError} on a rank whose images differ from those of rank 0. */
export function requireSameImages(group: ProcessGroup, { training, validation }: TrainingData): void {
  requireSame(group, 'data', {
    training: trainingDataDigest(training),
    validation: validation && trainingDataDigest(validation),
  });
}

/**
 * Requires equal weights on all ranks: each rank applies the same update on its own.
 *
 * @throws {RunError} `ranks-differ` if they differ: processors of different kinds round differently.
 */
export function requireSameWeights(group: ProcessGroup, { network }: Model, step: number): void {
  if (group.size === 1) return;
  const hash = createHash('sha256');
  for (const { bytes } of toArrays(network.state())) hash.update(bytes);
  const digest = hash.digest().readUIntBE(0, 5);
  // The sum is size times the own digest unless a rank differs.
  if (group.allReduce([digest])[0] === digest * group.size) return;
  throw new RunError(
    'ranks-differ',
    `Expected equal weights on all ${group.size} ranks after step ${step} but they differ. Use machines of one kind.`,
  );
}

/** @throws {InputError} on a rank that was started with another evaluation, model or images. */
export function requireSameEvaluation(group: ProcessGroup, settings: object): void {
  requireSame(group, 'evaluation', { satin: version, ...settings });
}

function requireSame(group: ProcessGroup, what: 'recipe' | 'data' | 'evaluation', own: object): void {
  if (group.size === 1) return;
  const text = JSON.stringify(own);
  const leading = group.broadcastText(group.rank === 0 ? text : null);
  const difference = firstDifference(JSON.parse(leading), JSON.parse(text));
  if (difference === undefined) return;
  const { path, first, second } = difference;
  throw new InputError(
    'ranks-differ',
    `Expected the ${what} of rank 0 on rank ${group.rank}, but ${path} is ${describe(second)} here and ${describe(first)} there. Start all ranks with the same command.`,
  );
}
