import { InputError } from '../errors.js';
import { unknownName } from '../user-input/did-you-mean.js';
import { requireArgument } from '../user-input/require-argument.js';
import type { Activation } from './activation.js';
import { type ActivationName, activations, type Family } from './table.js';

/** Names of the activations, without coefficients. */
export const activationNames = Object.keys(activations) as readonly ActivationName[];

/**
 * Parses an activation: `silu`, `softplus(10)`.
 *
 * @throws {InputError} for an unknown name, an unsupported coefficient, or one out of range.
 */
export function parseActivation(text: string): Activation {
  requireArgument(text, 'text', 'the activation');
  const match = /^([a-z-]+)(?:\((.*)\))?$/.exec(text.trim());
  const name = match?.[1];
  if (name === undefined || !isName(name))
    throw unknownName({
      kind: 'an activation',
      name: 'activation',
      received: text,
      known: activationNames,
      remedy: 'Write a coefficient in parentheses: softplus(10).',
    });
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
 * Parses the activation whose derivative is used as surrogate.
 *
 * @throws {InputError} as `parseActivation`, and for learned coefficients, which a surrogate cannot train.
 */
export function parseDerivative(text: string): Activation {
  const activation = parseActivation(text);
  if (activation.learned === null) return activation;
  const example =
    activations[activation.name as ActivationName].coefficient === null ? '' : `, such as ${text}(10)`;
  throw InputError.expected(`an activation whose coefficient is fixed${example}`, 'the derivative', text);
}

function isName(name: string): name is ActivationName {
  return Object.hasOwn(activations, name);
}
