import { cardTrainStep } from './card-train-step.js';
import { fastestVariant } from './fastest-variant.js';
import { peakMemory } from './peak-memory.js';
import { torchVersion } from './rival.js';
import type { BenchOptions, BenchRow } from './row.js';
import { speedRow, type Turn } from './speed-row.js';
import { batchSize, SatinStep } from './step.js';

/**
 * One PGD-1 adversarial training step of a ResNet-18 on 3x32x32, compared with the same step in PyTorch, in the fastest
 * of eager, channels-last and compiled variants. The two sides alternate within one run. Then the peak memory of each
 * side, measured in separate processes. On a graphics card: `cardTrainStep`.
 */
export async function trainStep(options: BenchOptions): Promise<BenchRow[]> {
  const { python, pairs, only, note, onProgress, device } = options;
  if (device !== 'cpu') return cardTrainStep(options);
  const version = torchVersion(python);
  if (version === null)
    note(`${python} has no torch; measuring Satin only. Choose another Python with --python.`);
  const rows: BenchRow[] = [];
  for (const width of [16, 64])
    for (const activation of ['relu', 'silu']) {
      const name = `train-step/width-${width}/${activation}`;
      if (!only(name)) continue;
      // About a second of steps per turn, so that short disturbances average out.
      const steps = width === 16 ? 4 : 1;
      const settings = { width, activation, batch: batchSize };
      using peer = version === null ? null : await fastestVariant({ python, version, settings, steps, note });
      using satin = new SatinStep(width, activation);
      satin.run(2);
      const turns: Turn[] = [];
      for (let pair = 0; pair < pairs; pair++) {
        onProgress({ label: name, done: pair, total: pairs });
        turns.push({ satin: satin.run(steps), peer: (await peer?.rival.run(steps)) ?? null });
      }
      rows.push(speedRow({ name, turns, images: batchSize * steps, peerName: peer?.name ?? null }));
      if (!only(`${name}/memory`)) continue;
      note(`${name}: memory`);
      const memory = await peakMemory({ python, width, activation, peer: peer?.settings ?? null });
      if (memory !== null) rows.push({ ...memory, name: `${name}/memory`, peerName: peer?.name ?? null });
    }
  return rows;
}
