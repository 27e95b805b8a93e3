import { tensor } from '../../tensor/create.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type ColourChange,
  type ColourOptions,
  type ColourStep,
  colourChange,
  isOff,
} from './colour-draws.js';

/** OpenCV's weights of red, green and blue in the grey of bytes, with 15 fractional bits. */
const grey = [9798, 19235, 3735] as const;
const one = 2 ** 15;

/**
 * Colours as tensorpack 0.11 changes those of bytes (imgaug/imgproc.py: BrightnessScale, Contrast, Saturation, Lighting in
 * RandomOrderAug), which the paper's released code uses (ResNet/third_party/imagenet_utils.py): contrast is about the mean
 * of each channel, and each of the four steps is clipped to [0, 255] and cut to whole numbers, whatever its `clip` says.
 * Computed in float32, also where tensorpack adds the mean in float64: a byte may differ by 1 after contrast.
 *
 * @param bytes whole numbers from 0 to 255 of any dtype, [N, 3, H, W]
 * @param draws `colourDraws` uniform numbers for each image
 * @returns whole numbers from 0 to 255, float32
 */
export function tensorpackColours(
  bytes: Tensor,
  options: ColourOptions,
  draws: readonly ArrayLike<number>[],
): Tensor {
  if (isOff(options)) return bytes.to('float32');
  return scope(() => {
    const changes = draws.map((draw) => colourChange(options, draw));
    const numbers = changes.flatMap((change) => change.order.flatMap((step) => coefficientsOf(change, step)));
    const shape = [changes.length, places, 6];
    const coefficients = tensor(Float32Array.from(numbers), shape, bytes.device);
    let x = bytes.to('float32');
    for (let place = 0; place < places; place++)
      x = changed(x, coefficients.narrow(1, place, 1).reshape([changes.length, 6, 1, 1]));
    return x;
  });
}

/** Steps of an image, each at one place of its order. */
const places = 4;

/**
 * One step as x a + mean b + grey c + (d, e, f): the numbers a to f. The factor is rounded first, as tensorpack's are: of a
 * grey pixel its sum with 1 - factor decides whether the byte stays or becomes one less.
 */
function coefficientsOf({ factors, light }: ColourChange, step: ColourStep): readonly number[] {
  if (step === 'lighting') return [1, 0, 0, ...light.map((shift) => 255 * shift)];
  const kept = Math.fround(factors[step]);
  return [kept, step === 'contrast' ? 1 - kept : 0, step === 'saturation' ? 1 - kept : 0, 0, 0, 0];
}

/** One step of each image of [N, 3, H, W], by its coefficients [N, 6, 1, 1]. */
function changed(x: Tensor, coefficients: Tensor): Tensor {
  return scope(() => {
    const [kept, ofMean, ofGrey] = [0, 1, 2].map((at) => coefficients.narrow(1, at, 1)) as [
      Tensor,
      Tensor,
      Tensor,
    ]; // [N, 1, 1, 1] each
    const weights = tensor(Float32Array.from(grey), [1, 3, 1, 1], x.device);
    // Whole numbers below 2^24: exact in float32.
    const greys = wholeOf(
      x
        .mul(weights)
        .sum([1], true)
        .add(one / 2)
        .div(one),
    ); // [N, 1, H, W]
    const moved = x
      .mul(kept)
      .add(x.mean([2, 3], true).mul(ofMean))
      .add(greys.mul(ofGrey))
      .add(coefficients.narrow(1, 3, 3));
    return wholeOf(moved.clamp(0, 255));
  });
}

/** Whole numbers, cut as C casts a float to a byte; from [0, 256). */
function wholeOf(x: Tensor): Tensor {
  return x.to('uint8').to('float32');
}
