import { norms } from '../../attacks/norms.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import { stackImages } from '../../data/image-stack.js';
import { InputError } from '../../errors.js';
import type { Classifier } from '../../nn/classifier.js';
import { scope } from '../../tensor/scope.js';
import { batches } from '../batches.js';
import { misclassified } from '../misclassified.js';
import { padSingleton } from '../model-under-test.js';
import { requireClasses } from '../require-logits.js';
import { isFinishedEvaluation, readFound } from './evaluation-folder.js';
import { readOriginals } from './images.js';
import type { EvaluationManifest } from './manifest.js';
import { placesOfIds } from './place-of-id.js';

/** The verification of a stored adversarial image. */
export interface VerifiedImage {
  readonly id: number;
  /** The file of the clean image; only of a folder of images. */
  readonly file?: string;
  readonly label: number;
  readonly attack: string;
  /** Distance from the clean image, in float64. */
  readonly distance: number;
  /** Smallest and largest pixel value. */
  readonly pixels: readonly [lowest: number, highest: number];
  readonly isInBall: boolean;
  readonly isInBox: boolean;
  readonly isMisclassified: boolean;
}

export interface FolderVerification {
  /** Whether the evaluation is finished. */
  readonly isFinished: boolean;
  /** All stored adversarial images, in the order in which they were found. */
  readonly images: readonly VerifiedImage[];
  /** The ids of the clean images that the model classifies correctly. */
  readonly correct: ReadonlySet<number>;
}

/**
 * Verifies every adversarial image of an evaluation from its folder and a model alone: the digest of the clean images,
 * the distance in float64, the box, and the prediction on the stored float32 image. No verdict of the attacks is used.
 * An image that is classified correctly in a batch is evaluated again alone, since rounding may depend on the batch.
 *
 * @throws {InputError} if the folder is damaged, or the model has another input shape or number of classes.
 */
export function verifyFolder(
  path: string,
  options: {
    readonly manifest: EvaluationManifest;
    /** The original model, without folded normalisation. */
    readonly classify: Classifier;
    /** The device on which it takes images. @default 'cpu' */
    readonly device?: string;
    /** Input shape of the model; null if unknown. */
    readonly shape: readonly [number, number, number] | null;
    /** Told of clean and adversarial images together. */
    readonly onProgress?: (done: number, total: number) => void;
  },
): FolderVerification {
  const { evaluation: settings, chosen } = options.manifest;
  const data = readOriginals(path, settings);
  if (options.shape !== null && options.shape.join() !== data.shape.join())
    throw InputError.expected(
      `a model of images of shape [${data.shape.join(', ')}]`,
      'the model',
      `one of [${options.shape.join(', ')}]`,
    );
  using tensors = new DatasetTensors(data, options.device);
  const placeOf = placesOfIds(data.ids);
  const classify = padSingleton(options.classify);
  const { random } = chosen;
  const norm = norms[settings.norm];

  const { lines, imageOf } = readFound(path, data, options.manifest);
  const broken = lines.flatMap((line) => (line.type === 'broken' ? [line] : []));
  const total = data.ids.length + broken.length;

  const correct = new Set<number>();
  for (const chunk of batches([...data.ids.keys()], chosen.batch)) {
    options.onProgress?.(chunk[0]!, total);
    const labels = chunk.map((index) => data.labels[index]!);
    const { rows, classes } = scope(() =>
      misclassified(classify, tensors.batch(chunk).x, { labels, random }),
    );
    requireClasses(classes, data);
    const errors = new Set(rows);
    chunk.forEach((index, row) => {
      if (!errors.has(row)) correct.add(data.ids[index]!);
    });
  }

  const images = [...batches([...broken.keys()], chosen.batch)].flatMap((chunk) => {
    options.onProgress?.(data.ids.length + chunk[0]!, total);
    const found = chunk.map((position) => {
      const { id, attack, image } = broken[position]!;
      const index = placeOf(id)!; // readFound requires it
      return { id, attack, index, label: data.labels[index]!, pixels: imageOf(image) };
    });
    const { distances, errors } = scope(() => {
      const x = stackImages(
        found.map(({ pixels }) => pixels),
        data.shape,
        options.device,
      );
      const originals = tensors.batch(found.map(({ index }) => index)).x;
      const batched = misclassified(classify, x, { labels: found.map(({ label }) => label), random });
      const rows = new Set(batched.rows);
      found.forEach(({ label }, row) => {
        if (rows.has(row)) return;
        const alone = scope(() => misclassified(classify, x.narrow(0, row, 1), { labels: [label], random }));
        if (alone.rows.length > 0) rows.add(row);
      });
      return { distances: norm.distance(x, originals), errors: rows };
    });
    return found.map(({ id, attack, index, label, pixels }, row): VerifiedImage => {
      const file = options.manifest.files?.[index];
      const distance = distances[row]!;
      return {
        id,
        ...(file !== undefined && { file }),
        label,
        attack,
        distance,
        pixels: [
          pixels.reduce((a, b) => Math.min(a, b), Infinity),
          pixels.reduce((a, b) => Math.max(a, b), -Infinity),
        ],
        isInBall: distance <= norm.allowed(settings.epsilon),
        isInBox: pixels.every((pixel) => pixel >= 0 && pixel <= 1), // false for NaN
        isMisclassified: errors.has(row),
      };
    });
  });
  return { isFinished: isFinishedEvaluation(path), images, correct };
}
