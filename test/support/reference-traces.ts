/** What the reference implementation of AutoAttack did, step by step, in float64: scripts/golden/autoattack.py. */
import assert from 'node:assert/strict';
import type { AttackLossName } from '../../src/attacks/losses.js';
import type { NormName } from '../../src/attacks/norms.js';
import type { SquareWindow } from '../../src/attacks/square/window.js';
import { integers } from '../../src/tensor/create.js';
import type { Dtype } from '../../src/tensor/tensor.js';
import { type GoldenTensor, readGolden } from './golden.js';
import { attackedNetwork } from './golden-networks.js';

export interface Checkpoint {
  readonly step: number;
  readonly stepSize: readonly number[];
  readonly bestLoss: readonly number[];
  readonly restarted: readonly boolean[];
}

export const golden = readGolden<{
  weights: Readonly<Record<string, GoldenTensor>>;
  images: GoldenTensor;
  labels: readonly number[];
  directions: Readonly<Record<NormName, GoldenTensor>>;
  planes: { readonly x: GoldenTensor; readonly w: GoldenTensor; readonly excess: GoldenTensor };
  apgd: readonly {
    readonly norm: NormName;
    readonly epsilon: number;
    readonly loss: AttackLossName;
    readonly rank: number;
    readonly steps: number;
    readonly checkpoints: readonly Checkpoint[];
    readonly broken: readonly boolean[];
    /** Examples whose checkpoints do not hang on rounding. */
    readonly firm: readonly boolean[];
  }[];
  projections: readonly { readonly norm: NormName; readonly step: GoldenTensor }[];
  fab: readonly {
    readonly norm: NormName;
    readonly rank: number;
    readonly steps: number;
    readonly nearest: readonly (readonly (number | null)[])[];
  }[];
  squareSchedules: readonly {
    readonly norm: NormName;
    readonly height: number;
    readonly width: number;
    readonly sides: readonly (readonly [side: number, count: number])[];
  }[];
  squareBumps: readonly { readonly side: number; readonly bump: GoldenTensor }[];
  squareMoves: readonly {
    readonly norm: NormName;
    readonly epsilon: number;
    readonly side: number;
    readonly x: GoldenTensor;
    readonly start: GoldenTensor;
    readonly queries: readonly {
      readonly places: readonly number[];
      readonly signs: GoldenTensor;
      readonly flipped: boolean | null;
      readonly image: GoldenTensor;
    }[];
  }[];
}>('autoattack');

export const network = (dtype: Dtype) => attackedNetwork(golden.weights, dtype);

/** What Square did in a norm; there is one such run of each. */
export function squareMove(norm: NormName) {
  const found = golden.squareMoves.filter((move) => move.norm === norm);
  assert.equal(found.length, 1);
  return found[0]!;
}

/** The same window in both of two images. */
export function windowAt(side: number, top: number, left: number): SquareWindow {
  const place = (at: number) => integers([at, at]).reshape([2, 1, 1, 1]);
  return { side, top: place(top), left: place(left) };
}
