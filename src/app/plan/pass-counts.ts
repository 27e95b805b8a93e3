import { parseAttack } from '../../attacks/attack.js';
import type { Recipe } from '../../recipe/recipe.js';

/** Passes through a network, counted in images. */
export interface Passes {
  /** Forward alone. */
  readonly forward: number;
  /** Forward and the gradient of the image, in evaluation mode: a step of an attack. */
  readonly attack: number;
  /** Forward and the gradients of weights and image between layers, in training mode. */
  readonly update: number;
}

/** What a recipe asks for, in images and steps. */
export interface PassCounts {
  /** Passes for each image of a step. */
  readonly perImage: Passes;
  readonly steps: number;
  /** Images of a step. */
  readonly batch: number;
  /** Images that are measured after each epoch. */
  readonly measured: number;
  /** Passes for each of them, were none of them broken: broken ones leave the attack. */
  readonly perMeasured: Passes;
  readonly epochs: number;
}

/** Counts what a recipe asks for, with `count` images in its training set before validation is taken from it. */
export function passCounts({ data, training, validation }: Recipe, count: number): PassCounts {
  const split = data.validation;
  const kept = split < 1 ? Math.round(count * split) : split;
  const trained = Math.max(0, Math.min(count - kept, data.examples ?? Number.POSITIVE_INFINITY));
  const { batch, epochs } = training;
  const replays = training.objective === 'free' ? training.attack.replays : 1;
  const stepsPerEpoch = training.epochSteps ?? Math.floor(trained / batch) * replays;
  return {
    perImage: passesOf(training),
    steps: epochs * stepsPerEpoch,
    batch,
    measured: Math.min(kept, validation.examples),
    perMeasured: { forward: 1, attack: parseAttack(validation.attack).steps, update: 0 },
    epochs,
  };
}

function passesOf(training: Recipe['training']): Passes {
  const { objective } = training;
  if (objective === 'clean' || objective === 'free') return { forward: 0, attack: 0, update: 1 };
  const both = objective === 'trades' || objective === 'mart';
  const steps = 'steps' in training.attack ? training.attack.steps : 1;
  // TRADES' attack begins with the clean prediction.
  const forward = objective === 'trades' ? 1 : 0;
  const learned = both ? 2 : 1;
  // AWP takes the gradient once more to move the weights; GradAlign two gradients of images, and their own gradients.
  const awp = training.awp === null ? 0 : learned;
  const aligned = 'gradAlign' in training && training.gradAlign !== null ? 4 : 0;
  return { forward, attack: steps, update: learned + awp + aligned };
}
