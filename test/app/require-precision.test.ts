import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requirePrecision } from '../../src/app/require-precision.js';
import { InputError } from '../../src/errors.js';

const on = (device: string) => ({ device, name: 'training.precision' });

describe('the precision of a network', () => {
  it('is what the device has', () => {
    for (const precision of ['float32', 'tf32', 'bfloat16'] as const)
      requirePrecision(precision, on('cuda:0'), null, '8.0');
    requirePrecision('bfloat16', on('cpu'), 'flags : avx512f avx512_bf16 amx_tile');
    requirePrecision('float32', on('cpu'), null);
  });

  it('is refused where a processor would emulate it', () => {
    for (const processor of [null, 'flags : avx2 avx512f'])
      assert.throws(() => requirePrecision('bfloat16', on('cpu'), processor), InputError);
  });

  it('is refused on a card that would replace or emulate it', () => {
    for (const precision of ['tf32', 'bfloat16'] as const)
      assert.throws(
        () => requirePrecision(precision, on('cuda:0'), null, '7.5'),
        /The card has compute capability 7\.5; (tf32|bfloat16) requires 8\.0/,
      );
    requirePrecision('float32', on('cuda:0'), null, '7.5');
  });

  it('is refused where it would change nothing', () => {
    assert.throws(() => requirePrecision('tf32', on('cpu'), null), /Only graphics cards compute in TF32/);
  });
});
