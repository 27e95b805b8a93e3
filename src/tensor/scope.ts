import { InputError } from '../errors.js';
import { requireArgument } from '../user-input/require-argument.js';

/** A resource managed by scopes. */
export interface Scoped {
  dispose(): void;
  /** Called instead of `dispose` when it leaves the outermost scope or is kept; a finalizer then frees it. */
  escape(): void;
}

interface Running {
  readonly tensors: Set<Scoped>;
  readonly outer: Running | null;
}

let current: Running | null = null;

/** Registers a new tensor with the current scope; returns false if there is none. */
export function adopt(tensor: Scoped): boolean {
  if (current === null) return false;
  current.tensors.add(tensor);
  return true;
}

/** Removes a tensor from its scope: it lives until it is disposed of. */
export function keep<T extends Scoped>(tensor: T): T {
  for (let running = current; running !== null; running = running.outer) {
    if (!running.tensors.delete(tensor)) continue;
    tensor.escape();
    break;
  }
  return tensor;
}

/**
 * Runs `body` and frees every tensor created inside, except those in its return value (a tensor, or arrays, maps and
 * plain objects of tensors), which move to the enclosing scope. If `body` throws, all are freed.
 *
 * @throws {InputError} if `body` is asynchronous: tensors created after the first `await` would not be tracked.
 */
export function scope<T>(body: () => T): T {
  requireArgument(body, 'function', 'scope');
  const outer = current;
  const inner = new Set<Scoped>();
  current = { tensors: inner, outer };
  let result: T;
  try {
    result = body();
  } catch (error) {
    current = outer;
    for (const tensor of inner) tensor.dispose();
    throw error;
  }
  current = outer;
  if (result instanceof Promise) {
    for (const tensor of inner) tensor.dispose();
    throw new InputError(
      'asynchronous-scope',
      'Expected a synchronous function for scope but received an asynchronous one. Put the scope inside it.',
    );
  }
  release(result, inner, new Set());
  for (const tensor of inner) tensor.dispose();
  return result;
}

/** Moves the tensors in `value` from the ending scope to the enclosing one; `seen` handles cyclic references. */
function release(value: unknown, inner: Set<Scoped>, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null) return;
  if (inner.delete(value as Scoped)) {
    if (!adopt(value as Scoped)) (value as Scoped).escape();
    return;
  }
  const isContainer = Array.isArray(value) || value instanceof Map;
  if ((!isContainer && Object.getPrototypeOf(value) !== Object.prototype) || seen.has(value)) return;
  seen.add(value);
  for (const element of isContainer ? value.values() : Object.values(value)) release(element, inner, seen);
}
