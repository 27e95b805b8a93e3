import { medianInterval } from './pairs.js';
import type { BenchOptions, BenchRow } from './row.js';
import { batchSize, SatinStep } from './step.js';

const smooth = ['softplus(10)', 'softplus', 'smooth-relu', 'gelu', 'elu', 'silu', 'mish'];

/**
 * What a smooth activation costs in training: the step of a ResNet-18 of width 16 by PGD-1, with ReLU and with the activation in
 * alternating turns. The ratio is the speed with the activation over that with ReLU.
 */
export async function activationCost({ pairs, only, onProgress }: BenchOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const activation of smooth) {
    const name = `activation-cost/width-16/${activation}`;
    if (!only(name)) continue;
    using own = new SatinStep(16, activation);
    using relu = new SatinStep(16, 'relu');
    const steps = 3;
    own.run(2);
    relu.run(2);
    const turns: { readonly own: number; readonly relu: number }[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      onProgress({ label: name, done: pair, total: pairs });
      turns.push({ own: own.run(steps), relu: relu.run(steps) });
    }
    const speed = (seconds: readonly number[]) =>
      medianInterval(seconds.map((each) => (batchSize * steps) / each)).median;
    const ratio = medianInterval(turns.map((turn) => turn.relu / turn.own));
    rows.push({
      name,
      unit: 'img/s',
      satin: speed(turns.map((turn) => turn.own)),
      peer: speed(turns.map((turn) => turn.relu)),
      peerName: 'ReLU',
      ratio: ratio.median,
      interval: ratio.interval,
      runs: pairs,
    });
  }
  return rows;
}
