import { existsSync, readFileSync } from 'node:fs';
import { InputError } from '../../errors.js';
import type { Recipe } from '../../recipe/recipe.js';

/** Where Linux lists the instruction sets of the processor. */
const processorFile = '/proc/cpuinfo';

/**
 * Refuses bfloat16 on a processor that would emulate it, slower than float32.
 *
 * @param processor Content of /proc/cpuinfo; null on other systems.
 * @throws {InputError}
 */
export function requireBfloat16(
  { device, training }: Pick<Recipe, 'device'> & { readonly training: Pick<Recipe['training'], 'precision'> },
  processor: string | null = existsSync(processorFile) ? readFileSync(processorFile, 'utf8') : null,
): void {
  if (training.precision === 'float32' || device === 'cuda') return;
  if (processor !== null && /\b(avx512_bf16|amx_bf16|bf16)\b/.test(processor)) return;
  throw InputError.expected(
    'float32',
    'training.precision',
    training.precision,
    'This processor is not known to have bfloat16 instructions (avx512_bf16, amx_bf16 or bf16).',
  );
}
