import type { Classifier } from '../../nn/classifier.js';
import { NeighbourMemory } from '../../nn/neighbours.js';
import { where, zeros } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { type NoiseKey, noise } from '../../tensor/noise.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { NormName } from '../../user-input/norm-name.js';
import type { AttackGenerator } from '../attack-generator.js';
import { chooseImages } from '../choose-images.js';
import { attackLosses } from '../losses.js';
import type { Observer } from '../observer.js';
import { RemainingExamples } from '../remaining-examples.js';
import { type BumpNorm, bumpDraws, bumpMove, bumpStart } from './bumps.js';
import { l1Bumps } from './l1.js';
import { l2Bumps } from './l2.js';
import { linfDraws, linfMove, linfStart } from './linf.js';
import { SquareDraws } from './window.js';

export interface SquareOptions {
  readonly norm: NormName;
  readonly epsilon: number;
  /** Random squares to try; the initial perturbation costs one more query. */
  readonly queries: number;
  /** Seeds all random draws; query q uses step q + 1. */
  readonly key: NoiseKey;
}

interface Moves {
  readonly start: typeof linfStart;
  readonly draws: typeof linfDraws;
  readonly move: typeof linfMove;
}

const bumps = (norm: BumpNorm): Moves => ({
  start: (x, options) => bumpStart(norm, x, options),
  draws: bumpDraws,
  move: (images, options) => bumpMove(norm, images, options),
});

const moves: Readonly<Record<NormName, Moves>> = {
  linf: { start: linfStart, draws: linfDraws, move: linfMove },
  l2: bumps(l2Bumps),
  l1: bumps(l1Bumps),
};

/**
 * Square attack (Andriushchenko et al., 2020): gradient-free random search. Each query changes one square window of the
 * best image so far and is accepted if the margin max_{i≠y} z_i − z_y increases. Window and signs are drawn per
 * example, so that a verdict does not depend on the other images of the batch; the reference draws one window for the
 * whole batch, from the same distribution.
 *
 * Every query is passed to the observer; the examples it drops leave the batch at once.
 */
export function* square(
  classifier: Classifier,
  images: { readonly x: Tensor; readonly labels: Tensor; readonly ids: readonly number[] },
  options: SquareOptions,
  observe: Observer,
): AttackGenerator {
  const { norm, epsilon, queries, key } = options;
  const { start, draws: drawsFor, move } = moves[norm];
  const [count, channels, height, width] = images.x.shape as [number, number, number, number];
  const { ids } = images;
  using set = new RemainingExamples(() => ({
    x: images.x,
    labels: images.labels,
    best: images.x,
    margin: zeros([count], images.x.dtype, images.x.device).sub(Number.POSITIVE_INFINITY),
  }));

  using memory = new NeighbourMemory(count);
  // In L2 and L1 a query rescales the whole perturbation.
  const neighbours = (near: Tensor, slots: readonly number[]) =>
    norm === 'linf' ? { near, slots, memory } : undefined;

  for (let query = -1; query < queries && set.rows.length > 0; query++) {
    set.step((state, rows) => {
      const exampleIds = rows.map((row) => ids[row]!);
      const candidate =
        query < 0
          ? start(state.x, { epsilon, key, ids: exampleIds })
          : move(state, {
              side: squareSide(query, { height, width, norm }),
              epsilon,
              draws: new SquareDraws(
                noise('uniform', {
                  key: { ...key, step: query + 1 },
                  ids: exampleIds,
                  shape: [drawsFor(channels)],
                  dtype: state.x.dtype,
                  device: state.x.device,
                }),
              ),
            });
      const logits = noGrad(() => classifier(candidate, neighbours(state.best, rows)));
      const active = observe({ x: candidate, logits, labels: state.labels, rows });
      if (active?.length === 0) return { next: {}, active: [] };
      const margin = attackLosses.margin(logits, state.labels); // [n]
      const better = margin.greater(state.margin);
      return {
        next: {
          best: chooseImages(better, candidate, state.best),
          margin: where(better, margin, state.margin),
        },
        active,
      };
    });
    yield { backwards: 0 };
  }
}

/** Initial fraction of the pixels covered by a square. */
const initialShare = 0.8;

/** The fraction is halved after each of these numbers of queries. */
const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/**
 * Side of the square of a query, counted from 0 (Andriushchenko et al., 2020, with AutoAttack's schedule, which is not
 * rescaled to the number of queries): √(fraction · H · W), rounded. In L2 and L1 it is odd and at least 3. It never exceeds
 * the image.
 */
export function squareSide(
  query: number,
  { height, width, norm }: { readonly height: number; readonly width: number; readonly norm: NormName },
): number {
  const share = initialShare / 2 ** halvings.filter((after) => query > after).length;
  const rounded = roundToEven(Math.sqrt(share * height * width));
  const side = norm === 'linf' ? Math.max(rounded, 1) : odd(Math.max(rounded, 3));
  return Math.min(side, height, width);
}

const odd = (side: number) => side + 1 - (side % 2);

/** Rounds to the nearest integer, ties to even, as the reference does. */
function roundToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below + (below % 2);
}
