import type { ProcessGroup } from '../../src/distributed/process-group.js';
import { ones, tensor, zeros } from '../../src/tensor/create.js';
import { normActivate } from '../../src/tensor/functional.js';
import { gradient } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';

/** What ranks find that add up numbers and share batch statistics. */
export interface Sums {
  /** Of 1, 2, … numbers each, as `termOf` has them. */
  readonly sums: readonly (readonly number[])[];
  /** How many of four million numbers have a wrong sum: more than the buffers of a connection hold. */
  readonly wrong: number;
  /** A fused batch norm of this rank's part of the images: outputs, gradients of the images, then running statistics. */
  readonly norm: readonly (readonly number[])[];
  /** Means of a float32 and of a float64 tensor whose elements are `termOf` of this rank. */
  readonly means: readonly (readonly number[])[];
}

export const lengths = [1, 2, 3, 5, 64, 4096, 4097];

/** The number that a rank adds at a place: sums of them round, each order in its own way. */
export const termOf = (rank: number, place: number) => ((rank + 1) / 3) * (place + 1.1);

/** By rank `rank` of `size` ranks. */
export function sumsOf({
  rank,
  size,
  sum,
  average,
}: Pick<ProcessGroup, 'rank' | 'size'> & {
  sum: ProcessGroup['allReduce'];
  average: ProcessGroup['allReduceMean_'];
}): Sums {
  const sums = lengths.map((length) => sum(Array.from({ length }, (_, place) => termOf(rank, place))));
  // By two ranks alone, since it takes seconds.
  const many = size > 2 ? [] : sum(new Array<number>(4_000_000).fill(rank + 1));
  const wrong = many.filter((each) => each !== (size * (size + 1)) / 2).length;
  const norm = scope(() => {
    const share = images / size;
    const ids = Array.from({ length: share }, (_, at) => rank * share + at);
    // Far from zero: squares about it must not cancel.
    const key = { seed: 1, stream: 'attack' } as const;
    const drawn = (step: number) => noise('normal', { key: { ...key, step }, ids, shape: [channels, 5, 3] });
    const x = drawn(0).mul(0.5).add(300).contiguous('channels-last').requireGrad_();
    const [runningMean, runningVariance] = [zeros([channels]), ones([channels])];
    const y = normActivate(x, {
      weight: ones([channels]),
      bias: zeros([channels]),
      runningMean,
      runningVariance,
      train: true,
      momentum: 0.1,
      epsilon: 1e-5,
      synchronised: true,
      curve: { kind: 'silu' },
    });
    const dx = gradient(y.mul(drawn(1)).sum(), x);
    return [y, dx, runningMean, runningVariance].map((each) => [...each.detach().numbers()]);
  });
  const means = scope(() => {
    const terms = Float64Array.from({ length: 12 }, (_, place) => termOf(rank, place));
    const own = tensor(terms, [2, 3, 2]);
    const averaged = [own.to('float32').permute([0, 2, 1]), own];
    average(averaged);
    return averaged.map((each) => [...each.numbers()]);
  });
  return { sums, wrong, norm, means };
}

const images = 12;
const channels = 4;
