import type { Classifier } from '../nn/classifier.js';
import type { NoiseKey } from '../tensor/noise.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { apgd } from './apgd.js';
import { type Attack, stepSizeOf, type Threat } from './attack.js';
import type { AttackGenerator } from './attack-generator.js';
import { fab } from './fab.js';
import { type AttackLossName, attackLosses, lossFor, targetsFor } from './losses.js';
import type { GradientObserver, Observer } from './observer.js';
import { pgdSteps } from './pgd.js';
import { firstRadius, shrinkingApgd } from './shrinking-apgd.js';
import { square } from './square/square.js';

/** One run of an attack: a restart and a target rank. The caller passes the examples that are still robust. */
export interface AttackRound {
  readonly restart: number;
  /** Rank of the target class among the other classes, 1 being the most likely; 0 for an untargeted run. */
  readonly rank: number;
}

/** The runs of an attack in order: each target in turn, with all its restarts. */
export function roundsOf(attack: Attack, classes: number): readonly AttackRound[] {
  const most = 'targets' in attack ? attack.targets : 0;
  const ranks = most === 0 ? [0] : Array.from({ length: targetsFor(most, classes) }, (_, index) => index + 1);
  return ranks.flatMap((rank) =>
    Array.from({ length: attack.restarts }, (_, restart) => ({ restart, rank })),
  );
}

/** The examples attacked in one round. */
export interface RoundExamples {
  readonly x: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  readonly ids: readonly number[];
  /** Target classes, int64 [N]; null in untargeted rounds. */
  readonly targets: Tensor | null;
}

/**
 * Runs one round of an attack. All random numbers are a function of the seed, the round and the example id. Every
 * candidate adversarial image is passed to the observer.
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
    readonly onGradient?: GradientObserver;
  },
): AttackGenerator {
  const { threat, seed, round, observe, onGradient } = options;
  const { norm, epsilon } = threat;
  const { x, labels, ids } = examples;
  const key: NoiseKey = { seed, stream: 'attack', restart: round.restart, rank: round.rank };
  const targets = examples.targets === null ? {} : { targets: examples.targets };

  switch (attack.kind) {
    case 'pgd': {
      using start = owned(() => (attack.randomStart ? norm.randomStart(x, { epsilon, key, ids }) : x));
      using _last = yield* pgdSteps(
        classifier,
        { x, labels, start },
        {
          norm,
          epsilon,
          steps: attack.steps,
          stepSize: stepSizeOf(attack, epsilon),
          loss: (logits: Tensor, of: Tensor) => effectiveLoss(attack.loss)(logits, of, of).sum(),
          lastOnly: attack.lastOnly === true,
          cycles: attack.cycles === true,
          onGradient,
        },
        observe,
      );
      return;
    }
    case 'apgd': {
      const radius = attack.shrinking === true ? firstRadius * epsilon : epsilon;
      using start = owned(() => norm.apgdStart(x, { epsilon: radius, key, ids }));
      const loss = effectiveLoss(attack.loss);
      const search = attack.shrinking === true ? shrinkingApgd : apgd;
      using _best = yield* search(
        classifier,
        { x, labels, start, ...targets },
        { norm, epsilon, steps: attack.steps, loss, eot: attack.eot ?? 1, onGradient },
        observe,
      );
      return;
    }
    case 'fab': {
      // The first restart starts at the image, the others at distance ε / 2.
      using start = owned(() =>
        round.restart === 0 ? x : norm.edgeStart(x, { epsilon: epsilon / 2, key, ids }),
      );
      using _nearest = yield* fab(
        classifier,
        { x, labels, start, ...targets },
        { norm, epsilon, steps: attack.steps, onGradient },
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

/** The named loss, or its replacement for a small number of classes. */
function effectiveLoss(name: AttackLossName): (typeof attackLosses)[AttackLossName] {
  return (logits, labels, targets) =>
    attackLosses[lossFor(name, logits.dimension(1))](logits, labels, targets);
}

/** A new handle on the tensor returned by `make`, so that disposing of it leaves the original intact. */
function owned(make: () => Tensor): Tensor {
  return scope(() => make().detach());
}
