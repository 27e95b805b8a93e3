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
  const { coefficient, learned = null } = family;
  const written = match?.[2];
  if (written === undefined) {
    const value = learned?.start ?? coefficient?.default ?? 0;
    const symbol = coefficient?.symbol ?? '';
    return { name, learned, ...family.make(value, learned === null ? String(value) : symbol) };
  }
  if (coefficient === null) throw InputError.expected(`${name} without a coefficient`, 'activation', text);
  const value = written.trim() === '' ? Number.NaN : Number(written);
  const [least, most] = coefficient.range;
  if (!(value >= least && value <= most))
    throw InputError.expected(
      `a number from ${least} to ${most}`,
      `the coefficient ${coefficient.symbol} of ${name}`,
      written,
    );
  return {
    name: value === coefficient.default ? name : `${name}(${value})`,
    learned: null,
    ...family.make(value, String(value)),
  };
}

/**
 * The activation whose derivative is to stand in for a network's own.
 *
 * @throws {InputError} for one whose coefficient is learned: a stand-in learns nothing.
 */
export function parseDerivative(text: string): Activation {
  const activation = parseActivation(text);
  if (activation.learned === null) return activation;
  const mend =
    activations[activation.name as ActivationName].coefficient === null ? '' : `, such as ${text}(10)`;
  throw InputError.expected(`an activation whose coefficient is fixed${mend}`, 'the derivative', text);
}

function isName(name: string): name is ActivationName {
  return Object.hasOwn(activations, name);
}
