import { parseAttack, parseGradientAttack, stepSizeOf, type Threat } from '../../attacks/attack.js';
import { pgd } from '../../attacks/pgd.js';
import type { Batch } from '../../data/dataset-tensors.js';
import { unstackImages } from '../../data/image-stack.js';
import { padSingleton } from '../../evaluation/model-under-test.js';
import { scope } from '../../tensor/scope.js';
import type { AttackableModel } from '../model/open-model.js';

export interface LastIteratesOptions {
  /** By name; an attack without a last iterate is replaced by pgd-50. */
  readonly attack: string;
  readonly threat: Threat;
  readonly seed: number;
}

/** The last iterate of an attack on each image, [C, H, W], in the ball and in [0, 1]: for robust examples in figures. */
export function lastIterates(
  model: AttackableModel,
  batch: Batch,
  options: LastIteratesOptions,
): Float32Array[] {
  const { threat, seed } = options;
  const { norm, epsilon } = threat;
  const named = parseAttack(options.attack);
  const attack = named.kind === 'pgd' ? named : parseGradientAttack('pgd-50');
  using fast = model.forAttacks();
  return scope(() => {
    const { x, labels, ids } = batch;
    const key = { seed, stream: 'attack', restart: 0 } as const;
    const start = attack.randomStart ? norm.randomStart(x, { epsilon, key, ids }) : x;
    const stepSize = stepSizeOf(attack, epsilon);
    const last = pgd(
      padSingleton(fast.classify),
      { x, labels, start },
      { norm, epsilon, steps: attack.steps, stepSize },
    );
    return unstackImages(last);
  });
}
