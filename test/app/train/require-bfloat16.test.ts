import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireBfloat16 } from '../../../src/app/train/require-bfloat16.js';
import { InputError } from '../../../src/errors.js';

describe('bfloat16 in a recipe', () => {
  const recipe = { device: 'cpu', training: { precision: 'bfloat16' } } as const;

  it('is taken on CUDA and on processors that have it', () => {
    requireBfloat16({ ...recipe, device: 'cuda' }, null);
    requireBfloat16(recipe, 'flags : avx512f avx512_bf16 amx_tile');
    requireBfloat16({ ...recipe, training: { precision: 'float32' } }, null);
  });

  it('is refused on others', () => {
    for (const processor of [null, 'flags : avx2 avx512f'])
      assert.throws(() => requireBfloat16(recipe, processor), InputError);
  });
});
