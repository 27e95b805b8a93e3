import { native } from '../engine/native.js';
import { EngineError, InputError } from '../errors.js';
import { Tensor } from './tensor.js';

export interface GradientOptions {
  /** Upstream gradients of the outputs; ones for scalar outputs by default. */
  readonly outputGradients?: readonly Tensor[];
  /** Keeps the graph for another call. */
  readonly retainGraph?: boolean;
  /** Records the gradient's own history, for second derivatives. */
  readonly createGraph?: boolean;
}

/**
 * d outputs / d inputs, one tensor for each input, and nothing else is computed: an attack that asks for the image's
 * gradient pays for no weight's.
 *
 * @throws {EngineError} where an input does not lead to the outputs or was not marked with `requireGrad_`.
 */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradientOptions = {},
): Tensor[] {
  calls++;
  const result = native().gradients(
    outputs.map((output) => output.handle),
    inputs.map((input) => input.handle),
    options.outputGradients?.map((each) => each.handle) ?? null,
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

/** How often gradients have been asked for, by which a forward pass that asks for some gives itself away. */
export function gradientCalls(): number {
  return calls;
}

/** d output / d input of one number with respect to one tensor. */
export function gradient(output: Tensor, input: Tensor, options: GradientOptions = {}): Tensor {
  return gradients([output], [input], options)[0]!;
}

/** Runs `body` without recording history: no memory is held for gradients. */
export function noGrad<T>(body: () => T): T {
  return withGradMode(false, body);
}

/** Runs `body` with history recorded, inside a `noGrad` too. */
export function withGrad<T>(body: () => T): T {
  return withGradMode(true, body);
}

function withGradMode<T>(enabled: boolean, body: () => T): T {
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
