import { activationNames } from './parse.js';
import { type ActivationName, activations, type Family } from './table.js';

/** A JSON Schema of texts: some names, or all that match a pattern. */
type TextForm = { readonly enum: readonly string[] } | { readonly pattern: string };

const number = '[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?';

/**
 * What `parseActivation` takes, as alternatives of a JSON Schema: the names, of which an editor makes suggestions, and those
 * with a coefficient, whose range a pattern does not hold. With `fixed` what `parseDerivative` takes.
 */
export function activationForms({ fixed = false }: { readonly fixed?: boolean } = {}): TextForm[] {
  const isLearned = (name: ActivationName) => (activations[name] as Family).learned !== undefined;
  const takesCoefficient = (name: ActivationName) => activations[name].coefficient !== null;
  const withCoefficient = activationNames.filter(takesCoefficient).join('|');
  return [
    { enum: activationNames.filter((name) => !fixed || !isLearned(name)) },
    { pattern: `^(${withCoefficient})\\(\\s*${number}\\s*\\)$` },
  ];
}
