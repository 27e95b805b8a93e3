/** Processes that train together come to what one process comes to with the whole batch. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setThreads } from '../../src/engine/engine-info.js';
import type { EvaluationResult } from '../../src/evaluation/result.js';
import { readCheckpoint } from '../../src/runs/checkpoint.js';
import { readEvents } from '../../src/runs/event-log.js';
import { largestDifference } from '../support/close.js';
import { lengths, type Sums, sumsOf, termOf } from '../support/rank-sums.js';
import { type Started, satinAlone, satinRanks, startRanks } from '../support/ranks.js';
import { ranksEqualOne, skip } from '../support/ranks-equal-one.js';
import { tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

setThreads(1);

// Four ranks are in test/slow.
ranksEqualOne({ size: 2, steps: 50 });

describe('ranks', { skip, concurrency: 2 }, () => {
  for (const size of [2, 3])
    it(`of ${size} find the same sums, and the batch statistics of one process`, {
      timeout: 60_000,
    }, async () => {
      const program = fileURLToPath(new URL('../support/rank-sums-process.js', import.meta.url));
      const { ended } = await startRanks(Array.from({ length: size }, () => [program]));
      const all = await ended;
      for (const { status, stderr } of all) assert.equal(status, 0, stderr);
      const found = all.map(({ stdout }) => JSON.parse(stdout) as Sums);
      const whole = sumsOf({ rank: 0, size: 1, sum: (numbers) => [...numbers], average: () => {} });

      for (const { wrong } of found) assert.equal(wrong, 0);
      const terms = (place: number) => found.map((_, rank) => termOf(rank, place));
      for (const [at, length] of lengths.entries()) {
        const expected = Array.from({ length }, (_, place) => terms(place).reduce((sum, each) => sum + each));
        for (const { sums } of found) {
          assert.deepEqual(sums[at], found[0]!.sums[at], 'to the bit on every rank');
          const off = largestDifference(sums[at]!, expected);
          assert.ok(off <= 1e-8, `sums of ${length} numbers off by ${off}`);
        }
      }
      const [single, double] = [0, 1].map((which) => found.map(({ means }) => means[which]!));
      const mean64 = Array.from(
        double![0]!,
        (_, place) => terms(place).reduce((sum, each) => sum + each) / size,
      );
      for (const [rank, means] of double!.entries()) {
        assert.deepEqual(means, double![0], 'to the bit on every rank');
        assert.deepEqual(single![rank], single![0], 'to the bit on every rank');
      }
      assert.ok(largestDifference(double![0]!, mean64) <= 1e-12);
      const places = single![0]!.map(
        (_, at) => Math.floor(at / 6) * 6 + (at % 3) * 2 + (Math.floor(at / 3) % 2),
      );
      const rounded = places.map((place) => Math.fround(mean64[place]!));
      assert.ok(largestDifference(single![0]!, rounded) <= 1e-6);
      const [y, dx, mean, variance] = whole.norm as [number[], number[], number[], number[]];
      const joined = (which: number) => found.flatMap(({ norm }) => norm[which]!);
      // A float32 near 300 is known to 1.5e-5, of which a standard deviation is 0.5.
      for (const [which, expected] of [y, dx].entries()) {
        const off = largestDifference(joined(which), expected);
        assert.ok(off <= 2e-4, `${['outputs', 'gradients'][which]} off by ${off}`);
      }
      for (const { norm } of found) {
        assert.deepEqual(norm.slice(2), found[0]!.norm.slice(2), 'to the bit on every rank');
        assert.ok(largestDifference(norm[2]!, mean) <= 1e-5);
        assert.ok(largestDifference(norm[3]!, variance) <= 1e-6);
      }
    });
});

// Its processes start, wait for each other and end: two tests at a time use what one leaves idle.
describe('a run of several ranks', { skip, concurrency: 2 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-ranks-'));
  after(() => rmSync(folder, { recursive: true }));
  const recipe = join(folder, 'tiny.yaml');
  writeTinyMnist(join(folder, 'mnist'));
  writeFileSync(recipe, JSON.stringify(tinyRecipe(join(folder, 'mnist'))));
  const line = (path: string, ...more: string[]) => ['train', recipe, '--out', join(folder, path), ...more];

  const last = (path: string) => readCheckpoint({ path: join(folder, path), names: ['last'] });
  const weightsOf = (path: string) =>
    last(path).weights.flatMap(({ dtype, bytes }) => (dtype === 'F32' ? [...float32(bytes)] : []));
  const float32 = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer);
  const measured = (path: string) =>
    readEvents(join(folder, path)).flatMap((event) =>
      event.type === 'epoch' ? [event.measurements['validation/clean']] : [],
    );
  /** Waits until so many steps are in the log. */
  const steps = async (path: string, count: number, { processes, ended }: Started) => {
    const file = join(folder, path, 'events.jsonl');
    const done = () => (existsSync(file) ? readFileSync(file, 'utf8').split('"type":"step"').length - 1 : 0);
    while (done() < count) {
      if (processes[0]!.exitCode !== null) assert.fail((await ended)[0]!.stderr);
      await sleep(10);
    }
  };

  before(async () => {
    const { status, stderr } = await satinAlone(line('whole'));
    assert.equal(status, 0, stderr);
  });

  it('is stopped by a signal to any of them, and goes on with another number', async () => {
    const both = await satinRanks([line('both'), line('nowhere')]);
    await steps('both', 3, both);
    both.processes[1]!.kill('SIGTERM');
    const all = await both.ended;
    assert.deepEqual(
      all.map(({ status }) => status),
      [130, 130],
      all[0]!.stderr,
    );
    const stopped = last('both').progress?.step ?? 0;
    assert.ok(stopped >= 3 && stopped < 24, `stopped after ${stopped}`);
    assert.equal(existsSync(join(folder, 'nowhere')), false, 'rank 0 alone writes');

    const { status, stderr } = await satinAlone(line('both', '--resume'));
    assert.equal(status, 0, stderr);
    assert.equal(last('both').progress?.step, 24);
    assert.deepEqual(measured('both'), measured('whole'));
    const off = largestDifference(weightsOf('both'), weightsOf('whole'));
    assert.ok(off <= 1e-4, `weights off by ${off}`);
  });

  it('goes on by itself where its launcher started it again, and is refused where a person did', async () => {
    const run = (env: Readonly<Record<string, string>>, ...words: string[]) =>
      satinAlone(line('again', ...words), env);
    const [restarted, job] = [{ TORCHELASTIC_RESTART_COUNT: '1' }, { TORCHELASTIC_RUN_ID: 'satin' }];
    assert.equal((await run(job)).status, 0);
    const before = last('again').progress;
    const { status, stderr } = await run({});
    assert.equal(status, 2, stderr);
    assert.match(stderr, /Expected a folder that does not exist yet/);
    assert.equal((await run({ TORCHELASTIC_RUN_ID: 'another' })).status, 2);
    for (const env of [restarted, job]) {
      const again = await run(env);
      assert.equal(again.status, 0, again.stderr);
      assert.deepEqual(last('again').progress, before);
    }
    // The weights that it started from do not matter any more.
    const init = await run(restarted, '--init', join(folder, 'whole'));
    assert.equal(init.status, 0, init.stderr);
  });

  it('is measured by several processes with the verdicts of one', async () => {
    const words = [
      'evaluate',
      join(folder, 'whole'),
      '--data-dir',
      join(folder, 'mnist'),
      '--epsilon',
      '0.1',
    ];
    const ask = [...words, '--attack', 'fgsm', '--attack', 'pgd-3', '--batch', '16', '--threads', '1'];
    const one = satinAlone([...ask, '--json', join(folder, 'one.json')]);
    const line = [...ask, '--json', join(folder, 'three.json')];
    const { ended } = await satinRanks([line, [...ask, '--json', join(folder, 'no.json')], line]);
    for (const { status, stderr } of [await one, ...(await ended)]) assert.equal(status, 0, stderr);
    assert.equal(existsSync(join(folder, 'no.json')), false, 'rank 0 alone writes');
    const result = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as EvaluationResult;
    const [whole, shared] = [result('one.json'), result('three.json')];
    assert.deepEqual(shared.perExample, whole.perExample);
    assert.equal(shared.robust, whole.robust);
    assert.deepEqual(
      shared.attacks.map(({ attacked, broken }) => [attacked, broken]),
      whole.attacks.map(({ attacked, broken }) => [attacked, broken]),
    );
  });

  it('ends where one of them is lost, with a sentence that names it, and keeps what it has', async () => {
    const sets = ['training.epochs=1000', 'training.checkpointEvery=1', 'training.batch=15'];
    const long = line('lost', ...sets.flatMap((set) => ['--set', set]));
    const three = await satinRanks([long, long, long], { SATIN_LOST_AFTER: '4' });
    await steps('lost', 3, three);
    const began = performance.now();
    three.processes[2]!.kill('SIGKILL');
    const all = await three.ended;
    const seconds = (performance.now() - began) / 1000;
    assert.ok(seconds < 60, `${seconds} s`);
    for (const rank of [0, 1]) {
      const { status, stderr } = all[rank]!;
      assert.equal(status, 1, stderr);
      assert.match(
        stderr,
        /Lost rank 2 of 3 \(\S+, process \d+\): no sign of life for 4 s\. Continue .* --resume/,
      );
    }
    assert.ok((last('lost').progress?.step ?? 0) >= 2);
    assert.equal(readEvents(join(folder, 'lost')).at(-1)?.type, 'failed');
  });

  it('refuses a rank with another recipe, with the difference, and ends the other one', async () => {
    const { ended } = await satinRanks([line('a'), line('a', '--set', 'training.seed=4')]);
    const [first, second] = await ended;
    assert.equal(second!.status, 2, second!.stderr);
    assert.match(second!.stderr, /the recipe of rank 0 on rank 1, but training\.seed is 4 here and 0 there/);
    assert.equal(first!.status, 1);
    assert.match(first!.stderr, /Rank 1 of 2 on \S+ ended: Expected the recipe/);
  });

  it('refuses a number of ranks that does not divide the batch, or splits a group of ghost batch norm', async () => {
    const odd = line('b', '--set', 'training.batch=15');
    const first = await satinRanks([odd, odd]);
    const split = line('c', '--set', 'training.batchNorm={ghost: 16}');
    const second = await satinRanks([split, split]);
    for (const { status, stderr } of await first.ended) {
      assert.equal(status, 2, stderr);
      assert.match(stderr, /Expected a multiple of the 2 ranks for training\.batch but received 15/);
    }
    for (const { status, stderr } of await second.ended) {
      assert.equal(status, 2, stderr);
      assert.match(stderr, /a multiple of 16, the group of training\.batchNorm, .* but received 8/);
    }
  });
});
