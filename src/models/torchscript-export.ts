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

/**
 * Largest difference of logits that is taken for rounding, as a part of the largest logit: Satin's own convolution and
 * libtorch's differ by a hundredth of this in deep networks.
 */
const rounding = 1e-4;

/**
 * Writes a model as TorchScript, for `torch.jit.load`: in evaluation mode, from pixels in [0, 1] of the model's shape, in
 * batches of any size, to logits. The normalisation is inside, and weights and buffers have PyTorch's names. The file is read
 * again and compared with the model at two batch sizes before it gets its name; one that exists is overwritten.
 *
 * @returns the largest difference of a logit, as a part of the largest logit.
 * @throws {InputError} 'disk-full'. Nothing of the file stays then.
 * @throws {EngineError} where the file would compute something else; it is not written.
 */
export function exportTorchScript(model: Model, path: string): number {
  const { network, normalisation } = model;
  const parameters = network.parameters();
  const buffers = new Map([...network.state()].filter(([name]) => !parameters.has(name)));
  for (const [name, constant] of normalisation) buffers.set(`normalize.${name}`, constant);
  const bytes = scope(() =>
    traceScript({ parameters, buffers, example: pixels(model, 2), forward: model.classify }),
  );
  const fresh = `${path}.unchecked`;
  try {
    writeFileDurably(fresh, [bytes]);
    const difference = compare(model, fresh);
    if (!(difference <= rounding))
      throw new EngineError(
        `internal: the TorchScript of this model differs from it by ${difference} of the largest logit; it was not kept.`,
      );
    renameSync(fresh, path);
    return difference;
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** The largest difference between a model and a file, over two sizes of batch that differ from the traced one or not. */
function compare(model: Model, path: string): number {
  using script = TorchScript.load(path);
  return scope(() =>
    noGrad(() => {
      const pairs = [2, 5].flatMap((count) => {
        const images = pixels(model, count).neg().add(1); // others than those that were traced
        const [own, written] = [model.classify(images).numbers(), script.forward(images).numbers()];
        return [...own].map((logit, at) => [logit, written[at]!] as const);
      });
      const largest = Math.max(...pairs.map(([logit]) => Math.abs(logit)));
      const off = Math.max(...pairs.map(([logit, other]) => Math.abs(logit - other)));
      return off === 0 ? 0 : off / largest;
    }),
  );
}

/** Pixels in [0, 1] that differ from one another, [N, C, H, W]. */
function pixels({ description }: Model, count: number): Tensor {
  const shape = [count, ...description.shape];
  const size = shape.reduce((product, each) => product * each, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, at) => (at * 0.6180339887) % 1),
    shape,
  );
}
