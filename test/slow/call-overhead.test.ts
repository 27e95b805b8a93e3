import assert from 'node:assert/strict';
import { it } from 'node:test';
import { native } from '../../src/native.js';
import { tensor } from '../../src/tensor/create.js';
import { setThreads } from '../../src/tensor/engine.js';

setThreads(1);

it('a call through the binding costs at most 2 µs: making the handle of a view and releasing it, fastest of 30 runs', (t) => {
  const engine = native();
  const alias = engine.findOperator('aten::detach', '');
  const handle = tensor(Float32Array.of(1), [1]).handle;
  const calls = 20_000;
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 30; run++) {
    const began = performance.now();
    for (let i = 0; i < calls; i++) engine.release(engine.call(alias, handle) as number);
    fastest = Math.min(fastest, ((performance.now() - began) / calls) * 1000);
  }
  t.diagnostic(`${fastest.toFixed(2)} µs, libtorch's own work among them`);
  // Two crossings and the operator; the border alone is what a call that does nothing costs.
  let border = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 30; run++) {
    const began = performance.now();
    for (let i = 0; i < calls; i++) engine.requiresGrad(handle);
    border = Math.min(border, ((performance.now() - began) / calls) * 1000);
  }
  t.diagnostic(`${border.toFixed(2)} µs for a call that only looks a tensor up`);
  assert.ok(border <= 2, `${border} µs`);
  assert.ok(fastest <= 4, `${fastest} µs for an operator and its release`);
});
