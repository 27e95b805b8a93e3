import type { Threat } from '../attacks/attack.js';
import { stackImages } from '../data/image-stack.js';
import { RunError } from '../errors.js';
import { integers } from '../tensor/create.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AdversarialRow } from './attack-batch.js';

/**
 * Verifies that every adversarial image lies in the ball (distance computed in float64) and in the box. A violation is
 * an error; images are never projected back.
 *
 * @throws {RunError} naming the attack.
 */
export function requireInBall(
  x: Tensor,
  broken: readonly AdversarialRow[],
  options: { readonly attack: string; readonly threat: Threat },
): void {
  if (broken.length === 0) return;
  const { norm, epsilon } = options.threat;
  scope(() => {
    const rows = integers(
      broken.map(({ row }) => row),
      x.device,
    );
    const originals = x.indexSelect(0, rows).toDevice('cpu');
    const images = stackImages(
      broken.map(({ image }) => image),
      originals.shape.slice(1),
    );
    const distance = Math.max(...norm.distance(images, originals));
    if (!(distance <= norm.allowed(epsilon)))
      throw new RunError(
        'attack-left-its-ball',
        `${options.attack} returned an image at distance ${distance} in ${norm.name}, more than ε = ${epsilon}.`,
      );
    const [lowest, highest] = [images.min().item(), images.max().item()];
    if (!(lowest >= 0 && highest <= 1))
      throw new RunError(
        'attack-left-the-box',
        `${options.attack} returned an image with pixels from ${lowest} to ${highest}, outside [0, 1].`,
      );
  });
}
