/** Satin's operators by their CUDA kernels: on a graphics card where the engine has one, else emulated on the CPU. */
import { createRequire } from 'node:module';
import type { Handle, OperatorArgument, OperatorResult } from '../../../src/engine/addon.js';
import { engineInfo } from '../../../src/engine/engine-info.js';
import { inPlace, operator } from '../../../src/tensor/operator.js';
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
  if (!isCard) return { cpu, cuda: operator(`satin_emulated::${name}`) };
  const onCard: Call = (...values) => {
    const moved = values.map((value, place) =>
      tensors.includes(place) && value != null ? new Tensor(value as Handle).toDevice('cuda').handle : value,
    );
    const result = cpu(...moved);
    for (const place of written) if (values[place] != null) copy(values[place], moved[place]);
    const back = (handle: Handle | null) =>
      handle === null ? null : new Tensor(handle).toDevice('cpu').handle;
    return (
      Array.isArray(result) ? result.map((each) => back(each as Handle | null)) : back(result as Handle)
    ) as OperatorResult;
  };
  return { cpu, cuda: onCard };
}

const copy = inPlace('aten::copy_');
