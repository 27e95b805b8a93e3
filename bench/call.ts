import { zeros } from '../src/tensor/create.js';
import type { BenchOptions, BenchRow } from './row.js';

/** Overhead of a call from JavaScript to the engine: a view of a tensor is created and freed. Minimum of the runs. */
export async function call({ pairs }: BenchOptions): Promise<BenchRow[]> {
  using tensor = zeros([1]);
  const calls = 20_000;
  const runs: number[] = [];
  for (let run = 0; run < pairs; run++) {
    const began = performance.now();
    for (let turn = 0; turn < calls; turn++) tensor.detach().dispose();
    runs.push(((performance.now() - began) * 1000) / calls);
  }
  return [
    {
      name: 'call',
      unit: 'µs',
      satin: Math.min(...runs),
      peer: null,
      peerName: null,
      ratio: null,
      interval: null,
      runs: pairs,
    },
  ];
}
