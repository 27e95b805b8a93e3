import { type GradientAttack, parseGradientAttack } from '../../attacks/attack.js';
import type { Norm } from '../../attacks/norms.js';
import { pgd } from '../../attacks/pgd.js';
import { type Batch, type DatasetTensors, subBatch } from '../../data/dataset-tensors.js';
import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import type { Model } from '../../models/model.js';
import type { Classifier } from '../../nn/classifier.js';
import { integers } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { permutation } from '../../tensor/noise.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Accuracies, chanceLevel } from './criterion.js';

export interface GuardOptions {
  /** The training images; a fixed draw of them is attacked. */
  readonly data: DatasetTensors;
  /** How many; all, where there are fewer. */
  readonly examples: number;
  readonly norm: Norm;
  readonly epsilon: number;
  /** As the user wrote it: `8/255`. Names the measurements. */
  readonly epsilonText: string;
  readonly seed: number;
  /** Images at once; for the memory's sake alone. @default all */
  readonly batch?: number;
  /** Who attacks a part of them each. @default alone */
  readonly ranks?: ProcessGroup;
}

const attacks = {
  fgsm: parseGradientAttack('fgsm'),
  pgd5: parseGradientAttack('pgd-5'),
  pgd10: parseGradientAttack('pgd-10'),
};

/**
 * Attacks the same training images, without augmentation and with the same noise, each time it is asked: what catastrophic
 * overfitting is seen by.
 */
export class Guard {
  /** How many images are attacked. */
  readonly examples: number;
  /** An accuracy on them that takes no learning. */
  readonly chance: number;
  /** Those that this rank attacks. */
  readonly #places: Uint32Array;

  constructor(readonly options: GuardOptions) {
    const { data, seed, ranks = singleProcess } = options;
    this.examples = Math.min(options.examples, data.count);
    // Training counts its passes over the data from 1: 0 is an order that it never takes.
    const places = permutation(data.count, { seed, stream: 'shuffle', epoch: 0 }).subarray(0, this.examples);
    this.chance = chanceLevel([...places].map((place) => data.dataset.labels[place]!));
    this.#places = places.filter((_, at) => at % ranks.size === ranks.rank);
  }

  /** Accuracies of the network as it stands, in evaluation mode and with its own derivative. */
  check(model: Model): Accuracies {
    const { data, batch = this.examples, ranks = singleProcess } = this.options;
    using folded = model.fold();
    const sums = { clean: 0, fgsm: 0, pgd5: 0, pgd10: 0 };
    for (let first = 0; first < this.#places.length; first += batch)
      scope(() => {
        const whole = data.batch(this.#places.subarray(first, first + batch));
        const right = rightPlaces(
          noGrad(() => folded.classify(whole.x)),
          whole.labels,
        );
        sums.clean += right.length;
        if (right.length === 0) return;
        const attacked = subBatch(whole, right);
        for (const name of ['fgsm', 'pgd5', 'pgd10'] as const)
          sums[name] += this.#standing(folded.classify, attacked, attacks[name]);
      });
    const standing = ranks.allReduce([sums.clean, sums.fgsm, sums.pgd5, sums.pgd10]);
    const [clean = 0, fgsm = 0, pgd5 = 0, pgd10 = 0] = standing.map((count) => count / this.examples);
    return { clean, fgsm, pgd5, pgd10 };
  }

  /** As the events of a run name them: `train/robust/linf-8-255/pgd-5`. */
  measurements(found: Accuracies): Readonly<Record<string, number>> {
    const { norm, epsilonText } = this.options;
    const under = (attack: GradientAttack) =>
      `train/robust/${norm.name}-${epsilonText.replace('/', '-')}/${attack.name}`;
    return {
      [under(attacks.fgsm)]: found.fgsm,
      [under(attacks.pgd5)]: found.pgd5,
      [under(attacks.pgd10)]: found.pgd10,
    };
  }

  /** How many of a batch, all classified rightly, an attack breaks at no iterate. Each leaves once it is broken. */
  #standing(classify: Classifier, { x, labels, ids }: Batch, attack: GradientAttack): number {
    const { norm, epsilon, seed } = this.options;
    return scope(() => {
      const start = attack.randomStart
        ? norm.randomStart(x, { epsilon, key: { seed, stream: 'attack' }, ids })
        : x;
      const stepSize = attack.relativeStep * epsilon;
      let standing = ids.length;
      pgd(
        classify,
        { x, labels, start },
        { norm, epsilon, steps: attack.steps, stepSize },
        ({ logits, rows }) => {
          const left = rightPlaces(logits, labels.indexSelect(0, integers(rows).toDevice(labels.device)));
          standing = left.length;
          return left;
        },
      );
      return standing;
    });
  }
}

/** Where the largest logit is the label's. */
function rightPlaces(logits: Tensor, labels: Tensor): number[] {
  return scope(() => {
    const right = logits.detach().argmax(1).eq(labels).numbers();
    return [...right.keys()].filter((place) => right[place] === 1);
  });
}
