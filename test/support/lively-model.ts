import type { ModelDescription } from '../../src/models/description.js';
import { Model } from '../../src/models/model.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';

/** A network with statistics and coefficients of its own, so that each of its numbers counts. */
export function lively(description: ModelDescription): Model {
  const model = Model.create(description, { seed: 2 });
  let id = 0;
  scope(() =>
    noGrad(() => {
      for (const [name, tensor] of model.network.state()) {
        if (tensor.dtype !== 'float32' || tensor.shape.length > 1) continue;
        const key = { seed: 4, stream: 'bench' } as const;
        const draw = noise('uniform', { key, ids: [id++], shape: [tensor.size] }).reshape(tensor.shape);
        const isCoefficient = !/\.(weight|bias|running_mean|running_var)$/.test(name);
        const base = isCoefficient
          ? tensor.mul(draw.add(0.5))
          : draw.add(/bias|running_mean/.test(name) ? -0.5 : 0.5);
        tensor.copy_(base);
      }
    }),
  );
  return model;
}
