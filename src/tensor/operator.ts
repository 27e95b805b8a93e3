import type { Handle, OperatorArgument, OperatorResult } from '../engine/addon.js';
import { native } from '../engine/native.js';
import { EngineError } from '../errors.js';

/** Told of every call of an operator, after it returned; `overload` is empty for most. */
export type OperatorObserver = (
  name: string,
  overload: string,
  values: readonly OperatorArgument[],
  result: OperatorResult,
) => void;

let observer: OperatorObserver | null = null;

/** Runs `body` and reports every call of an operator in it, but for those in place; the results are still alive then. */
export function observeOperators<T>(observe: OperatorObserver, body: () => T): T {
  const outer = observer;
  observer = observe;
  try {
    return body();
  } finally {
    observer = outer;
  }
}

/**
 * A libtorch operator by its schema name, `operator('aten::add', 'Tensor')`; looked up at the first call. The returned
 * function takes the arguments in schema order; `undefined` and omitted arguments use the schema's default.
 */
export function operator(name: string, overload = ''): (...values: OperatorArgument[]) => OperatorResult {
  let id = -1;
  return (...values) => {
    if (id < 0) id = native().findOperator(name, overload);
    const result = native().call(id, ...values);
    observer?.(name, overload, values, result);
    return result;
  };
}

/** An in-place operator on its first argument; the result gets no new handle. */
export function inPlace(name: string, overload = ''): (...values: OperatorArgument[]) => void {
  let id = -1;
  return (...values) => {
    if (id < 0) id = native().findOperator(name, overload);
    native().callInPlace(id, ...values);
  };
}

/** The result of an operator with a single output. */
export function oneHandle(result: OperatorResult): Handle {
  if (typeof result !== 'number')
    throw new EngineError('internal: an operator that returns one tensor returned none.');
  return result;
}

/** The result of an operator with several outputs; null where one is undefined. */
export function handles(result: OperatorResult): (Handle | null)[] {
  if (!Array.isArray(result))
    throw new EngineError('internal: an operator that returns several tensors returned one.');
  return result as (Handle | null)[];
}
