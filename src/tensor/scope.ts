import { InputError } from '../errors.js';

/** What a scope frees: anything with `dispose`, that can say whether it outlives the scope. */
export interface Scoped {
  dispose(): void;
  /** Called instead of `dispose` where it leaves the outermost scope, or is kept: from here the net below holds it. */
  escape(): void;
}

interface Running {
  readonly tensors: Set<Scoped>;
  readonly outer: Running | null;
}

let current: Running | null = null;

/** Puts a new tensor under the scope that is running; answers false where none is. */
export function adopt(tensor: Scoped): boolean {
  if (current === null) return false;
  current.tensors.add(tensor);
  return true;
}

/** Takes a tensor out of every scope: it lives until it is disposed of. */
export function keep<T extends Scoped>(tensor: T): T {
  for (let running = current; running !== null; running = running.outer) {
    if (!running.tensors.delete(tensor)) continue;
    tensor.escape();
    break;
  }
  return tensor;
}

/**
 * Runs `body` and frees every tensor that was made inside, except those in what it returns (a tensor, or arrays,
 * maps and plain objects of them), which pass to the scope outside. On an error all are freed.
 *
 * @throws {InputError} where `body` is asynchronous: tensors made after the first `await` would belong to nobody.
 */
export function scope<T>(body: () => T): T {
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

/** Moves what `value` holds from the scope that ends to the one outside; `seen` ends the walk through a ring. */
function release(value: unknown, inner: Set<Scoped>, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null) return;
  if (inner.delete(value as Scoped)) {
    if (!adopt(value as Scoped)) (value as Scoped).escape();
    return;
  }
  const list = Array.isArray(value) || value instanceof Map;
  if ((!list && Object.getPrototypeOf(value) !== Object.prototype) || seen.has(value)) return;
  seen.add(value);
  for (const element of list ? value.values() : Object.values(value)) release(element, inner, seen);
}
