import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { native } from '../../../src/engine/native.js';
import { tensor } from '../../../src/tensor/create.js';

setThreads(1);

it('a call through the binding costs at most 2 µs: an operator that computes nothing, its handle and its release, fastest of 30 runs', (t) => {
  const engine = native();
  const detach = engine.findOperator('aten::detach', '');
  const handle = tensor(Float32Array.of(1), [1]).handle;
  const calls = 20_000;
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 30; run++) {
    const began = performance.now();
    for (let i = 0; i < calls; i++) engine.release(engine.call(detach, handle) as number);
    fastest = Math.min(fastest, ((performance.now() - began) / calls) * 1000);
  }
  t.diagnostic(`${fastest.toFixed(2)} µs for two calls, libtorch's own work among them`);
  assert.ok(fastest <= 2, `${fastest} µs`);
});
