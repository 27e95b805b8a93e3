import type { Activation } from '../../activations/activation.js';
import type { NormName } from '../../attacks/norms.js';
import type { Dataset } from '../../data/dataset.js';
import { pixelsDigest } from '../../data/digest.js';
import type { Precision } from '../../engine/precision-name.js';
import type { EvaluationSettings } from '../../evaluation/folder/manifest.js';
import { noPreprocessing } from '../../models/preprocessing.js';
import type { Epsilon } from '../../user-input/epsilon.js';
import type { AttackableModel } from '../model/open-model.js';

/** What is evaluated, and how. */
export interface EvaluationChoice {
  readonly model: AttackableModel;
  readonly data: Dataset;
  /** Names such as `fgsm` and `pgd-50`, in the order in which they run. */
  readonly attacks: readonly string[];
  /** Activations whose derivative every attack is repeated with (surrogate derivatives). @default none */
  readonly surrogates?: readonly Activation[];
  readonly norm: NormName;
  readonly epsilon: Epsilon;
  readonly seed: number;
  /** Also runs each attack on the examples that earlier attacks broke. @default false */
  readonly alone?: boolean;
  /** The precision in which the attacks search; every verdict is float32's. @default 'float32' */
  readonly precision?: Precision;
  /** `full` adds the monotonicity checks and the loss surface. @default 'quick' */
  readonly checks?: 'quick' | 'full';
}

/** Everything that determines the outcome of an evaluation, as the folder stores it. */
export function evaluationSettings(options: EvaluationChoice): EvaluationSettings {
  const { model, data, attacks, surrogates = [], norm, epsilon, seed } = options;
  const { alone = false, checks = 'quick', precision = 'float32' } = options;
  const { range, normalise } = model.preprocessing ?? noPreprocessing;
  return {
    modelDigest: model.digest,
    input:
      model.preprocessing === null
        ? null
        : {
            range: [...range],
            normalise: normalise === null ? null : { mean: [...normalise.mean], std: [...normalise.std] },
          },
    data: data.name,
    classes: [...data.classes],
    examples: data.ids.length,
    pixelsDigest: pixelsDigest(data),
    norm,
    epsilon: epsilon.epsilon,
    seed,
    attacks: [...attacks],
    surrogates: surrogates.map(({ name }) => name),
    alone,
    checks,
    precision,
  };
}
