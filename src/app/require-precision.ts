import { existsSync, readFileSync } from 'node:fs';
import { cards } from '../engine/device.js';
import type { Precision } from '../engine/precision-name.js';
import { InputError } from '../errors.js';

/** Where Linux lists the instruction sets of the processor. */
const processorFile = '/proc/cpuinfo';

/**
 * Refuses a precision that the device does not have and would replace or emulate: TF32 on the CPU, bfloat16 on a
 * processor without its instructions, and both on cards older than NVIDIA's Ampere (compute capability 8.0).
 *
 * @param processor Content of /proc/cpuinfo; null on other systems.
 * @param capability Of the card.
 * @throws {InputError}
 */
export function requirePrecision(
  precision: Precision,
  { device, name }: { readonly device: string; readonly name: string },
  processor: string | null = existsSync(processorFile) ? readFileSync(processorFile, 'utf8') : null,
  capability: string | undefined = cards()[Number(device.replace('cuda:', ''))]?.capability,
): void {
  if (precision === 'float32') return;
  if (device !== 'cpu') {
    if (capability !== undefined && Number(capability) < 8)
      throw InputError.expected(
        'float32',
        name,
        precision,
        `The card has compute capability ${capability}; ${precision} requires 8.0.`,
      );
    return;
  }
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
