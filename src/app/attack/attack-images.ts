import { parseAttack } from '../../attacks/attack.js';
import { type NormName, norms } from '../../attacks/norms.js';
import type { Dataset } from '../../data/dataset.js';
import { DatasetTensors, toPixels } from '../../data/dataset-tensors.js';
import { stackImages } from '../../data/image-stack.js';
import { missingGradient, requireGradient } from '../../evaluation/checks/require-gradient.js';
import { type EvaluationProgress, evaluate } from '../../evaluation/evaluate.js';
import { padSingleton } from '../../evaluation/model-under-test.js';
import { requireInBall } from '../../evaluation/require-in-ball.js';
import { eightBits } from '../../report/images.js';
import { tensor } from '../../tensor/create.js';
import { scope } from '../../tensor/scope.js';
import type { Epsilon } from '../../user-input/epsilon.js';
import { lastIterates } from '../evaluate/last-iterate.js';
import type { AttackableModel } from '../model/open-model.js';
import { type TopPrediction, topPredictions } from '../predict.js';

export interface AttackImagesOptions {
  readonly model: AttackableModel;
  /** Bytes [N, C, H, W], in the model's input size. */
  readonly images: Uint8Array;
  readonly shape: Dataset['shape'];
  /** Class names, in the order of the model's outputs. */
  readonly classes: readonly string[];
  /** The true class of the images; null for the model's own prediction. */
  readonly label: number | null;
  /** `pgd-50` */
  readonly attack: string;
  readonly norm: NormName;
  readonly epsilon: Epsilon;
  readonly seed: number;
  readonly interrupted: () => boolean;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

/** A user's image and its adversarial version. */
export interface AttackedImage {
  readonly label: number;
  /**
   * `broken`: the model misclassifies the adversarial image. `stood`: the attack failed; the image is PGD's last iterate,
   * or the original for other attacks. `wrong`: the model misclassifies the original, which was not attacked.
   */
  readonly outcome: 'broken' | 'stood' | 'wrong';
  /** Predictions on the original, on the adversarial image, and on the latter rounded to the 8 bits of a PNG. */
  readonly before: TopPrediction;
  readonly after: TopPrediction;
  readonly rounded: TopPrediction;
  /** Distance from the original in the norm; that of the rounded image may exceed ε. */
  readonly distance: number;
  readonly roundedDistance: number;
  /** Pixels in [0, 1], [C, H, W]. */
  readonly image: Float32Array;
  readonly adversarial: Float32Array;
}

/** Batch size. */
const batch = 64;

/**
 * Attacks a user's own images; writes nothing.
 *
 * @throws {InputError} if the attack follows a gradient and the model has none.
 */
export async function attackImages(options: AttackImagesOptions): Promise<AttackedImage[]> {
  const { model, images, shape, classes, seed, interrupted, onProgress } = options;
  const norm = norms[options.norm];
  const attack = parseAttack(options.attack);
  const threat = { norm, epsilon: options.epsilon.epsilon };
  const size = shape[0] * shape[1] * shape[2];
  const indices = Array.from({ length: images.length / size }, (_, index) => index);
  const say = (pixels: readonly Float32Array[]) => predictionsOf(model, pixels, shape);
  const originals = indices.map((index) => pixelsOf(images.subarray(index * size, (index + 1) * size)));
  const before = say(originals);
  const labels = before.map(({ label }) => options.label ?? label);
  const dataset: Dataset = {
    name: 'the images',
    classes,
    shape,
    images,
    labels: Uint16Array.from(labels),
    ids: Uint32Array.from(indices),
    order: 'file',
    warnings: [],
  };
  using data = new DatasetTensors(dataset, model.device);
  using fast = model.forAttacks();
  const subject = { exact: model.classify, fast: fast.classify };
  if (attack.kind !== 'square') requireGradient(missingGradient(subject, data, { threat, seed }), [attack]);
  const { adversarial } = await evaluate(subject, data, {
    attacks: [attack],
    threat,
    seed,
    batch,
    interrupted,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const made = indices.map((index) => adversarial.get(index) ?? originals[index]!);
  const right = indices.filter((index) => before[index]!.label === labels[index]);
  if (attack.kind === 'pgd' && right.length > 0) {
    // The evaluation stops at the first misclassified iterate, just across the decision boundary. The last iterate is
    // usually farther across and survives rounding to a PNG, so it is the one that is returned.
    const ends = scope(() => {
      const examples = data.batch(right);
      const found = lastIterates(model, examples, { attack: attack.name, threat, seed });
      requireInBall(
        examples.x,
        found.map((image, row) => ({ row, image })),
        { attack: attack.name, threat },
      );
      return found;
    });
    const said = say(ends);
    right.forEach((index, at) => {
      if (said[at]!.label !== labels[index] || !adversarial.has(index)) made[index] = ends[at]!;
    });
  }
  const rounded = made.map((pixels) => pixelsOf(eightBits(pixels)));
  const [after, afterRounding] = [say(made), say(rounded)];
  const distances = (others: readonly Float32Array[]) =>
    scope(() => [...norm.distance(stackImages(others, shape), stackImages(originals, shape))]);
  const [distance, roundedDistance] = [distances(made), distances(rounded)];
  return indices.map((index) => {
    const [label, wasRight] = [labels[index]!, before[index]!.label === labels[index]];
    return {
      label,
      outcome: !wasRight ? 'wrong' : after[index]!.label === label ? 'stood' : 'broken',
      before: before[index]!,
      after: after[index]!,
      rounded: afterRounding[index]!,
      distance: distance[index]!,
      roundedDistance: roundedDistance[index]!,
      image: originals[index]!,
      adversarial: made[index]!,
    };
  });
}

function pixelsOf(bytes: Uint8Array): Float32Array {
  return scope(() => toPixels(tensor(bytes, [bytes.length])).data() as Float32Array);
}

function predictionsOf(
  model: AttackableModel,
  images: readonly Float32Array[],
  shape: Dataset['shape'],
): TopPrediction[] {
  return Array.from({ length: Math.ceil(images.length / batch) }, (_, part) =>
    scope(() =>
      topPredictions(
        padSingleton(model.classify),
        stackImages(images.slice(part * batch, (part + 1) * batch), shape, model.device),
      ),
    ),
  ).flat();
}
