/** What a model is shown while something runs. */
import { mock } from 'node:test';
import type { Model } from '../../src/models/model.js';
import type { Pass } from '../../src/nn/module.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';

interface Seen {
  readonly pass: Pass;
  readonly pixels: Float64Array;
}

/** Every pass through a model while `body` runs, in order. */
export function passesOf(model: Model, body: () => void): Seen[] {
  const seen: Seen[] = [];
  const forward = model.forward.bind(model);
  const spy = mock.method(model, 'forward', (x: Tensor, pass: Pass) => {
    seen.push({ pass, pixels: x.numbers() });
    return forward(x, pass);
  });
  try {
    scope(body);
  } finally {
    spy.mock.restore();
  }
  return seen;
}
export const learnsFrom = ({ pass }: Seen) => pass.train && pass.keepStatistics !== true;
