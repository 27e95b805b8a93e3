/** What torchvision and Pillow make of images: scripts/golden/imagenet.py. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Filter } from '../../src/tensor/resample.js';

type Pair = readonly [number, number];
interface Golden {
  readonly crops: readonly {
    readonly size: Pair;
    readonly scale: Pair;
    readonly ratio: Pair;
    readonly draws: readonly number[];
    readonly box: readonly number[];
  }[];
  readonly resized: readonly {
    readonly size: Pair;
    readonly full: Pair;
    readonly window: readonly [number, number, number, number];
    readonly filter: Filter;
    readonly pixels: readonly number[];
    readonly bytes: readonly number[];
  }[];
  readonly centred: readonly {
    readonly size: Pair;
    readonly resize: number;
    readonly crop: number;
    readonly full: Pair;
    readonly window: readonly number[];
  }[];
  readonly colours: {
    readonly pixels: readonly number[];
    readonly cases: readonly { readonly draws: readonly number[]; readonly pixels: readonly number[] }[];
  };
}

const file = new URL('../../../test/golden/imagenet.json', import.meta.url);
export const golden = JSON.parse(readFileSync(fileURLToPath(file), 'utf8')) as Golden;
