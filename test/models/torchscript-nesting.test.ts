import assert from 'node:assert/strict';
import { it } from 'node:test';
import { deepestNesting } from '../../src/models/torchscript-nesting.js';

it('code of networks is shallow, however long it is', () => {
  const line = '    _0 = torch._convolution(x, weight, None, [1, 1], [0, 0], 1, False)\n';
  const code = `class Net(Module):\n  def forward(self, x: Tensor) -> Tensor:\n${line.repeat(10_000)}    return _0\n`;
  assert.ok(deepestNesting(code) < 30, `${deepestNesting(code)}`);
  assert.ok(deepestNesting(`a = [${'0.5, '.repeat(10_000)}]\n`) < 30);
  assert.ok(deepestNesting(`a = f(\n${'  b,\n'.repeat(10_000)})\n`) < 30);
  // A bracket in a text that is never closed holds until the next function.
  const message = '    ops.prim.RaiseException("(")\n    _1 = x\n';
  assert.ok(deepestNesting(`  def f(x):\n${message}`.repeat(1000)) < 40);
});

it('each way to recurse is counted', () => {
  const many = 5000;
  const indented = Array.from({ length: many }, (_, at) => `${' '.repeat(at)}if x:\n`).join('');
  for (const code of [
    `a = ${'('.repeat(many)}x`,
    `a = ${'[x, '.repeat(many)}`,
    `a = ${'f(x, y)(x, '.repeat(many)}`,
    `a = x${' + x'.repeat(many)}`,
    `a = x${' + \\\nx'.repeat(many)}`,
    `a = (x${' +\n x'.repeat(many)})`,
    `a = ${'not '.repeat(many)}x`,
    `a = x${'.b'.repeat(many)}`,
    `a = ${'x if x else '.repeat(many)}x`,
    `if x:\n  pass\n${'elif x:\n  pass\n'.repeat(many)}`,
    indented,
  ])
    assert.ok(deepestNesting(code) >= many, code.slice(0, 40));
});
