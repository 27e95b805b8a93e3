import { type GradientAttack, parseGradientAttack } from '../../attacks/attack.js';
import { checkInterval } from '../../attacks/check-interval.js';
import type { Norm } from '../../attacks/norms.js';
import type { Observer } from '../../attacks/observer.js';
import { pgd } from '../../attacks/pgd.js';
import { RemainingExamples } from '../../attacks/remaining-examples.js';
import { type Batch, type DatasetTensors, subBatch } from '../../data/dataset-tensors.js';
import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import type { Model } from '../../models/model.js';
import type { Classifier } from '../../nn/classifier.js';
import { ones } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { permutation } from '../../tensor/noise.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Accuracies, chanceLevel } from './criterion.js';

export interface GuardOptions {
  /** The training set; a fixed random sample of it is attacked. */
  readonly data: DatasetTensors;
  /** Sample size; at most the size of the training set. */
  readonly examples: number;
  readonly norm: Norm;
  readonly epsilon: number;
  /** As given by the user: `8/255`. Part of the measurement names. */
  readonly epsilonText: string;
  readonly seed: number;
  /** Batch size; affects memory only. @default all */
  readonly batch?: number;
  /** Number of iterates of an attack from one check for broken examples to the next. @default that of the device */
  readonly checkEvery?: number;
  /** The ranks among which the images are split. @default a single process */
  readonly group?: ProcessGroup;
}

const attacks = {
  fgsm: parseGradientAttack('fgsm'),
  pgd5: parseGradientAttack('pgd-5'),
  pgd10: parseGradientAttack('pgd-10'),
};

/**
 * Attacks a fixed sample of training images, without augmentation and with fixed noise, at each check, to detect
 * catastrophic overfitting.
 */
export class Guard {
  /** Number of images attacked. */
  readonly examples: number;
  /** Accuracy attainable on them by chance. */
  readonly chance: number;
  /** Indices of this rank's share. */
  readonly #indices: Uint32Array;

  constructor(readonly options: GuardOptions) {
    const { data, seed, group = singleProcess } = options;
    this.examples = Math.min(options.examples, data.count);
    // Training counts its passes over the data from 1, so this shuffle (0) is never used there.
    const indices = permutation(data.count, { seed, stream: 'shuffle', epoch: 0 }).subarray(0, this.examples);
    this.chance = chanceLevel([...indices].map((index) => data.dataset.labels[index]!));
    this.#indices = indices.filter((_, position) => position % group.size === group.rank);
  }

  /** Accuracies of the current network, in evaluation mode and without surrogate derivative. */
  check(model: Model): Accuracies {
    const { data, batch = this.examples, group = singleProcess } = this.options;
    using folded = model.fold();
    const sums = { clean: 0, fgsm: 0, pgd5: 0, pgd10: 0 };
    for (let first = 0; first < this.#indices.length; first += batch)
      scope(() => {
        const whole = data.batch(this.#indices.subarray(first, first + batch));
        const logits = noGrad(() => folded.classify(whole.x));
        const correct = rowsWhere(isCorrect(logits, whole.labels));
        sums.clean += correct.length;
        if (correct.length === 0) return;
        const attacked = subBatch(whole, correct);
        for (const name of ['fgsm', 'pgd5', 'pgd10'] as const)
          sums[name] += this.#countRobust(folded.classify, attacked, attacks[name]);
      });
    const robust = group.allReduce([sums.clean, sums.fgsm, sums.pgd5, sums.pgd10]);
    const [clean = 0, fgsm = 0, pgd5 = 0, pgd10 = 0] = robust.map((count) => count / this.examples);
    return { clean, fgsm, pgd5, pgd10 };
  }

  /** The accuracies by measurement name: `train/robust/linf-8-255/pgd-5`. */
  measurements(found: Accuracies): Readonly<Record<string, number>> {
    const { norm, epsilonText } = this.options;
    const nameOf = (attack: GradientAttack) =>
      `train/robust/${norm.name}-${epsilonText.replace('/', '-')}/${attack.name}`;
    return {
      [nameOf(attacks.fgsm)]: found.fgsm,
      [nameOf(attacks.pgd5)]: found.pgd5,
      [nameOf(attacks.pgd10)]: found.pgd10,
    };
  }

  /** Number of correctly classified examples that no iterate of the attack breaks; broken examples are dropped at each check. */
  #countRobust(classify: Classifier, { x, labels, ids }: Batch, attack: GradientAttack): number {
    const { norm, epsilon, seed } = this.options;
    return scope(() => {
      const start = attack.randomStart
        ? norm.randomStart(x, { epsilon, key: { seed, stream: 'attack' }, ids })
        : x;
      const stepSize = attack.relativeStep * epsilon;
      using watched = new RemainingExamples(() => ({ robust: ones([ids.length], 'bool', x.device) }));
      const { checkEvery: every = checkInterval(attack.kind, x.device) } = this.options;
      let seen = 0;
      const observe: Observer = (iterate) => {
        const isChecked = ++seen % every === 0;
        let active: readonly number[] | null = null;
        watched.step(({ robust }) => {
          const stillRobust = robust.mul(isCorrect(iterate.logits, iterate.labels)); // bool: and
          if (isChecked) active = rowsWhere(stillRobust);
          return { next: { robust: stillRobust }, active };
        });
        return active;
      };
      pgd(classify, { x, labels, start }, { norm, epsilon, steps: attack.steps, stepSize }, observe);
      return rowsWhere(watched.parts.robust).length;
    });
  }
}

/** Whether the argmax of the logits is the label, bool [N]. */
function isCorrect(logits: Tensor, labels: Tensor): Tensor {
  return logits.detach().argmax(1).eq(labels);
}

/** Rows where a bool [N] is true; reads it. */
function rowsWhere(mask: Tensor): number[] {
  const values = mask.numbers();
  return [...values.keys()].filter((row) => values[row] === 1);
}
