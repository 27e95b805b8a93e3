import { InputError } from '../errors.js';
import type { Activation } from './activation.js';
import { type ActivationName, activations, type Family } from './table.js';

/** How each activation is written: `relu`, `softplus(10)`. */
export const activationNames = Object.keys(activations) as readonly ActivationName[];

/**
 * The activation that a text names: `silu`, `softplus(10)`.
 *
 * @throws {InputError} for an unknown name, a coefficient where there is none, or one that is out of range.
 */
export function parseActivation(text: string): Activation {
  const match = /^([a-z-]+)(?:\((.*)\))?$/.exec(text.trim());
  const name = match?.[1];
  if (name === undefined || !isName(name))
    throw InputError.expected(
      `one of ${activationNames.join(', ')}`,
      'activation',
      text,
      'A coefficient is written in brackets: softplus(10).',
    );
  const family: Family = activations[name];
  const written = match?.[2];
  if (written === undefined) return { name, ...family.make(family.coefficient?.default ?? 0) };
  if (family.coefficient === null)
    throw InputError.expected(`${name} without a coefficient`, 'activation', text);
  const value = written.trim() === '' ? Number.NaN : Number(written);
  if (!Number.isFinite(value) || (family.coefficient.positive && value <= 0))
    throw InputError.expected(
      `a${family.coefficient.positive ? ' positive' : ''} number`,
      `${family.coefficient.name} of ${name}`,
      written,
    );
  return { name: value === family.coefficient.default ? name : `${name}(${value})`, ...family.make(value) };
}

function isName(name: string): name is ActivationName {
  return Object.hasOwn(activations, name);
}
