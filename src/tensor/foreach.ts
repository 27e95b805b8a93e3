/**
 * Element-wise operators on lists of tensors, as torch._foreach_*: on a card one launch serves many tensors, on the CPU each
 * is computed as by the method of `Tensor`, to the bit.
 */
import { handles, inPlace, operator } from './operator.js';
import { Tensor } from './tensor.js';

/** tensorsᵢ + othersᵢ · scale, in place. */
export function foreachAdd_(tensors: readonly Tensor[], others: readonly Tensor[], scale = 1): void {
  if (tensors.length > 0) addList(handlesOf(tensors), handlesOf(others), scale);
}

/** tensorsᵢ + number, in place. */
export function foreachAddNumber_(tensors: readonly Tensor[], number: number): void {
  if (tensors.length > 0) addScalar(handlesOf(tensors), number);
}

/** tensorsᵢ · otherᵢ, or all times one number, in place. */
export function foreachMul_(tensors: readonly Tensor[], other: readonly Tensor[] | number): void {
  if (tensors.length === 0) return;
  if (typeof other === 'number') mulScalar(handlesOf(tensors), other);
  else mulList(handlesOf(tensors), handlesOf(other));
}

/** tensorsᵢ / othersᵢ */
export function foreachDiv(tensors: readonly Tensor[], others: readonly Tensor[]): Tensor[] {
  return tensors.length === 0 ? [] : tensorsOf(divList(handlesOf(tensors), handlesOf(others)));
}

/** √tensorsᵢ */
export function foreachSqrt(tensors: readonly Tensor[]): Tensor[] {
  return tensors.length === 0 ? [] : tensorsOf(sqrt(handlesOf(tensors)));
}

/** The L2 norm of all elements of each tensor, scalars. */
export function foreachNorm(tensors: readonly Tensor[]): Tensor[] {
  return tensors.length === 0 ? [] : tensorsOf(norm(handlesOf(tensors), 2));
}

function handlesOf(tensors: readonly Tensor[]) {
  return tensors.map(({ handle }) => handle);
}

function tensorsOf(result: ReturnType<ReturnType<typeof operator>>): Tensor[] {
  return handles(result).map((handle) => new Tensor(handle!));
}

const addList = inPlace('aten::_foreach_add_', 'List');
const addScalar = inPlace('aten::_foreach_add_', 'Scalar');
const mulList = inPlace('aten::_foreach_mul_', 'List');
const mulScalar = inPlace('aten::_foreach_mul_', 'Scalar');
const divList = operator('aten::_foreach_div', 'List');
const sqrt = operator('aten::_foreach_sqrt');
const norm = operator('aten::_foreach_norm', 'Scalar');
