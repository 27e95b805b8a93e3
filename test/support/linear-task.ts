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
  /** The norm of the smallest change within the box that alters the class, [N]. */
  readonly distances: readonly number[];
}

/** The norm of the smallest change to a plane: its `height` above it over the dual norm of `change`. */
const nearest: Readonly<
  Record<NormName, (height: number, change: readonly number[], pixel: (at: number) => number) => number>
> = {
  linf: (height, change) => height / change.reduce((sum, at) => sum + Math.abs(at), 0),
  l2: (height, change) => height / Math.hypot(...change),
  // One pixel alone may come to its wall before the plane: then the next best moves too.
  l1(height, change, pixel) {
    const steepest = [...change.keys()].sort((a, b) => Math.abs(change[b]!) - Math.abs(change[a]!));
    let [left, length] = [height, 0];
    for (const at of steepest) {
      const room = change[at]! > 0 ? pixel(at) : 1 - pixel(at);
      const moved = Math.min(room, left / Math.abs(change[at]!));
      length += moved;
      left -= moved * Math.abs(change[at]!);
      if (left <= 1e-12) break;
    }
    return length;
  },
};

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
      const pixel = (at: number) => images[image * pixels + at]! / 255;
      return [nearest[norm](each[own]! - logit, change, pixel)];
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
