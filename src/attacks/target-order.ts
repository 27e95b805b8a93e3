import type { Classifier } from '../nn/classifier.js';
import { integers, stack, where, zerosLike } from '../tensor/create.js';
import { gradient, noGrad, withGrad } from '../tensor/gradient.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Attack } from './attack.js';
import type { AttackGenerator } from './attack-generator.js';
import { attackLosses, targetsFor, targetsOfRank } from './losses.js';
import type { Norm } from './norm.js';
import { sorted } from './sorted.js';

/** How many of the most likely other classes are measured for `slope`. */
const mostMeasured = 100;

/** The number of classes that an attack measures before its first round, one backward pass each. */
export function measuredClasses(attack: Attack, classes: number): number {
  return 'targetsBy' in attack ? targetsFor(mostMeasured, classes) : 0;
}

/**
 * The order in which an attack targets the classes other than the label: by their logits, or, for `slope` (MALT, Melamed et
 * al., 2024), by their distance on the network's linear approximation at the image,
 *
 *     (z_y − z_t) / ‖∇ₓ(z_t − z_y)‖, in the dual norm: L1 for L∞,
 *
 * nearest first, among the 100 classes t of the largest logits. A class whose gradient is zero or unknown comes last.
 */
export class TargetOrder implements Disposable {
  readonly #attack: Attack;
  readonly #classifier: Classifier;
  readonly #norm: Norm;
  /** What follows from the images: their logits [N, classes], or classes in order, int64 [N, C]. */
  #known: Tensor | null = null;

  constructor(
    attack: Attack,
    { classifier, norm }: { readonly classifier: Classifier; readonly norm: Norm },
  ) {
    this.#attack = attack;
    this.#classifier = classifier;
    this.#norm = norm;
  }

  /** Looks at the clean images, x [N, C, H, W], labels int64 [N]; in untargeted attacks at nothing. */
  *measure({ x, labels }: { readonly x: Tensor; readonly labels: Tensor }): AttackGenerator {
    if (!('targets' in this.#attack) || this.#attack.targets === 0) return;
    if ('targetsBy' in this.#attack) this.#known = yield* this.#bySlope(x, labels);
    else this.#known = scope(() => noGrad(() => this.#classifier(x)).detach());
  }

  /** The targets of a rank from 1 of the images at `rows`, whose labels these are, int64 [n]. */
  targets(
    rank: number,
    { rows, labels }: { readonly rows: readonly number[]; readonly labels: Tensor },
  ): Tensor {
    const known = this.#known!.indexSelect(0, integers(rows, labels.device));
    return 'targetsBy' in this.#attack
      ? known.narrow(1, rank - 1, 1).flatten()
      : targetsOfRank(known, labels, rank);
  }

  [Symbol.dispose](): void {
    this.#known?.dispose();
  }

  /** All measured classes, nearest first, int64 [N, C]. */
  *#bySlope(x: Tensor, labels: Tensor): AttackGenerator<Tensor> {
    using point = scope(() => x.detach().requireGrad_());
    using logits = scope(() => withGrad(() => this.#classifier(point)));
    const count = measuredClasses(this.#attack, logits.dimension(1));
    const [candidates, distances]: [Tensor[], Tensor[]] = [[], []]; // [N] each
    try {
      for (let rank = 1; rank <= count; rank++) {
        scope(() => {
          const targets = targetsOfRank(logits.detach(), labels, rank);
          const margin = withGrad(() => attackLosses['targeted-margin'](logits, labels, targets));
          const slope = this.#norm
            .dualLength(gradient(margin.sum(), point, { retainGraph: rank < count }))
            .flatten();
          const distance = margin.detach().neg().div(slope);
          const infinite = zerosLike(distance).add(Number.POSITIVE_INFINITY);
          const isKnown = slope.greater(0).mul(distance.isFinite()); // bool: and
          candidates.push(keep(targets));
          distances.push(keep(where(isKnown, distance, infinite)));
        });
        yield { backwards: x.dimension(0) };
      }
      return scope(() => {
        const { places } = sorted(stack(distances, 1));
        return stack(candidates, 1).gather(1, places);
      });
    } finally {
      for (const tensor of [...candidates, ...distances]) tensor.dispose();
    }
  }
}
