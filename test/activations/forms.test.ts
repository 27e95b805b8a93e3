import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activationForms } from '../../src/activations/forms.js';
import { activationNames, parseActivation, parseDerivative } from '../../src/activations/parse.js';

const written = [
  ...activationNames,
  ...activationNames.flatMap((name) => [`${name}(0.5)`, `${name}( 1e-1 )`, `${name}()`, `${name}(.)`]),
  'silo',
  'softplus (1)',
  'softplus(1',
  'softplus(1)(2)',
];

for (const [fixed, parse] of [
  [false, parseActivation],
  [true, parseDerivative],
] as const)
  test(`the forms take what ${parse.name} takes`, () => {
    const matches = (text: string) =>
      activationForms({ fixed }).some((form) =>
        'enum' in form ? form.enum.includes(text) : new RegExp(form.pattern).test(text),
      );
    const isParsed = (text: string) => {
      try {
        return parse(text) !== null;
      } catch {
        return false;
      }
    };
    assert.deepEqual(written.filter(matches), written.filter(isParsed));
    assert.ok(written.some(isParsed) && !written.every(isParsed));
  });
