/** A process that is given two gigabytes and asks for more ends with a sentence, not by the kernel. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { mainFile, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-limit-'));
after(() => rmSync(folder, { recursive: true }));
writeTinyMnist(join(folder, 'mnist'));
writeFileSync(join(folder, 'tiny.yaml'), JSON.stringify(tinyRecipe(join(folder, 'mnist'))));

const source = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
/** Takes tensors of 64 MiB until there are no more, and goes on working then. */
const greedy = `
  const { setThreads } = await import(${source('engine/engine-info.js')});
  const { ones } = await import(${source('tensor/create.js')});
  setThreads(1);
  const held = [];
  try { for (;;) held.push(ones([16, 1024, 1024])); } catch (error) { console.log(error.name, error.message); }
  for (const each of held) each.dispose();
  console.log(held.length, ones([3]).sum().item());`;

const gigabytes = 2;

/** Runs `node WORDS` after the line `before` of a shell. */
function limited(before: string, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync('bash', ['-c', `${before}\nexec "$0" "$@"`, process.execPath, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

function assertRefuses(before: string, giver: string, env?: NodeJS.ProcessEnv): void {
  const { status, signal, stdout, stderr } = limited(before, ['--input-type=module', '-e', greedy], env);
  assert.deepEqual([status, signal], [0, null], stderr);
  const [sentence = '', rest = ''] = stdout.split('\n');
  assert.match(
    sentence,
    /^EngineError Not enough memory for aten::ones of \[16, 1024, 1024\]: 64 MiB asked for, \d+ MiB in use/,
  );
  assert.ok(sentence.includes(giver), sentence);
  const [count = '', sum = ''] = rest.split(' ');
  assert.ok(Number(count) >= 12 && Number(count) <= (gigabytes * 1024) / 64, `${count} tensors`);
  assert.equal(sum, '3');
  const words = [
    'train',
    join(folder, 'tiny.yaml'),
    '--set',
    'model.width=100',
    '--out',
    join(folder, 'run'),
  ];
  const large = limited(before, [mainFile, ...words], env);
  assert.deepEqual([large.status, large.signal], [2, null], large.stderr);
  assert.match(
    large.stderr,
    /satin: Expected a training step that fits in the \d+ MiB of memory that are left [^\n]*\n$/,
  );
  assert.ok(!existsSync(join(folder, 'run')));
}

describe('a job of two gigabytes that asks for more', () => {
  it('is told so by Slurm’s variables', () =>
    assertRefuses('', 'that SLURM_MEM_PER_NODE allows', { SLURM_MEM_PER_NODE: String(1024 * gigabytes) }));

  it('is told so by its control group', (context) => {
    const [mount, limit] = existsSync('/sys/fs/cgroup/memory')
      ? ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes']
      : ['/sys/fs/cgroup', 'memory.max'];
    const group = join(mount, `satin-test-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      return context.skip('control groups cannot be made here');
    }
    try {
      writeFileSync(join(group, limit), String(gigabytes * 2 ** 30));
      assertRefuses(`echo $$ > ${group}/cgroup.procs`, 'that the control group of this process allows');
      const refusals = join(group, 'memory.failcnt');
      if (existsSync(refusals))
        assert.equal(readFileSync(refusals, 'utf8').trim(), '0', 'the kernel never refused');
    } finally {
      rmdirSync(group);
    }
  });

  it('is told so by the address space, of which Node takes a part', () =>
    assertRefuses('ulimit -v 3600000', 'MiB left'));
});
