import type { Pass } from '../nn/module.js';
import { scope } from '../tensor/scope.js';
import {
  adversarialCrossEntropy,
  gradientsOf,
  type Objective,
  stateless,
  type TrainingLoss,
  update,
} from './objective.js';
import { perturb, type TrainingAttack } from './training-attack.js';

export interface AdversarialOptions {
  readonly attack: TrainingAttack;
  /** @default cross-entropy on the adversarial images, without label smoothing */
  readonly loss?: TrainingLoss;
  /** How the update runs the network. @default { train: true } */
  readonly pass?: Pass;
}

/** Makes adversarial images of a batch, then takes the loss of them: PGD, Fast, SAT, TRADES and MART. */
export function adversarial(options: AdversarialOptions): Objective {
  const { attack, loss = adversarialCrossEntropy(0), pass = update } = options;
  return stateless((model, batch, place) =>
    scope(() => {
      const { x, labels } = batch;
      const examples = { x, adversarial: perturb(model, batch, attack, place), labels };
      return gradientsOf(model, labels, () => loss(model, examples, pass));
    }),
  );
}
