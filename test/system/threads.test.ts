import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import { child } from '../support/child.js';

const imports = { 'src/engine/native.js': 'native', 'src/engine/engine-info.js': 'engineInfo, setThreads' };
const run = (body: string, env: Readonly<Record<string, string>> = {}) => {
  const ended = child(imports, body, { env });
  assert.equal(ended.errors, '');
  assert.equal(ended.status, 0);
  return ended.output.trim();
};

describe('threads', () => {
  it('are as many as the machine has processors, though libtorch itself may start with one', () => {
    assert.equal(run('native(); console.log(engineInfo().threads);'), String(availableParallelism()));
  });

  it('carry the binding’s own loops: compiled without OpenMP these would run on one', () => {
    const body = `for (const threads of [1, 2, 3]) { setThreads(threads); console.log(engineInfo().threads, native().parallelWidth()); }`;
    assert.equal(run(body), '1 1\n2 2\n3 3');
  });
});
