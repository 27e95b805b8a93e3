import { native } from '../engine/native.js';
import { EngineError, InputError } from '../errors.js';
import { requireArgument } from '../user-input/require-argument.js';
import { handlesOf, Tensor } from './tensor.js';

export interface GradientOptions {
  /** Gradients with respect to the outputs; ones by default for scalar outputs. */
  readonly outputGradients?: readonly Tensor[];
  /** Keep the graph for another backward pass. */
  readonly retainGraph?: boolean;
  /** Build the graph of the gradient, for second derivatives. */
  readonly createGraph?: boolean;
}

/**
 * d outputs / d inputs, one tensor per input, as torch.autograd.grad: only these gradients are computed, so an attack
 * on the input does not pay for weight gradients.
 *
 * @throws {EngineError} if the outputs do not depend on an input, or it was not marked with `requireGrad_`.
 */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradientOptions = {},
): Tensor[] {
  requireArgument(options, 'options', 'gradients');
  calls++;
  const result = native().gradients(
    handlesOf(outputs, 'the outputs'),
    handlesOf(inputs, 'the inputs'),
    options.outputGradients === undefined ? null : handlesOf(options.outputGradients, 'outputGradients'),
    options.retainGraph ?? options.createGraph ?? false,
    options.createGraph ?? false,
    false,
  );
  return result.map((handle) => {
    if (handle === null) throw new EngineError('internal: a gradient is missing.');
    return new Tensor(handle);
  });
}

let calls = 0;

/** Number of calls to `gradients`, to detect a forward pass that computes gradients. */
export function gradientCalls(): number {
  return calls;
}

/** d output / d input of a scalar with respect to one tensor. */
export function gradient(output: Tensor, input: Tensor, options: GradientOptions = {}): Tensor {
  return gradients([output], [input], options)[0]!;
}

/** Runs `body` without recording the graph, as torch.no_grad. */
export function noGrad<T>(body: () => T): T {
  return withGradMode(false, body);
}

/** Runs `body` with the graph recorded, also inside `noGrad`, as torch.enable_grad. */
export function withGrad<T>(body: () => T): T {
  return withGradMode(true, body);
}

function withGradMode<T>(enabled: boolean, body: () => T): T {
  requireArgument(body, 'function', enabled ? 'withGrad' : 'noGrad');
  const before = native().setGradEnabled(enabled);
  try {
    const result = body();
    if (result instanceof Promise)
      throw new InputError(
        'asynchronous-grad-mode',
        'Expected a synchronous function for noGrad or withGrad but received an asynchronous one.',
      );
    return result;
  } finally {
    native().setGradEnabled(before);
  }
}
