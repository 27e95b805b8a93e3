import { range, where } from '../tensor/create.js';
import { pad } from '../tensor/functional.js';
import { noise } from '../tensor/noise.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

export interface Augmentation {
  /** Flips each image horizontally with probability 0.5. */
  readonly flip: boolean;
  /** Pads by this many black pixels on each side and crops randomly to the original size; 0 is off. */
  readonly crop: number;
}

/**
 * Flips and crops a batch, [N, C, H, W] of any dtype, in one gather on its device. The augmentation of an example depends on the seed, the
 * epoch and its id, not on its batch.
 */
export function augment(
  images: Tensor,
  options: Augmentation & { readonly seed: number; readonly epoch: number; readonly ids: ArrayLike<number> },
): Tensor {
  const { flip, crop, seed, epoch, ids } = options;
  if (!flip && crop === 0) return images;
  return scope(() => {
    const [count, channels, height, width] = images.shape as [number, number, number, number];
    const { device } = images;
    const draws = noise('uniform', {
      key: { seed, stream: 'augmentation', epoch },
      ids,
      shape: [3],
      dtype: 'float64',
      device,
    }); // [N, 3]
    const draw = (column: number) => draws.narrow(1, column, 1); // [N, 1]
    const offset = (column: number) =>
      draw(column)
        .mul(2 * crop + 1)
        .to('int64'); // [N, 1], 0 to 2·crop
    const columns = range(width, device).unsqueeze(0).expand([count, width]); // [N, W]
    const mirrored = flip ? where(draw(0).less(0.5), columns.neg().add(width - 1), columns) : columns;
    const rows = range(height, device).unsqueeze(0); // [1, H]
    const places = rows
      .add(offset(1))
      .mul(width + 2 * crop)
      .unsqueeze(2)
      .add(mirrored.add(offset(2)).unsqueeze(1)); // [N, H, W], places in a flat padded image
    const padded = crop === 0 ? images : pad(images, [crop, crop, crop, crop]);
    const indices = places.reshape([count, 1, height * width]).expand([count, channels, height * width]);
    return padded.flatten(2).gather(2, indices).reshape(images.shape);
  });
}
