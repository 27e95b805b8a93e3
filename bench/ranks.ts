import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { availableBackends } from '../src/distributed/collectives.js';
import { engineInfo, setThreads } from '../src/engine/engine-info.js';
import { RunError } from '../src/errors.js';
import { medianInterval } from './pairs.js';
import type { BenchOptions, BenchRow } from './row.js';
import { batchSize, SatinStep } from './step.js';

const size = 2;

/**
 * Overhead of training with two processes of one thread instead of one process with two threads: the same step of a
 * ResNet-18 of width 16 on the same batch, in alternating turns, with synchronised and with ghost batch norm. The ratio
 * is the parallel efficiency.
 */
export async function ranks({ pairs, only, note, onProgress }: BenchOptions): Promise<BenchRow[]> {
  if (!availableBackends().includes('gloo')) {
    note('This engine was built without Gloo; satin doctor lists the requirements.');
    return [];
  }
  const rows: BenchRow[] = [];
  const threads = engineInfo().threads;
  for (const batchNorm of ['synchronised', 'ghost'] as const) {
    const name = `ranks/width-16/silu/${batchNorm}`;
    if (!only(name)) continue;
    setThreads(size);
    using whole = new SatinStep(16, 'silu');
    using group = await startGroup(batchNorm);
    const steps = 4;
    whole.run(2);
    await group.run(2);
    const turns: { readonly group: number; readonly whole: number }[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      onProgress({ label: name, done: pair, total: pairs });
      turns.push({ group: await group.run(steps), whole: whole.run(steps) });
    }
    const speed = (seconds: readonly number[]) =>
      medianInterval(seconds.map((each) => (batchSize * steps) / each)).median;
    const ratio = medianInterval(turns.map((turn) => turn.whole / turn.group));
    rows.push({
      name,
      unit: 'img/s',
      satin: speed(turns.map((turn) => turn.group)),
      peer: speed(turns.map((turn) => turn.whole)),
      peerName: `one process of ${size} threads`,
      ratio: ratio.median,
      interval: ratio.interval,
      runs: pairs,
    });
  }
  setThreads(threads);
  return rows;
}

interface RankGroup extends Disposable {
  /** Seconds of the slowest rank for this number of steps. */
  run(steps: number): Promise<number>;
}

async function startGroup(batchNorm: 'synchronised' | 'ghost'): Promise<RankGroup> {
  const worker = fileURLToPath(new URL('./ranks-worker.js', import.meta.url));
  const port = String(await freePort());
  const launcher = { WORLD_SIZE: String(size), MASTER_ADDR: '127.0.0.1', MASTER_PORT: port };
  const processes = Array.from({ length: size }, (_, rank) =>
    spawn(process.execPath, [worker, batchNorm], {
      env: { ...process.env, ...launcher, RANK: String(rank) },
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const answers = processes.map(({ stdout }) => createInterface({ input: stdout })[Symbol.asyncIterator]());
  return {
    async run(steps) {
      for (const { stdin } of processes) stdin.write(`${steps}\n`);
      const seconds: number[] = [];
      for (const answer of answers) {
        const { value, done } = await answer.next();
        if (done === true) {
          for (const each of processes) each.kill();
          throw new RunError('ranks', 'A rank of the benchmark exited early.');
        }
        seconds.push(Number(value));
      }
      return Math.max(...seconds);
    },
    [Symbol.dispose]() {
      for (const { stdin } of processes) stdin.end();
    },
  };
}

/** A free local port. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
