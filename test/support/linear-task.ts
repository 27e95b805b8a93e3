import type { NormName } from '../../src/attacks/norms.js';
import { consecutiveIds, type Dataset } from '../../src/data/dataset.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { tensor } from '../../src/tensor/create.js';
import { linear } from '../../src/tensor/functional.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';

/** A linear classifier, images in the middle of the box that it classifies rightly, and how far each is from a boundary. */
export interface LinearTask {
  readonly dataset: Dataset;
  readonly classify: Classifier;
  /** The norm of the smallest change that alters the class, min (z_y − z_t) / ‖w_y − w_t‖*, [N]. */
  readonly distances: readonly number[];
}

const shape = [2, 5, 6] as const;
const pixels = 60;

/** `count` images of 2x5x6 pixels between 0.35 and 0.65. */
export function linearTask(classes: number, norm: NormName, count = 40): LinearTask {
  const draw = (ids: number, epoch: number) =>
    scope(() =>
      noise('normal', {
        key: { seed: 3, stream: 'bench', epoch },
        ids: Array.from({ length: ids }, (_, id) => id),
        shape: [pixels],
        dtype: 'float64',
      }).numbers(),
    );
  const weights = Float32Array.from(draw(classes, 1));
  const images = Uint8Array.from(draw(count, 2), (each) =>
    Math.round(127.5 + 38 * Math.max(-1, Math.min(1, each / 2))),
  );
  const row = (of: number) => weights.subarray(of * pixels, (of + 1) * pixels);
  // The bias leaves each class its share: the logits of a grey image are all 0.
  const bias = Float32Array.from(
    { length: classes },
    (_, of) => -row(of).reduce((sum, each) => sum + each / 2, 0),
  );
  const logits = Array.from({ length: count }, (_, image) =>
    Array.from(bias, (shift, of) =>
      row(of).reduce((sum, each, at) => sum + (each * images[image * pixels + at]!) / 255, shift),
    ),
  );
  const labels = Uint8Array.from(logits, (each) => each.indexOf(Math.max(...each)));
  const distances = logits.map((each, image) => {
    const own = labels[image]!;
    const ways = each.flatMap((logit, other) => {
      if (other === own) return [];
      const change = Array.from(row(own), (weight, at) => weight - row(other)[at]!);
      const dual =
        norm === 'linf' ? change.reduce((sum, at) => sum + Math.abs(at), 0) : Math.hypot(...change);
      return [(each[own]! - logit) / dual];
    });
    return Math.min(...ways);
  });
  const [weight, shift] = [tensor(weights, [classes, pixels]), tensor(bias, [classes])];
  return {
    dataset: {
      name: 'linear:test',
      classes: Array.from({ length: classes }, (_, of) => `class ${of}`),
      shape,
      images,
      labels,
      ids: consecutiveIds(count),
      order: 'file',
      warnings: [],
    },
    classify: (x) => linear(x.flatten(1), weight, shift),
    distances,
  };
}

/** The radius that lies in the middle of the distances. */
export function middle({ distances }: LinearTask): number {
  return [...distances].sort((a, b) => a - b)[Math.floor(distances.length / 2)]!;
}
