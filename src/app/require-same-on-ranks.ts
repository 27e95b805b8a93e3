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
 * What every rank of a run must have in common with rank 0. Where the data lie and how many threads there are is each
 * machine's own business.
 *
 * @throws {InputError} on a rank that was started with another recipe or another version, which names the difference.
 */
export function requireSameRecipe(ranks: ProcessGroup, recipe: Recipe): void {
  const { threads: _threads, data, ...rest } = recipe;
  const { dir: _dir, ...images } = data;
  requireSame(ranks, 'recipe', { satin: version, data: images, ...rest });
}

/** @throws {InputError} on a rank whose images are others than those of rank 0. */
export function requireSameImages(ranks: ProcessGroup, { training, validation }: TrainingData): void {
  requireSame(ranks, 'data', {
    training: trainingDataDigest(training),
    validation: validation && trainingDataDigest(validation),
  });
}

/**
 * Ranks compute the same update each for itself, and must come to the same weights.
 *
 * @throws {RunError} `ranks-differ` where they do not: processors of two kinds round in two ways.
 */
export function requireSameWeights(ranks: ProcessGroup, { network }: Model, step: number): void {
  if (ranks.size === 1) return;
  const hash = createHash('sha256');
  for (const { bytes } of toArrays(network.state())) hash.update(bytes);
  const digest = hash.digest().readUIntBE(0, 5);
  // As many as there are ranks times the same number, or somebody differs.
  if (ranks.allReduce([digest])[0] === digest * ranks.size) return;
  throw new RunError(
    'ranks-differ',
    `Expected equal weights on all ${ranks.size} ranks after step ${step} but they differ. Use machines of one kind.`,
  );
}

/** @throws {InputError} on a rank that was asked for another evaluation, of another model or other images. */
export function requireSameEvaluation(ranks: ProcessGroup, settings: object): void {
  requireSame(ranks, 'evaluation', { satin: version, ...settings });
}

function requireSame(ranks: ProcessGroup, what: 'recipe' | 'data' | 'evaluation', own: object): void {
  if (ranks.size === 1) return;
  const text = JSON.stringify(own);
  const leading = ranks.broadcastText(ranks.rank === 0 ? text : null);
  const difference = firstDifference(JSON.parse(leading), JSON.parse(text));
  if (difference === undefined) return;
  const { path, first, second } = difference;
  throw new InputError(
    'ranks-differ',
    `Expected the ${what} of rank 0 on rank ${ranks.rank}, but ${path} is ${describe(second)} here and ${describe(first)} there. Start all ranks with the same command.`,
  );
}
