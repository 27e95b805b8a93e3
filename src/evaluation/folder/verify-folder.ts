import { existsSync } from 'node:fs';
import { join } from 'node:path';
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
import { readFound } from './evaluation-folder.js';
import { readOriginals } from './images.js';
import type { EvaluationManifest } from './manifest.js';

/** A stored image that broke an example, looked at again. */
export interface VerifiedImage {
  readonly id: number;
  readonly label: number;
  readonly attack: string;
  /** From its original, in float64. */
  readonly distance: number;
  /** Its smallest and its largest pixel. */
  readonly pixels: readonly [lowest: number, highest: number];
  readonly isInBall: boolean;
  readonly isInBox: boolean;
  readonly isMisclassified: boolean;
}

export interface FolderVerification {
  /** Whether the evaluation came to its end. */
  readonly isFinished: boolean;
  /** All stored images, in the order in which they were found. */
  readonly images: readonly VerifiedImage[];
  /** The ids of the originals that the model classifies rightly. */
  readonly right: ReadonlySet<number>;
}

/**
 * Looks again at every adversarial image of an evaluation, with nothing but its folder and a model: the originals by
 * their digest, the distance in float64, the box, and what the model says of the stored float32 image. It uses nothing
 * that the attacks found out. An image that the model gets right in a batch is shown to it once more alone, since the
 * engine's rounding may depend on the company.
 *
 * @throws {InputError} where the folder is damaged, or the model takes other images or knows other classes.
 */
export function verifyFolder(
  path: string,
  options: {
    readonly manifest: EvaluationManifest;
    /** As it was given, not folded. */
    readonly classify: Classifier;
    /** What the model takes; null where it does not say. */
    readonly shape: readonly [number, number, number] | null;
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
  using tensors = new DatasetTensors(data);
  const places = new Map(Array.from(data.ids, (id, place) => [id, place]));
  const classify = padSingleton(options.classify);
  const { random } = chosen;
  const norm = norms[settings.norm];

  const right = new Set<number>();
  for (const chunk of batches([...data.ids.keys()], chosen.batch)) {
    const labels = chunk.map((place) => data.labels[place]!);
    const { rows: wrong, classes } = scope(() =>
      misclassified(classify, tensors.batch(chunk).x, { labels, random }),
    );
    requireClasses(classes, data);
    const errors = new Set(wrong);
    chunk.forEach((place, row) => {
      if (!errors.has(row)) right.add(data.ids[place]!);
    });
  }

  const { lines, imageOf } = readFound(path, data.shape);
  const broken = lines.flatMap((line) => (line.type === 'broken' ? [line] : []));
  const images = [...batches([...broken.keys()], chosen.batch)].flatMap((chunk) => {
    const found = chunk.map((at) => {
      const { id, attack, image } = broken[at]!;
      const place = places.get(id);
      if (place === undefined)
        throw new InputError('broken-file', `Expected ids of ${data.name} in ${path}, but ${id} is none.`);
      return { id, attack, place, label: data.labels[place]!, pixels: imageOf(image) };
    });
    const { distances, wrong } = scope(() => {
      const x = stackImages(
        found.map(({ pixels }) => pixels),
        data.shape,
      );
      const originals = tensors.batch(found.map(({ place }) => place)).x;
      const judged = misclassified(classify, x, { labels: found.map(({ label }) => label), random });
      const isWrong = new Set(judged.rows);
      found.forEach(({ label }, row) => {
        if (isWrong.has(row)) return;
        const alone = scope(() => misclassified(classify, x.narrow(0, row, 1), { labels: [label], random }));
        if (alone.rows.length > 0) isWrong.add(row);
      });
      return { distances: norm.distance(x, originals), wrong: isWrong };
    });
    return found.map(({ id, attack, label, pixels }, row): VerifiedImage => {
      const distance = distances[row]!;
      return {
        id,
        label,
        attack,
        distance,
        pixels: [
          pixels.reduce((a, b) => Math.min(a, b), Infinity),
          pixels.reduce((a, b) => Math.max(a, b), -Infinity),
        ],
        isInBall: distance <= norm.allowed(settings.epsilon),
        isInBox: pixels.every((pixel) => pixel >= 0 && pixel <= 1), // which no NaN is
        isMisclassified: wrong.has(row),
      };
    });
  });
  return { isFinished: existsSync(join(path, 'evaluation.json')), images, right };
}
