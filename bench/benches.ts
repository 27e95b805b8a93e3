import { activationCost } from './activation-cost.js';
import { activations } from './activations.js';
import { attackArithmetic } from './attack-arithmetic.js';
import { attackPass } from './attack-pass.js';
import { autoattack, pgd } from './attacks.js';
import { call } from './call.js';
import { imageCache } from './image-cache.js';
import { imagenetPipeline } from './imagenet-pipeline.js';
import { ranks } from './ranks.js';
import type { BenchOptions, BenchRow } from './row.js';
import { trainStep } from './train-step.js';

/** All benchmarks by their names for `satin bench`. */
export const benches = {
  'train-step': trainStep,
  'attack-pass': attackPass,
  'attack-arithmetic': attackArithmetic,
  activations,
  'activation-cost': activationCost,
  call,
  autoattack,
  pgd,
  ranks,
  'imagenet-pipeline': imagenetPipeline,
  'image-cache': imageCache,
} as const satisfies Record<string, (options: BenchOptions) => Promise<BenchRow[]>>;
