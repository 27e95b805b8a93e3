import type { ModelDescription } from '../src/models/description.js';
import { layerSummary } from '../src/models/layer-summary.js';
import { ones } from '../src/tensor/create.js';
import { conv2d, linear } from '../src/tensor/functional.js';
import { gradient, noGrad } from '../src/tensor/gradient.js';
import { scope } from '../src/tensor/scope.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { medianInterval } from './pairs.js';

/** Time per image of the convolutions and linear layers alone. */
export interface LayersAlone {
  /** Seconds of a forward pass. */
  readonly forward: number;
  /** Additional seconds for the gradient of the image. */
  readonly backward: number;
}

/**
 * Times each convolution and linear layer of a network on `images` images: a lower bound for the passes of an attack
 * with these convolutions. Median of five runs after two warm-up runs.
 */
export function layersAlone(
  description: Pick<ModelDescription, 'architecture' | 'width' | 'activation' | 'shape' | 'classes'>,
  images: number,
): LayersAlone {
  const { layers, state } = layerSummary(description);
  let [forward, backward] = [0, 0];
  for (const { name, input, output } of layers) {
    const shape = state.get(`${name}.weight`)!;
    scope(() => {
      const weight = channelsLast(ones(shape));
      const x = channelsLast(ones([images, ...input])).requireGrad_();
      const apply = () => {
        if (shape.length === 2) return linear(x, weight);
        const stride = Math.round(input[1]! / output[1]!);
        return conv2d(x, weight, { stride, padding: (shape[2]! - 1) / 2 });
      };
      const once = seconds(() => noGrad(apply));
      const both = seconds(() => gradient(apply().sum(), x));
      forward += once / images;
      backward += (both - once) / images;
    });
  }
  return { forward, backward };
}

const channelsLast = (x: Tensor) => (x.shape.length === 4 ? x.contiguous('channels-last') : x);

/** Median of five runs after two warm-up runs. */
function seconds(run: () => Tensor): number {
  const taken = Array.from({ length: 7 }, () => {
    const began = performance.now();
    scope(() => {
      run();
    });
    return (performance.now() - began) / 1000;
  });
  return medianInterval(taken.slice(2)).median;
}
