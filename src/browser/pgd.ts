import { type BrowserNormName, browserNorms } from './norms.js';

/** Logits [N, classes] and the gradient of a loss with respect to the images, [N, size], row after row. */
export interface Differentiated {
  readonly logits: Float32Array;
  readonly gradient: Float32Array;
}

/** A network that answers with the gradient of its cross-entropy: an exported graph, run by some runtime. */
export type Differentiate = (images: Float32Array, labels: readonly number[]) => Promise<Differentiated>;

/** Images in [0, 1], row after row. */
export interface AttackedImages {
  readonly images: Float32Array;
  readonly labels: readonly number[];
  /** Keys of the random starts. */
  readonly ids: readonly number[];
}

export interface BrowserPgdOptions {
  readonly norm: BrowserNormName;
  readonly epsilon: number;
  readonly steps: number;
  /** @default 0 */
  readonly seed?: number;
}

/** An iterate and what the network says of it; step 0 is the random start. */
export interface Iterate {
  readonly step: number;
  readonly images: Float32Array;
  readonly logits: Float32Array;
}

/**
 * `pgd-STEPS` of src/attacks/attack.ts on plain numbers: from the same random start by steps of 2.5 ε / steps, and with the
 * same arithmetic in float32 for L∞. Yields each of its steps + 1 iterates.
 */
export async function* browserPgd(
  differentiate: Differentiate,
  { images, labels, ids }: AttackedImages,
  { norm: name, epsilon, steps, seed = 0 }: BrowserPgdOptions,
): AsyncGenerator<Iterate> {
  const norm = browserNorms[name];
  const size = images.length / labels.length;
  const row = (all: Float32Array, index: number) => all.subarray(index * size, (index + 1) * size);
  const eachRow = (make: (index: number) => Float32Array) => {
    const made = new Float32Array(images.length);
    for (const index of labels.keys()) made.set(make(index), index * size);
    return made;
  };
  let points = eachRow((index) => norm.start(row(images, index), { epsilon, seed, id: ids[index]! }));
  for (let step = 0; ; step++) {
    const { logits, gradient } = await differentiate(points, labels);
    yield { step, images: points, logits };
    if (step === steps) return;
    const previous = points;
    points = eachRow((index) =>
      norm.step(row(previous, index), row(gradient, index), {
        image: row(images, index),
        epsilon,
        size: (2.5 * epsilon) / steps,
      }),
    );
  }
}

/** The largest logit of another class less that of the label: above 0, or at 0 by a class before it, it is misclassified. */
export function marginOf(logits: Float32Array, label: number): number {
  const others = logits.filter((_, index) => index !== label);
  return others.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY) - logits[label]!;
}

/** The class with the largest logit, the first one if several have it. */
export function predictedClass(logits: Float32Array): number {
  return logits.reduce((best, logit, index) => (logit > logits[best]! ? index : best), 0);
}

/** exp(zᵢ) / Σⱼ exp(zⱼ) */
export function softmax(logits: Float32Array): Float32Array {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
