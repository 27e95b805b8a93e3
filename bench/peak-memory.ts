import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { medianInterval } from './pairs.js';
import { Rival, type RivalSettings } from './rival.js';
import type { BenchRow } from './row.js';

const runs = 3;
/** Steps per run; the peak is reached within the first two. */
export const memorySteps = 5;

/**
 * Peak resident memory of training, above the value after loading the engine and before creating the network. Each run
 * is a new process on both sides, and both use the kernel's values (VmHWM minus VmRSS). null if the system does not
 * provide them.
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
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let run = 0; run < runs; run++) {
    const answer = execFileSync(process.execPath, [worker, String(width), activation], { encoding: 'utf8' });
    ours.push(Number(answer));
    if (peer !== null) theirs.push(await peakOfRival(python, peer));
  }
  const ratio = peer === null ? null : medianInterval(ours.map((each, run) => each / theirs[run]!));
  return {
    unit: 'MB',
    satin: medianInterval(ours).median,
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
  return await rival.peakMemory(); // awaited, since disposal at the end of this function kills the process
}
