import { renameSync, rmSync } from 'node:fs';
import { EngineError } from '../errors.js';
import { writeFileDurably } from '../files/durable-file.js';
import { tensor } from '../tensor/create.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { TorchScript } from '../tensor/torchscript.js';
import { traceScript } from '../tensor/torchscript-trace.js';
import type { Model } from './model.js';
import type { OnExport } from './on-export.js';
import { withFacts } from './torchscript-facts.js';

/**
 * Tolerance for the difference of logits, relative to the largest logit. In deep networks Satin's convolution and
 * libtorch's differ by a hundredth of it.
 */
const tolerance = 1e-4;

/** Images of the trace, and of each comparison. */
const batches = { traced: 2, compared: [2, 5] } as const;

/**
 * Exports a model as TorchScript, for `torch.jit.load`: in evaluation mode, from pixels in [0, 1] of the model's shape,
 * with any batch size, to logits. The normalisation is included, and parameters and buffers have PyTorch's names; the file
 * names its classes and its shape. The
 * file is loaded again and compared with the model at two batch sizes before it is moved to `path`; an existing file is
 * overwritten.
 *
 * @returns the largest difference of a logit, relative to the largest logit.
 * @throws {InputError} 'disk-full', after removing the partial file.
 * @throws {EngineError} if the exported model differs; no file is written.
 */
export function exportTorchScript(model: Model, path: string, onProgress?: OnExport): number {
  const { network, normalisation } = model;
  const parameters = network.parameters();
  const buffers = new Map([...network.state()].filter(([name]) => !parameters.has(name)));
  for (const [name, constant] of normalisation) buffers.set(`normalize.${name}`, constant);
  onProgress?.({ label: 'trace the network', done: 0, total: 1 });
  const bytes = scope(() =>
    traceScript({ parameters, buffers, example: pixels(model, batches.traced), forward: model.classify }),
  );
  const fresh = `${path}.unchecked`;
  try {
    onProgress?.({ label: 'write the file', done: 0, total: 1 });
    writeFileDurably(fresh, [withFacts(bytes, model.description)]);
    const difference = compare(model, fresh, onProgress);
    if (!(difference <= tolerance))
      throw new EngineError(
        `internal: the exported TorchScript differs from the model by ${difference} of the largest logit; it was discarded.`,
      );
    renameSync(fresh, path);
    return difference;
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** The largest relative difference between a model and its export, at the traced batch size and another one. */
function compare(model: Model, path: string, onProgress: OnExport | undefined): number {
  const total = batches.compared.reduce((sum, count) => sum + 2 * count, 0);
  let done = 0;
  const classified = (count: number, classify: () => Tensor) => {
    onProgress?.({ label: 'compare the file with the model', done, total });
    const logits = classify().numbers();
    done += count;
    return logits;
  };
  using script = TorchScript.load(path);
  return scope(() =>
    noGrad(() => {
      const pairs = batches.compared.flatMap((count) => {
        const images = pixels(model, count).neg().add(1); // different from the traced images
        const expected = classified(count, () => model.classify(images));
        const exported = classified(count, () => script.forward(images));
        return [...expected].map((logit, index) => [logit, exported[index]!] as const);
      });
      const largest = Math.max(...pairs.map(([logit]) => Math.abs(logit)));
      const difference = Math.max(...pairs.map(([logit, other]) => Math.abs(logit - other)));
      return difference === 0 ? 0 : difference / largest;
    }),
  );
}

/** Test images with distinct pixels in [0, 1], [N, C, H, W]. */
function pixels({ description }: Model, count: number): Tensor {
  const shape = [count, ...description.shape];
  const size = shape.reduce((product, each) => product * each, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, index) => (index * 0.6180339887) % 1),
    shape,
  );
}
