import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NeighbourMemory } from '../../src/nn/neighbours.js';
import { zeros } from '../../src/tensor/create.js';
import { keep, scope } from '../../src/tensor/scope.js';

const make = () => scope(() => keep(zeros([2, 3])));

describe('the memory of neighbours', () => {
  it('keeps one tensor of a classifier, and frees it when another comes or the attack ends', () => {
    const memory = new NeighbourMemory(2);
    const [one, other] = [{}, {}];
    const first = memory.keptBy(one, make);
    assert.equal(
      memory.keptBy(one, () => assert.fail('made again')),
      first,
    );
    const second = memory.keptBy(other, make);
    assert.notEqual(second, first);
    assert.throws(() => first.numbers(), /disposed/);
    memory[Symbol.dispose]();
    assert.throws(() => second.numbers(), /disposed/);
  });
});
