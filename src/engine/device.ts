import { InputError } from '../errors.js';
import { isDeviceName } from './device-name.js';
import { native } from './native.js';

/** A graphics card that the engine can use. */
export interface Card {
  /** As NVIDIA calls it. */
  readonly name: string;
  /** Compute capability: `9.0`. */
  readonly capability: string;
  /** Bytes of its memory. */
  readonly memory: number;
}

/** The graphics cards that the engine can use, by index; none without CUDA or without a driver. */
export function cards(): readonly Card[] {
  return native()
    .cards()
    .map(([name, capability, memory]) => ({ name, capability, memory }));
}

/**
 * The device to compute on, `cpu` or `cuda:N`; by default the first card, or the CPU where there is none.
 *
 * @param source What the name is called in an error, such as `device of the recipe`.
 * @throws {InputError} for another name, or a card that is not there.
 */
export function chooseDevice(name?: string, source = '`device`'): string {
  if (name === 'cpu') return name;
  const count = cards().length;
  if (name === undefined) return count > 0 ? 'cuda:0' : 'cpu';
  if (!isDeviceName(name)) throw InputError.expected('cpu, cuda or cuda:N', source, name);
  const index = name === 'cuda' ? 0 : Number(name.slice('cuda:'.length));
  if (index < count) return `cuda:${index}`;
  throw InputError.expected(
    count === 0 ? 'cpu' : `a card from cuda:0 to cuda:${count - 1}`,
    source,
    name,
    missing(count),
  );
}

function missing(count: number): string {
  if (count > 0) return `This machine has ${count}.`;
  return native().engine()[2]
    ? 'No graphics card with a working driver was found.'
    : 'This engine has no CUDA: use a libtorch with CUDA on a machine with a card (docs/setup.md).';
}

/** The name of a card, `NVIDIA H100 80GB HBM3`; null for the CPU. */
export function cardName(device: string): string | null {
  return cardOf(device)?.name ?? null;
}

/** Bytes of memory of a device; infinite for the CPU, whose tensors are limited elsewhere. */
export function deviceMemory(device: string): number {
  return cardOf(device)?.memory ?? Number.POSITIVE_INFINITY;
}

function cardOf(device: string): Card | undefined {
  return device.startsWith('cuda:') ? cards()[Number(device.slice('cuda:'.length))] : undefined;
}

/** Waits until a device has done everything that it was asked to do; for measurements of time. */
export function synchronise(device: string): void {
  native().synchronise(device);
}
