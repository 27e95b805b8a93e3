import type { Classifier } from '../nn/classifier.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ApgdInputs, type ApgdOptions, apgd } from './apgd.js';
import type { AttackGenerator } from './attack-generator.js';
import type { Observer } from './observer.js';

/** The radius of the ball in which a shrinking run starts, divided by ε. */
export const firstRadius = 3;

/** The radii of a shrinking run divided by ε, and the steps at each: 30 %, 30 % and the rest. */
export function shrinkingPhases(
  steps: number,
): readonly { readonly radius: number; readonly steps: number }[] {
  const share = Math.min(Math.ceil(0.3 * steps), Math.floor(steps / 2));
  return [
    { radius: firstRadius, steps: share },
    { radius: 2, steps: share },
    { radius: 1, steps: steps - 2 * share },
  ];
}

/**
 * APGD in a ball that shrinks to radius ε (Croce and Hein, 2021; `use_largereps` of the reference): each run starts from the
 * point of the highest loss of the one before, projected onto the smaller ball. Only the points of the last run are passed to
 * the observer; those before may lie outside the ball.
 *
 * @returns the points of the highest loss in the last run, of the examples that were not dropped.
 */
export function* shrinkingApgd(
  classifier: Classifier,
  images: ApgdInputs,
  options: ApgdOptions,
  observe?: Observer,
): AttackGenerator<Tensor> {
  const { norm, epsilon, steps } = options;
  const phases = shrinkingPhases(steps);
  let found = scope(() => images.start.detach());
  for (const phase of phases) {
    const radius = phase.radius * epsilon;
    using before = found;
    using start = scope(() => norm.project(before, images.x, radius));
    found = yield* apgd(
      classifier,
      { ...images, start, isFound: true },
      { ...options, epsilon: radius, steps: phase.steps },
      phase === phases.at(-1) ? observe : undefined,
    );
  }
  return found;
}
