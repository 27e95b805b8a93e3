import { native } from '../engine/native.js';
import { noGrad } from './gradient.js';
import { scope } from './scope.js';
import { Tensor } from './tensor.js';

/**
 * What `forward` makes of images as the bytes of a TorchScript file, which PyTorch reads: the operators that it calls for
 * `example` are recorded, with libtorch's own in place of Satin's. What it decides in JavaScript is decided once and for all,
 * so it reads no number out of a tensor. No gradient is recorded: PyTorch derives its own.
 *
 * @throws {EngineError} where an operator has no counterpart in PyTorch.
 */
export function traceScript(options: {
  /** All that `forward` uses, by the names of a state dict; others would be constants of the program. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly buffers: ReadonlyMap<string, Tensor>;
  readonly example: Tensor;
  readonly forward: (images: Tensor) => Tensor;
}): Uint8Array {
  const { parameters, buffers, example, forward } = options;
  const entries = [...parameters, ...buffers];
  return scope(() =>
    noGrad(() =>
      native().traceScript(
        entries.map(([name]) => name),
        entries.map(([, tensor]) => tensor.handle),
        entries.map((_, place) => (place < parameters.size ? 1 : 0)),
        example.handle,
        (images) => forward(new Tensor(images)).handle,
      ),
    ),
  );
}
