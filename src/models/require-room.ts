import { memoryInfo } from '../engine/engine-info.js';
import { InputError } from '../errors.js';
import type { NetworkDescription } from './network.js';
import { stateShapes } from './state-shapes.js';

/**
 * Requires that the weights of a network fit in the memory that is left, before any of them is made.
 *
 * @throws {InputError} with both sizes.
 */
export function requireRoomForWeights(description: NetworkDescription, bytesEach: number): void {
  let numbers = 0;
  for (const shape of stateShapes(description).values())
    numbers += shape.reduce((product, size) => product * size, 1);
  const { leftBytes: left } = memoryInfo();
  if (numbers * bytesEach <= left) return;
  const { architecture, width, classes } = description;
  const what = `${architecture} of width ${width} for ${classes.length} classes`;
  throw InputError.expected(
    `weights that fit in the ${mebibytes(left)} of memory that are left`,
    'the network',
    `${what}, with ${mebibytes(numbers * bytesEach)}`,
    'Lower its width.',
  );
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}
