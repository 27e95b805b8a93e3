/** Many ranks for longer than the gate can wait: started by mpirun, and killed with the usual patience. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { availableBackends } from '../../../src/distributed/collectives.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { largestDifference } from '../../support/close.js';
import { type Job, type Outcome, outcomeOf } from '../../support/rank-jobs.js';
import { satinRanks, startRanks } from '../../support/ranks.js';
import { ranksEqualOne } from '../../support/ranks-equal-one.js';
import { satin, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

setThreads(1);
const gloo = availableBackends().includes('gloo');
const noMpi = spawnSync('mpirun', ['--version']).status !== 0;
const folder = mkdtempSync(join(tmpdir(), 'satin-slow-ranks-'));
after(() => rmSync(folder, { recursive: true }));

ranksEqualOne({ size: 4, steps: 5 });

describe('ranks that mpirun starts', { skip: !gloo || noMpi ? 'no Gloo or no mpirun' : false }, () => {
  const exact = { dtype: 'float64', steps: 50, batch: 16, batchNorm: 'synchronised' } as const;
  const jobs: readonly Job[] = [
    { ...exact, objective: 'clean' },
    { ...exact, objective: 'sat' },
  ];
  const program = fileURLToPath(new URL('../../support/rank-process.js', import.meta.url));
  for (const size of [2, 4])
    it(`come to the weights of one process within 1e-8 after 50 steps: ${size} of them`, async () => {
      const words = ['--allow-run-as-root', '--oversubscribe', '-np', String(size)];
      const { status, stdout, stderr } = spawnSync(
        'mpirun',
        [...words, process.execPath, program, JSON.stringify(jobs)],
        { encoding: 'utf8', maxBuffer: 64 << 20 },
      );
      assert.equal(status, 0, stderr);
      const outcomes = JSON.parse(stdout) as readonly Outcome[];
      for (const [at, job] of jobs.entries()) {
        const off = largestDifference(outcomes[at]!.weights, (await outcomeOf(job)).weights);
        assert.ok(off <= 1e-8, `${job.objective} off by ${off}`);
      }
    });
});

it('four ranks, one of them killed, end within a minute, and two go on', { skip: !gloo }, async () => {
  const recipe = join(folder, 'tiny.yaml');
  writeTinyMnist(join(folder, 'mnist'));
  const tiny = tinyRecipe(join(folder, 'mnist'));
  const training = { ...tiny.training, epochs: 20, checkpointEvery: 1 };
  writeFileSync(recipe, JSON.stringify({ ...tiny, training }));
  const path = join(folder, 'killed');
  const line = ['train', recipe, '--out', path, '--resume-or-start'];
  const { processes, ended } = await satinRanks([line, line, line, line]);
  const last = join(path, 'checkpoints', 'last.json');
  const step = () =>
    Number(/"step": ?(\d+)/.exec(existsSync(last) ? readFileSync(last, 'utf8') : '')?.[1] ?? 0);
  while (step() < 5) {
    assert.equal(processes[0]!.exitCode, null, 'it ended before it was killed');
    await sleep(20);
  }
  const began = performance.now();
  processes[3]!.kill('SIGKILL');
  const all = await ended;
  assert.ok(performance.now() - began < 60_000);
  for (const { status, stderr } of all.slice(0, 3)) {
    assert.equal(status, 1, stderr);
    assert.match(stderr, /Lost rank 3 of 4 .* no sign of life for 20 s/);
  }
  for (const { status, stderr } of await (await satinRanks([line, line])).ended)
    assert.equal(status, 0, stderr);
  const whole = join(folder, 'whole');
  assert.equal(satin('train', recipe, '--out', whole).status, 0);
  const steps = [path, whole].map((each) => readCheckpoint({ path: each, names: ['last'] }).progress?.step);
  assert.deepEqual(steps, [160, 160]);
});

describe('a process that is blocked when a rank is lost', { skip: !gloo, concurrency: true }, () => {
  const program = fileURLToPath(new URL('../../support/rank-behaviour-process.js', import.meta.url));
  const blocked = async (behaviour: string, name: string) => {
    const [path, errorFile] = [join(folder, name), join(folder, `${name}.json`)];
    const command = [program, behaviour, path];
    const env = { SATIN_LOST_AFTER: '3', TORCHELASTIC_ERROR_FILE: errorFile };
    const [first] = await (await startRanks([command, command], env)).ended;
    assert.equal(first!.status, 1, first!.stderr);
    assert.match(first!.stderr, /Lost rank 1 of 2 .* no sign of life for 3 s/);
    return { written: readFileSync(path, 'utf8'), errorFile };
  };

  it('completes the checkpoint that it writes, however long that takes', async () => {
    assert.equal((await blocked('a write that is held', 'held')).written, 'begun done');
  });

  it('is terminated otherwise, and torchrun is told why', async () => {
    const { written, errorFile } = await blocked('a write that is not held', 'cut');
    assert.equal(written, 'begun ');
    const { message } = JSON.parse(readFileSync(errorFile, 'utf8')) as {
      message: { message: string; extraInfo: { timestamp: string } };
    };
    assert.match(message.message, /^Lost rank 1 of 2 /);
    assert.match(message.extraInfo.timestamp, /^\d+$/);
  });
});
