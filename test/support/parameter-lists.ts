import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/** Shapes of several buckets on the CPU: weights and biases, small and large. */
const shapes = [[4, 3, 3, 3], [4], [700, 400], [400], [5, 6], [6], [513, 513], [1]];

function draw(epoch: number): Tensor[] {
  const key = { seed: 7, stream: 'bench', epoch } as const;
  return shapes.map((shape, id) => noise('normal', { key, ids: [id], shape }).reshape(shape));
}

/** New parameters by name, the same at every call. */
export function drawParameters(): Map<string, Tensor> {
  return new Map(scope(() => draw(0)).map((each, index) => [`p${index}`, each.requireGrad_()]));
}

/** New gradients for a step, from 1, the same at every call. */
export function drawGradients(step: number): Tensor[] {
  return scope(() => draw(step));
}

export const dataOf = (tensors: Iterable<Tensor>) => [...tensors].map((each) => each.data());
