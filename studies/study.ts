import type { Recipe } from '../src/recipe/recipe.js';

/** A question of the paper, or one that it left open, as training runs that differ in one thing. */
export interface Study {
  /** As the command takes it: `activations`. */
  readonly name: string;
  readonly question: string;
  /** Where the paper asks it, or who else does: a phrase without a full stop. */
  readonly source: string;
  /** How to read the answer, and what it does not say. */
  readonly reading: string;
  /** In the order of the table. */
  readonly arms: readonly Arm[];
  /** A setting that is chosen for each arm before it is measured. */
  readonly tuning?: Tuning;
}

/** A setting that every arm chooses by robust accuracy on validation images, of equally many values. */
export interface Tuning {
  /** As the page calls it: `weight decay`. */
  readonly setting: string;
  readonly values: readonly number[];
  readonly change: (value: number) => (recipe: Recipe) => object;
  /** Of the runs that choose; not one of those that are measured. */
  readonly seed: number;
}

/** One kind of run of a study, trained once for each seed. */
export interface Arm {
  /** Unique in the study; also the name of its folder: letters, digits, dots, dashes, underscores and parentheses. */
  readonly name: string;
  /** The recipe of the arm, made of that of the scale: only what the arm is about differs. */
  readonly change: (base: Recipe) => object;
  /** The arm that it is compared with, by the same seed; null for one that others are compared with. */
  readonly against: string | null;
  /** Whether the recipe of a scale allows it. @default always */
  readonly applies?: (base: Recipe) => boolean;
  /** The paper's figures, in percent, on ImageNet with ResNet-50: shared facts with their source in the study's file. */
  readonly paper?: { readonly clean: number; readonly robust: number };
}

/** The recipe with another activation. */
export const withActivation = (activation: string) => (base: Recipe) => ({
  ...base,
  model: { ...base.model, activation },
});

/** The recipe with other settings of training; `training` is checked when the recipe is parsed. */
export const withTraining =
  (change: (training: Recipe['training']) => object) =>
  (base: Recipe): object => ({ ...base, training: change(base.training) });
