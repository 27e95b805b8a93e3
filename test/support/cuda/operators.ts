/** Satin's operators by their CUDA kernels: on a graphics card where the engine has one, else emulated on the CPU. */
import { createRequire } from 'node:module';
import type { Handle, OperatorArgument, OperatorResult } from '../../../src/engine/addon.js';
import { engineInfo } from '../../../src/engine/engine-info.js';
import { inPlace, oneHandle, operator } from '../../../src/tensor/operator.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { buildEmulatedOperators } from './build.js';

export const isCard = engineInfo().cuda;

/** Compiles and loads the emulator, where there is no card. */
export async function loadKernels(): Promise<void> {
  if (!isCard) createRequire(import.meta.url)(await buildEmulatedOperators());
}

type Call = (...values: OperatorArgument[]) => OperatorResult;

/**
 * An operator of the CPU, and the same by CUDA kernels, with tensors of the CPU at the places `tensors` and as results;
 * those at `written` are changed.
 */
export function bothWays(
  name: string,
  tensors: readonly number[],
  written: readonly number[] = [],
): { readonly cpu: Call; readonly cuda: Call } {
  const cpu = operator(`satin::${name}`);
  return { cpu, cuda: isCard ? onCard(cpu, tensors, written) : operator(`satin_emulated::${name}`) };
}

function onCard(call: Call, tensors: readonly number[], written: readonly number[]): Call {
  return (...values) => {
    const moved = values.map((value, place) =>
      tensors.includes(place) && value != null ? new Tensor(copyTo('cuda', value)).handle : value,
    );
    const result = call(...moved);
    for (const place of written) if (values[place] != null) copy(values[place], moved[place]);
    // as an operator does, it leaves its results to the caller
    const back = (handle: unknown) =>
      handle === null ? null : copyTo('cpu', new Tensor(handle as Handle).handle);
    return (Array.isArray(result) ? result.map(back) : back(result)) as OperatorResult;
  };
}

const copyTo = (device: string, tensor: OperatorArgument): Handle =>
  oneHandle(to(tensor, undefined, undefined, device));
const to = operator('aten::to', 'dtype_layout');
const copy = inPlace('aten::copy_');
