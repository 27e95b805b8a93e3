import type { Handle, OperatorArgument, OperatorResult } from '../engine/addon.js';
import { native } from '../engine/native.js';
import { EngineError } from '../errors.js';

/**
 * One operator of libtorch by its schema name, `operator('aten::add', 'Tensor')`; it is looked up by the first call.
 * What it returns takes the schema's arguments in order; `undefined` and what is left out take the schema's default.
 */
export function operator(name: string, overload = ''): (...values: OperatorArgument[]) => OperatorResult {
  let id = -1;
  return (...values) => {
    if (id < 0) id = native().findOperator(name, overload);
    return native().call(id, ...values);
  };
}

/** An operator that changes its first argument: its result is that tensor again and gets no handle of its own. */
export function inPlace(name: string, overload = ''): (...values: OperatorArgument[]) => void {
  let id = -1;
  return (...values) => {
    if (id < 0) id = native().findOperator(name, overload);
    native().callInPlace(id, ...values);
  };
}

/** The result of an operator that returns one tensor. */
export function oneHandle(result: OperatorResult): Handle {
  if (typeof result !== 'number')
    throw new EngineError('internal: an operator that returns one tensor returned none.');
  return result;
}

/** The result of an operator that returns several tensors; null where one is undefined. */
export function handles(result: OperatorResult): (Handle | null)[] {
  if (!Array.isArray(result))
    throw new EngineError('internal: an operator that returns several tensors returned one.');
  return result as (Handle | null)[];
}
