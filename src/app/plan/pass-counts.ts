import { parseAttack } from '../../attacks/attack.js';
import type { Recipe } from '../../recipe/recipe.js';
import type { TrainingSetSize } from './training-set-size.js';

/** Passes through a network, counted in images. */
export interface Passes {
  /** Forward passes only. */
  readonly forward: number;
  /** Forward and backward to the image, in evaluation mode: one attack step. */
  readonly attack: number;
  /** Forward and backward to the weights, in training mode. */
  readonly update: number;
}

/** The passes that a recipe needs, in images and steps. */
export interface PassCounts {
  /** Passes per image of a step. */
  readonly perImage: Passes;
  readonly steps: number;
  /** Images per step. */
  readonly batch: number;
  /** Images validated after each epoch. */
  readonly measured: number;
  /** Passes per validation image; an upper bound, since broken examples leave the attack. */
  readonly perMeasured: Passes;
  readonly epochs: number;
}

/** Counts the passes of a recipe over images of such a number. */
export function passCounts(
  { training, validation }: Recipe,
  images: Pick<TrainingSetSize, 'training' | 'validation'>,
): PassCounts {
  const { batch, epochs } = training;
  const replays = training.objective === 'free' ? training.attack.replays : 1;
  const stepsPerEpoch = training.epochSteps ?? Math.floor(images.training / batch) * replays;
  return {
    perImage: passesOf(training),
    steps: epochs * stepsPerEpoch,
    batch,
    measured: Math.min(images.validation, validation.examples),
    perMeasured: { forward: 1, attack: parseAttack(validation.attack).steps, update: 0 },
    epochs,
  };
}

function passesOf(training: Recipe['training']): Passes {
  const { objective } = training;
  if (objective === 'clean' || objective === 'free') return { forward: 0, attack: 0, update: 1 };
  // The gradient of the images, and a backward pass through both it and the loss.
  if (objective === 'gradient-norm') return { forward: 0, attack: 0, update: 3 };
  const both = objective === 'trades' || objective === 'mart';
  const steps = 'steps' in training.attack ? training.attack.steps : 1;
  // The attack of TRADES starts from the clean prediction.
  const forward = objective === 'trades' ? 1 : 0;
  const learned = both ? 2 : 1;
  // AWP computes one more gradient to perturb the weights; GradAlign two image gradients, and a double backward.
  const awp = training.awp === null ? 0 : learned;
  const aligned = 'gradAlign' in training && training.gradAlign !== null ? 4 : 0;
  return { forward, attack: steps, update: learned + awp + aligned };
}
