import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/** Images as they are kept one by one, float32, put together as [N, ...shape] on a device. */
export function stackImages(
  images: readonly Float32Array[],
  shape: readonly number[],
  device = 'cpu',
): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  const all = new Float32Array(images.length * length);
  for (const [index, image] of images.entries()) all.set(image, index * length);
  return tensor(all, [images.length, ...shape], device);
}

/** The images of x [N, ...], float32, one by one: copies that outlive x. */
export function unstackImages(x: Tensor): Float32Array[] {
  const count = x.dimension(0);
  const pixels = x.data() as Float32Array;
  const length = pixels.length / count;
  return Array.from({ length: count }, (_, index) => pixels.slice(index * length, (index + 1) * length));
}
