import { existsSync, readFileSync } from 'node:fs';
import type { Precision } from '../engine/precision-name.js';
import { InputError } from '../errors.js';

/** Where Linux lists the instruction sets of the processor. */
const processorFile = '/proc/cpuinfo';

/**
 * Refuses a precision that the device does not have: TF32 on the CPU, and bfloat16 on a processor that would emulate it,
 * slower than float32.
 *
 * @param processor Content of /proc/cpuinfo; null on other systems.
 * @throws {InputError}
 */
export function requirePrecision(
  precision: Precision,
  { device, name }: { readonly device: string; readonly name: string },
  processor: string | null = existsSync(processorFile) ? readFileSync(processorFile, 'utf8') : null,
): void {
  if (precision === 'float32' || device !== 'cpu') return;
  if (precision === 'tf32')
    throw InputError.expected('float32 or bfloat16', name, precision, 'Only graphics cards compute in TF32.');
  if (processor !== null && /\b(avx512_bf16|amx_bf16|bf16)\b/.test(processor)) return;
  throw InputError.expected(
    'float32',
    name,
    precision,
    'This processor is not known to have bfloat16 instructions (avx512_bf16, amx_bf16 or bf16).',
  );
}
