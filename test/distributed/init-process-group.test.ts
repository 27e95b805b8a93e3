/** Ranks that do not do the same end with a sentence; one that is merely slow is waited for. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { availableBackends } from '../../src/distributed/collectives.js';
import { startRanks } from '../support/ranks.js';

const program = fileURLToPath(new URL('../support/rank-behaviour-process.js', import.meta.url));
const skip = availableBackends().includes('gloo') ? false : 'this engine was built without Gloo';
const folder = mkdtempSync(join(tmpdir(), 'satin-group-'));
after(() => rmSync(folder, { recursive: true }));

const two = async (behaviour: string, env: Readonly<Record<string, string>> = {}) => {
  const began = performance.now();
  const command = [program, behaviour];
  const { ended } = await startRanks([command, command], { SATIN_LOST_AFTER: '2', ...env });
  const all = await ended;
  return { all, seconds: (performance.now() - began) / 1000 };
};

// They mostly wait.
describe('ranks', { skip, concurrency: 6 }, () => {
  const sentences = {
    'another operation':
      /operation 1 is an all-reduce of 5000 float64 on rank 0 of 2 \(.*\) and a broadcast of 2 int64 on rank 1 of 2/,
    'one operation less': /operation 1 is a broadcast of 1 int64 on rank 0 .* and an all-reduce of 2 float64/,
    'an early end': /operation 1 is an all-reduce of 1 float64 on rank 0 .* and the end of the job on rank 1/,
    'another length': /Expected the operations of rank 0 on rank 1 but they differ/,
    'another length, often': /the first \d+ of rank 0 of 2 \(.*\) and of rank 1 of 2 \(.*\) differ/,
  } as const;
  for (const [behaviour, sentence] of Object.entries(sentences))
    it(`end within a minute, with a sentence, where one of them has ${behaviour}`, async () => {
      const { all, seconds } = await two(behaviour);
      for (const { status, stderr } of all) {
        assert.equal(status, 1, stderr);
        assert.match(stderr, sentence);
      }
      assert.ok(seconds < 60, `${seconds} s`);
    });

  it('wait for one that computes for longer than a lost one is waited for', async () => {
    const { all } = await two('slow');
    for (const { status, stdout, stderr } of all) {
      assert.equal(status, 0, stderr);
      assert.equal(stdout, '3 3 3 ');
    }
  });

  it('leave the first error to torchrun, by the rank that has it', async () => {
    const path = join(folder, 'error.json');
    const { all } = await two('an error', { TORCHELASTIC_ERROR_FILE: path });
    assert.deepEqual(
      all.map(({ status }) => status),
      [1, 1],
    );
    assert.match(readFileSync(path, 'utf8'), /"message":"Error: it went wrong"/);
  });
});
