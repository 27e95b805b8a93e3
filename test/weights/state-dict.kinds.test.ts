/** Files that PyTorch's safe loader takes (test/golden/state-dict-kinds, made by scripts/golden/state_dict_kinds.py). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { modelKind } from '../../src/models/model-kind.js';
import { readStateDict } from '../../src/weights/state-dict.js';
import { bits, refuses, tiny } from '../support/foreign-weights.js';

const folder = fileURLToPath(new URL('../../../test/golden/state-dict-kinds/', import.meta.url));
const file = (name: string) => `${folder}${name}.pt`;
const read = (name: string, entry?: string) => {
  const { arrays, skipped } = readStateDict(file(name), { entry });
  return { arrays: bits(arrays.map(({ read: bytes, ...array }) => ({ ...array, bytes: bytes() }))), skipped };
};

describe('a state dict is read', () => {
  for (const name of ['legacy-3', 'legacy-4', 'legacy-5'])
    it(`from the legacy format of a newer pickle: ${name}`, () => {
      assert.equal(modelKind(file(name)), 'weights');
      assert.deepEqual(read(name).arrays, bits(tiny.arrays));
    });

  it('beside a set', () => assert.deepEqual(read('set'), { arrays: bits(tiny.arrays), skipped: ['seen'] }));

  it('with an expanded tensor, whose numbers are repeated', () => {
    const { arrays } = read('expanded');
    assert.equal(arrays.get('linear.bias')!.bytes, '00'.repeat(12));
    const others = (all: typeof arrays) => [...all].filter(([name]) => name !== 'linear.bias');
    assert.deepEqual(others(arrays), others(bits(tiny.arrays)));
  });

  it('from an entry of any name, which a refusal lists with the option', () => {
    refuses(
      () => read('unknown-wrappers'),
      /Expected the name of the state dict for `entry` .* holds weights as last, best\.of\.$/,
    );
    refuses(() => read('unknown-beside-tensors'), /holds weights as net_state\.$/);
    for (const [name, entry] of [
      ['unknown-wrappers', 'last'],
      ['unknown-wrappers', 'best.of'],
      ['unknown-beside-tensors', 'net_state'],
    ] as const)
      assert.deepEqual(read(name, entry).arrays, bits(tiny.arrays));
  });
});
