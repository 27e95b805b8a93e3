import { trainRun } from '../../src/app/train/train-run.js';
import { InterruptedError } from '../../src/errors.js';
import type { Recipe } from '../../src/recipe/recipe.js';
import type { Checkpoint } from '../../src/runs/checkpoint.js';
import { steadyClock } from './steady-clock.js';

export interface Attempt {
  readonly recipe: Recipe;
  readonly path: string;
  readonly resume?: boolean;
  /** How often the run asks whether it shall stop before the answer is yes; never by default. */
  readonly stopAfter?: number;
  readonly init?: Checkpoint;
}

/** Trains, and answers whether it came to its end and how often it asked whether to stop. */
export async function attempt(options: Attempt) {
  const { recipe, path, resume = false, stopAfter = Number.POSITIVE_INFINITY, init } = options;
  using _clock = steadyClock();
  let asked = 0;
  const interrupted = () => asked++ >= stopAfter;
  try {
    await trainRun({ recipe, path, resume, init, interrupted, onEvent: () => {} });
    return { finished: true, asked };
  } catch (error) {
    if (error instanceof InterruptedError) return { finished: false, asked };
    throw error;
  }
}
