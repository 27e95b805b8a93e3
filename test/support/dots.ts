import type { Dataset } from '../../src/data/dataset.js';

/** `count` grey images of one pixel, 128/255, all of class 0. */
export function dots(count: number): Dataset {
  return {
    name: 'dots',
    classes: ['a', 'b'],
    shape: [1, 1, 1],
    images: new Uint8Array(count).fill(128),
    labels: new Uint8Array(count),
    ids: Uint32Array.from({ length: count }, (_, id) => id),
    order: 'file',
    warnings: [],
  };
}
