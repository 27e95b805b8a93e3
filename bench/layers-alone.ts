import type { ModelDescription } from '../src/models/description.js';
import { layerSummary } from '../src/models/layer-summary.js';
import { ones } from '../src/tensor/create.js';
import { conv2d, linear } from '../src/tensor/functional.js';
import { gradient, noGrad } from '../src/tensor/gradient.js';
import { scope } from '../src/tensor/scope.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { medianInterval } from './pairs.js';

/** What one image takes in the convolutions and linear layers alone. */
export interface LayersAlone {
  /** Seconds of a pass forward. */
  readonly forward: number;
  /** Seconds of what the gradient of the image takes beyond that. */
  readonly backward: number;
}

/**
 * Times the layers of a network that multiply, each by itself on `images` images: the least that an attack's passes could
 * take with these convolutions. Each is run twice to warm up, then five times, and the median counts.
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
      const weight = laid(ones(shape));
      const x = laid(ones([images, ...input])).requireGrad_();
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

const laid = (x: Tensor) => (x.shape.length === 4 ? x.contiguous('channels-last') : x);

/** The median of five, after two that are not counted. */
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
