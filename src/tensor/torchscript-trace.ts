import { native } from '../engine/native.js';
import { noGrad } from './gradient.js';
import { scope } from './scope.js';
import { Tensor } from './tensor.js';

/**
 * Traces `forward` on `example` and returns the bytes of a TorchScript file, with libtorch's operators in place of
 * Satin's. As with torch.jit.trace, decisions made in JavaScript are recorded as constants, so `forward` must not read
 * values of tensors. No gradients are recorded: PyTorch differentiates the traced program itself.
 *
 * @throws {EngineError} if an operator has no counterpart in PyTorch.
 */
export function traceScript(options: {
  /** All tensors used by `forward`, by state dict name; any other tensor becomes a constant. */
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
        entries.map((_, index) => (index < parameters.size ? 1 : 0)),
        example.handle,
        (images) => forward(new Tensor(images)).handle,
      ),
    ),
  );
}
