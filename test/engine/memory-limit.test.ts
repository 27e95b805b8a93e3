import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { memoryLimit } from '../../src/engine/memory-limit.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-memory-'));
after(() => rmSync(folder, { recursive: true }));

const gibi = 2 ** 30;
let made = 0;

/** The limit on a machine of 16 GiB with these files and variables. */
function limitOf(
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
) {
  const root = join(folder, String(made++));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const { total, giver, margin, gauges } = memoryLimit({ root, environment, machine: 16 * gibi });
  return {
    given: total + margin,
    giver,
    margin,
    gauges: gauges.map(({ usage }) => usage.slice(root.length)),
  };
}

describe('the memory limit is the least of', () => {
  it('the machine’s memory, less a margin from 64 MiB to 1 GiB', () => {
    assert.deepEqual(limitOf({}), {
      given: 16 * gibi,
      giver: 'this machine',
      margin: Math.floor(0.8 * gibi),
      gauges: [],
    });
    assert.equal(memoryLimit({ root: folder, environment: {}, machine: 64 * gibi }).total, 63 * gibi);
    assert.equal(memoryLimit({ root: folder, environment: {}, machine: gibi / 4 }).total, gibi / 4 - 2 ** 26);
  });

  it('the limit of its control group of version 2, and of those above it', () => {
    const files = {
      'proc/self/cgroup': '0::/slurm/job_7/step_0\n',
      'sys/fs/cgroup/slurm/memory.max': 'max\n',
      'sys/fs/cgroup/slurm/job_7/memory.max': `${2 * gibi}\n`,
      'sys/fs/cgroup/slurm/job_7/step_0/memory.max': `${4 * gibi}\n`,
    };
    const { given, giver, gauges } = limitOf(files);
    assert.deepEqual([given, giver], [2 * gibi, 'the control group of this process']);
    assert.deepEqual(gauges, [
      '/sys/fs/cgroup/slurm/job_7/memory.current',
      '/sys/fs/cgroup/slurm/job_7/step_0/memory.current',
    ]);
  });

  it('that of version 1, where a number near 2^63 is none', () => {
    const groups = '12:cpu,cpuacct:/a\n7:memory:/docker/abc\n1:name=systemd:/a\n';
    const files = {
      'proc/self/cgroup': groups,
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${3 * gibi}\n`,
    };
    assert.equal(limitOf(files).given, 3 * gibi);
    assert.deepEqual(limitOf(files).gauges, ['/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes']);
  });

  it('the limit of a container, which sees its own group at the mount', () => {
    const inside = { 'sys/fs/cgroup/memory.max': String(gibi) };
    for (const path of ['/', '/../..', '/docker/not-seen-inside'])
      assert.equal(limitOf({ 'proc/self/cgroup': `0::${path}\n`, ...inside }).given, gibi);
  });

  it('what Slurm allots to the job, shared by the ranks on the node', () => {
    const mebi = 2 ** 20;
    assert.deepEqual(
      [limitOf({}, { SLURM_MEM_PER_NODE: '2048' })].map(({ given, giver }) => [given, giver]),
      [[2 * gibi, 'SLURM_MEM_PER_NODE']],
    );
    assert.equal(limitOf({}, { SLURM_MEM_PER_NODE: '0' }).given, 16 * gibi);
    assert.equal(limitOf({}, { SLURM_MEM_PER_CPU: '500', SLURM_CPUS_ON_NODE: '4' }).given, 2000 * mebi);
    const shared = { SLURM_MEM_PER_NODE: '4096', SLURM_STEP_TASKS_PER_NODE: '4(x2)' };
    assert.equal(limitOf({}, shared).given, gibi);
    assert.equal(
      limitOf({}, { ...shared, SLURM_STEP_TASKS_PER_NODE: '1', LOCAL_WORLD_SIZE: '2' }).given,
      2 * gibi,
    );
    assert.match(limitOf({}, shared).giver, /^SLURM_MEM_PER_NODE, shared by 4 ranks,$/);
  });
});
