import assert from 'node:assert/strict';
import { it } from 'node:test';
import { activationNames, parseActivation, parseDerivative } from '../../src/activations/parse.js';
import { InputError } from '../../src/errors.js';

it('a name stands for its default coefficient, which is not written back', () => {
  for (const name of activationNames) assert.equal(parseActivation(name).name, name);
  assert.equal(parseActivation(' softplus(10) ').name, 'softplus(10)');
  assert.equal(parseActivation('softplus(1e1)').name, 'softplus(10)');
  assert.equal(parseActivation('softplus(1)').name, 'softplus');
});

it('what is no activation is refused', () => {
  for (const text of ['', 'ReLU', 'swish', 'toString', 'softplus(', 'softplus 10'])
    assert.throws(
      () => parseActivation(text),
      /Expected (one of .*relu.*|an activation) for activation but received/,
      text,
    );
  assert.throws(() => parseActivation('relu(1)'), /relu without a coefficient/);
  for (const text of ['softplus()', 'softplus(x)', 'softplus(0)', 'softplus(NaN)'])
    assert.throws(() => parseActivation(text), /a number from .* for the coefficient β of softplus/, text);
});

it('a stand-in for a derivative learns nothing', () => {
  const learned = activationNames.filter((name) => parseActivation(name).learned !== null);
  assert.ok(learned.length > 0);
  for (const name of activationNames)
    if (learned.includes(name)) assert.throws(() => parseDerivative(name), InputError);
    else assert.equal(parseDerivative(name).name, name);
});
