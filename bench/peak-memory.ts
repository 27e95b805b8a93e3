import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { medianInterval } from './pairs.js';
import { Rival, type RivalSettings } from './rival.js';
import type { BenchRow } from './row.js';

const runs = 3;
/** Steps of each run: the first two reach the peak. */
export const memorySteps = 5;

/**
 * How much resident memory training takes at its peak, above what the process had before the network was made, when the
 * engine was loaded. Each run is a fresh process on either side, and both read the kernel's figures (VmHWM less VmRSS).
 * null where the system does not tell.
 */
export async function peakMemory(options: {
  readonly python: string;
  readonly width: number;
  readonly activation: string;
  readonly peer: RivalSettings | null;
}): Promise<Omit<BenchRow, 'name' | 'peerName'> | null> {
  const { python, width, activation, peer } = options;
  if (!existsSync('/proc/self/status')) return null;
  const worker = fileURLToPath(new URL('./peak-memory-worker.js', import.meta.url));
  const own: number[] = [];
  const theirs: number[] = [];
  for (let run = 0; run < runs; run++) {
    const answer = execFileSync(process.execPath, [worker, String(width), activation], { encoding: 'utf8' });
    own.push(Number(answer));
    if (peer !== null) theirs.push(await peakOfRival(python, peer));
  }
  const ratio = peer === null ? null : medianInterval(own.map((each, run) => each / theirs[run]!));
  return {
    unit: 'MB',
    satin: medianInterval(own).median,
    peer: peer === null ? null : medianInterval(theirs).median,
    ratio: ratio?.median ?? null,
    interval: ratio?.interval ?? null,
    runs,
  };
}

async function peakOfRival(python: string, settings: RivalSettings): Promise<number> {
  using rival = new Rival(python, 'train_step.py');
  await rival.setUp(settings);
  await rival.run(memorySteps);
  return await rival.peakMemory(); // awaited, since the end of this function ends the process
}
