import { loadExamples } from '../../src/app/evaluate/load-examples.js';
import { openModel } from '../../src/app/model/open-model.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import type { LoadOptions } from '../../src/data/load-dataset.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { gradient, noGrad, withGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';

export interface SurfaceOptions {
  /** A run folder. */
  readonly run: string;
  readonly data: Pick<LoadOptions, 'name' | 'dir'>;
  /** How many test images. */
  readonly count: number;
  readonly epsilon: number;
  /** Coordinates of both axes in ε. */
  readonly at: readonly number[];
  readonly seed: number;
  readonly device: string;
}

/**
 * The mean cross-entropy of a network at x + i ε s + j ε r, clamped to [0, 1], over images x, with the sign s of its gradient at x
 * and a random sign direction r; i and j run over `at`.
 *
 * @returns rows along r (j), columns along s (i).
 */
export async function lossSurface(options: SurfaceOptions): Promise<number[][]> {
  const { run, count, epsilon, at, seed, device } = options;
  using model = openModel(run, { device });
  const data = await loadExamples(model, { ...options.data, split: 'test', count, seed });
  using tensors = new DatasetTensors(data, device);
  return scope(() => {
    const { x, labels, ids } = tensors.batch([...data.ids.keys()]);
    const point = x.detach().requireGrad_();
    const along = gradient(
      withGrad(() => crossEntropy(model.classify(point), labels)),
      point,
    ).sign();
    const key = { seed, stream: 'attack' } as const;
    const across = noise('normal', { key, ids, shape: x.shape.slice(1), device }).sign();
    const loss = (column: number, row: number) =>
      scope(() => {
        const moved = x.add(along.mul(column * epsilon)).add(across.mul(row * epsilon));
        return noGrad(() => crossEntropy(model.classify(moved.clamp(0, 1)), labels).numbers()[0]!);
      });
    return at.map((row) => at.map((column) => loss(column, row)));
  });
}
