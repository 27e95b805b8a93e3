import type { Classifier } from '../../nn/classifier.js';
import { where, zeros } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { type NoiseKey, noise } from '../../tensor/noise.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { AttackGenerator } from '../attack-generator.js';
import { attackLosses } from '../losses.js';
import type { NormName } from '../norms.js';
import type { Observer } from '../pgd.js';
import { RemainingExamples } from '../remaining-examples.js';
import { l2Draws, l2Move, l2Start } from './l2.js';
import { linfDraws, linfMove, linfStart } from './linf.js';
import { SquareDraws } from './window.js';

export interface SquareOptions {
  readonly norm: NormName;
  readonly epsilon: number;
  /** Squares that are tried; the start is one query more. */
  readonly queries: number;
  /** Fixes all draws; query q takes step q + 1. */
  readonly key: NoiseKey;
}

const moves = {
  linf: { start: linfStart, draws: linfDraws, move: linfMove },
  l2: { start: l2Start, draws: l2Draws, move: l2Move },
} as const;

/**
 * Square attack (Andriushchenko et al., 2020): random search that asks for no gradient. Each query changes one square
 * window of the best image so far, and is kept where the margin max_{i≠y} z_i − z_y grows. Window and signs are drawn for
 * each example by itself, so that a verdict depends on no other image; the reference draws one window for a whole batch,
 * by the same law.
 *
 * Every query is shown to the observer; the examples it is done with leave at once.
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
    margin: zeros([count], images.x.dtype).toDevice(images.x.device).sub(Number.POSITIVE_INFINITY),
  }));

  for (let query = -1; query < queries && set.rows.length > 0; query++) {
    set.step((now, rows) => {
      const mine = rows.map((row) => ids[row]!);
      const candidate =
        query < 0
          ? start(now.x, { epsilon, key, ids: mine })
          : move(now, {
              side: squareSide(query, { height, width, norm }),
              epsilon,
              draws: new SquareDraws(
                noise('uniform', {
                  key: { ...key, step: query + 1 },
                  ids: mine,
                  shape: [drawsFor(channels)],
                  dtype: now.x.dtype,
                }),
                now.x.device,
              ),
            });
      const logits = noGrad(() => classifier(candidate));
      const stay = observe({ x: candidate, logits, rows });
      if (stay?.length === 0) return { next: {}, stay: [] };
      const margin = attackLosses.margin(logits, now.labels); // [n]
      const better = margin.greater(now.margin);
      return {
        next: {
          best: where(better.reshape([-1, 1, 1, 1]), candidate, now.best),
          margin: where(better, margin, now.margin),
        },
        stay,
      };
    });
    yield { backwards: 0 };
  }
}

/** The share of the pixels that the first squares cover. */
const initialShare = 0.8;

/** After these many queries the share is halved, each time anew. */
const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/**
 * The side of the square that is changed by a query, counted from 0 (Andriushchenko et al., 2020, with AutoAttack's
 * schedule, which does not stretch with the number of queries): √(share · H · W), rounded. In L2 it is odd and at least 3.
 * It never exceeds the image.
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

/** To the nearest whole number, halves to the even one, as the reference rounds. */
function roundToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below + (below % 2);
}
