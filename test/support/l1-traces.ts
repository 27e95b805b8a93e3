/** What the reference implementation of AutoAttack did in L1, step by step, in float64: scripts/golden/autoattack_l1.py. */
import type { AttackLossName } from '../../src/attacks/losses.js';
import { type GoldenTensor, readGolden } from './golden.js';

/** Of a checkpoint, each with a number per example. */
export interface L1Checkpoint {
  readonly step: number;
  readonly stepSize: readonly number[];
  readonly share: readonly number[];
  readonly bestLoss: readonly number[];
  readonly restarted: readonly boolean[];
}

export interface L1Run {
  readonly loss: AttackLossName;
  readonly rank: number;
  readonly steps: number;
  readonly epsilon: number;
  readonly shrinking: boolean;
  readonly phases: readonly {
    /** Of each step; null in long runs. */
    readonly iterates: readonly GoldenTensor[] | null;
    readonly losses: readonly (readonly number[])[];
    readonly checkpoints: readonly L1Checkpoint[];
  }[];
  readonly best: GoldenTensor;
  readonly broken: readonly boolean[];
  /** Examples that do not hang on rounding. */
  readonly firm: readonly boolean[];
}

/** A draw of one tile or one window. */
interface Bump {
  readonly signs: GoldenTensor;
  readonly flipped: boolean;
}

export const l1Golden = readGolden<{
  /** What the random starts add to the images of autoattack.json. */
  readonly noise: GoldenTensor;
  readonly projections: readonly {
    readonly epsilon: number;
    readonly x: GoldenTensor;
    readonly step: GoldenTensor;
    readonly change: GoldenTensor;
  }[];
  readonly apgd: readonly L1Run[];
  readonly planes: readonly { readonly step: GoldenTensor }[];
  readonly fab: readonly {
    readonly norm: 'l1';
    readonly rank: number;
    readonly steps: number;
    readonly nearest: readonly (readonly (number | null)[])[];
  }[];
  readonly squareSchedules: readonly {
    readonly height: number;
    readonly width: number;
    readonly sides: readonly number[];
  }[];
  readonly squareBumps: readonly { readonly side: number; readonly bump: GoldenTensor }[];
  readonly squareMoves: readonly {
    readonly epsilon: number;
    readonly side: number;
    readonly x: GoldenTensor;
    readonly tiles: readonly Bump[];
    readonly start: GoldenTensor;
    readonly queries: readonly (Bump & {
      readonly places: readonly number[];
      readonly image: GoldenTensor;
    })[];
  }[];
}>('autoattack-l1');
