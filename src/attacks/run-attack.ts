import type { Classifier } from '../nn/classifier.js';
import { noGrad } from '../tensor/gradient.js';
import type { NoiseKey } from '../tensor/noise.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { apgd } from './apgd.js';
import { type Attack, stepSizeOf, type Threat } from './attack.js';
import type { AttackGenerator } from './attack-generator.js';
import { fab } from './fab.js';
import { type AttackLossName, attackLosses, lossFor, targetsFor } from './losses.js';
import { type Observer, pgdSteps } from './pgd.js';
import { square } from './square/square.js';

/** One start of an attack. Whoever runs it takes the examples that still stand. */
export interface AttackRound {
  readonly restart: number;
  /** Which of the other classes is aimed at, the most likely being 1; 0 for none. */
  readonly rank: number;
}

/** The starts of an attack in order: each target in turn, with all its restarts. */
export function roundsOf(attack: Attack, classes: number): readonly AttackRound[] {
  const most = 'targets' in attack ? attack.targets : 0;
  const ranks = most === 0 ? [0] : Array.from({ length: targetsFor(most, classes) }, (_, at) => at + 1);
  return ranks.flatMap((rank) =>
    Array.from({ length: attack.restarts }, (_, restart) => ({ restart, rank })),
  );
}

/** The examples of one round. */
export interface RoundExamples {
  readonly x: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  readonly ids: readonly number[];
  /** The classes aimed at, int64 [N]; of rounds with a rank. */
  readonly targets: Tensor | null;
}

/**
 * One round of an attack. All its random numbers hang on the seed, the round and an example's id. Every image that may
 * break an example is shown to the observer.
 */
export function* runAttack(
  attack: Attack,
  classifier: Classifier,
  examples: RoundExamples,
  options: {
    readonly threat: Threat;
    readonly seed: number;
    readonly round: AttackRound;
    readonly observe: Observer;
  },
): AttackGenerator {
  const { threat, seed, round, observe } = options;
  const { norm, epsilon } = threat;
  const { x, labels, ids } = examples;
  const key: NoiseKey = { seed, stream: 'attack', restart: round.restart, rank: round.rank };
  const targets = examples.targets === null ? {} : { targets: examples.targets };

  switch (attack.kind) {
    case 'pgd': {
      using start = own(() => (attack.randomStart ? norm.randomStart(x, { epsilon, key, ids }) : x));
      const descentOptions = {
        norm,
        epsilon,
        steps: attack.steps,
        stepSize: stepSizeOf(attack, epsilon),
        loss: (logits: Tensor, of: Tensor) => climbed(attack.loss)(logits, of, of).sum(),
      };
      if (attack.lastOnly !== true) {
        using _last = yield* pgdSteps(classifier, { x, labels, start }, descentOptions, observe);
        return;
      }
      using last = yield* pgdSteps(classifier, { x, labels, start }, descentOptions);
      scope(() => observe({ x: last, logits: noGrad(() => classifier(last)), rows: [...ids.keys()] }));
      return;
    }
    case 'apgd': {
      using start = own(() => norm.edgeStart(x, { epsilon, key, ids }));
      const loss = climbed(attack.loss);
      yield* apgd(
        classifier,
        { x, labels, start, ...targets },
        { norm, epsilon, steps: attack.steps, loss, eot: attack.eot ?? 1 },
        observe,
      );
      return;
    }
    case 'fab': {
      // The first start is the image; the others lie half as far as ε.
      using start = own(() =>
        round.restart === 0 ? x : norm.edgeStart(x, { epsilon: epsilon / 2, key, ids }),
      );
      using _nearest = yield* fab(
        classifier,
        { x, labels, start, ...targets },
        { norm, epsilon, steps: attack.steps },
        observe,
      );
      return;
    }
    case 'square':
      yield* square(
        classifier,
        { x, labels, ids },
        { norm: norm.name, epsilon, queries: attack.steps, key },
        observe,
      );
  }
}

/** The loss by its name, or what takes its place where there are too few classes. */
function climbed(name: AttackLossName): (typeof attackLosses)[AttackLossName] {
  return (logits, labels, targets) =>
    attackLosses[lossFor(name, logits.dimension(1))](logits, labels, targets);
}

/** A handle of its own on what `make` returns, to be disposed of without harm to the original. */
function own(make: () => Tensor): Tensor {
  return scope(() => make().detach());
}
