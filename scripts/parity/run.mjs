/**
 * `node scripts/parity/run.mjs PARITY REFERENCE PYTHON`: runs all unfinished jobs, two at a time with one thread each, the most
 * informative first. It can be stopped at any time (SIGTERM lets the two running jobs finish); the same command resumes. Jobs
 * are suspended while the file PARITY/pause exists. Networks whose arrays are not there (arrays.mjs) are left out, and named.
 */
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attacks, imagesOf, jobFile, runs, slice } from './runs.mjs';

const [parity, reference, python] = process.argv.slice(2);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const commit = execFileSync('git', ['-C', here('.'), 'rev-parse', '--short', 'HEAD'], {
  encoding: 'utf8',
}).trim();

const three = ['silu', 'smooth-relu', 'relu'];
const others = ['masked', 'l2', 'l1'];
const sides = ['reference', 'satin'];

/**
 * Jobs in order. Of seed 1 only the reference's are asked for, the spread of its verdicts; least where the set decides,
 * most where Square does alone. FAB-T draws no random numbers.
 */
function* plan() {
  for (const side of sides) {
    yield* jobs({ names: three, runs: ['standard'], side });
    yield* jobs({ names: [...three, 'l2', 'l1'], runs: attacks, side });
    yield* jobs({ names: others, runs: ['standard'], side });
  }
  const second = { side: 'reference', seed: 1 };
  yield* jobs({ names: ['masked'], runs: ['standard'], ...second });
  yield* jobs({ names: three, runs: attacks.filter((name) => name !== 'fab-t'), ...second });
  yield* jobs({ names: [...three, 'l2', 'l1'], runs: ['standard'], ...second });
}

/** Each slice of all networks before the next slice, so that what is done can be compared. */
function* jobs({ names, runs: wanted, side, seed = 0 }) {
  for (let start = 0; start < runs.standard; start += slice)
    for (const run of wanted)
      for (const network of names)
        if (start < imagesOf(network, run)) yield { side, network, run, seed, start };
}

const ready = ({ network }) => existsSync(join(parity, 'arrays', `${network}.safetensors`));
const done = (job) => existsSync(jobFile(parity, job));
const running = new Map();
const failed = new Set();

function next() {
  for (const job of plan()) {
    const file = jobFile(parity, job);
    if (ready(job) && !done(job) && !running.has(file) && !failed.has(file)) return { job, file };
  }
}

function start() {
  const found = next();
  if (found === undefined) return false;
  const { job, file } = found;
  const { side, network, run, seed, start: first } = job;
  const of = [network, run, String(seed), String(first)];
  const [program, args] =
    side === 'satin'
      ? [process.execPath, [here('satin.mjs'), parity, ...of]]
      : [python, [here('reference.py'), parity, reference, ...of]];
  const child = spawn(program, args, {
    env: { ...process.env, PARITY_COMMIT: commit, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.set(file, child);
  const began = Date.now();
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  child.on('exit', (code) => {
    running.delete(file);
    if (code !== 0) failed.add(file);
    const seconds = Math.round((Date.now() - began) / 1000);
    appendFileSync(
      join(parity, 'run.log'),
      `${new Date().toISOString()} ${[side, ...of].join(' ')} ${code === 0 ? `${seconds} s` : `failed: ${said}`}\n`,
    );
  });
  return true;
}

let paused = false;
let stopping = false;
process.on('SIGTERM', () => {
  stopping = true;
});
for (;;) {
  const pause = existsSync(join(parity, 'pause'));
  if (pause !== paused) for (const child of running.values()) child.kill(pause ? 'SIGSTOP' : 'SIGCONT');
  paused = pause;
  if (!paused && !stopping) while (running.size < 2 && start());
  if (stopping && running.size === 0) break;
  if (!paused && running.size === 0 && next() === undefined) break;
  await new Promise((resolve) => setTimeout(resolve, 2000));
}
const left = new Set([...plan()].filter((job) => !ready(job) && !done(job)).map(({ network }) => network));
if (left.size > 0) console.error(`Left out, without arrays: ${[...left].join(', ')}.`);
if (failed.size > 0) {
  console.error(`${failed.size} jobs failed; see run.log:\n${[...failed].join('\n')}`);
  process.exitCode = 1;
}
