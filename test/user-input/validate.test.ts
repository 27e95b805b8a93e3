import assert from 'node:assert/strict';
import { it } from 'node:test';
import { z } from 'zod';
import { InputError } from '../../src/errors.js';
import { oneOf, whole } from '../../src/user-input/schema-fields.js';
import { reportError, validate } from '../../src/user-input/validate.js';

const schema = z.strictObject({
  epochs: whole(1),
  model: z.strictObject({ activation: oneOf(['relu', 'silu']) }).default({ activation: 'relu' }),
  attack: z.discriminatedUnion('name', [
    z.strictObject({ name: z.literal('none') }),
    z.strictObject({ name: z.literal('pgd'), steps: whole(1).default(7) }),
  ]),
});

/** The sentences for an input that is refused. */
function sentences(input: unknown): string[] {
  try {
    validate({ schema, input, source: 'the test' });
  } catch (error) {
    assert.ok(error instanceof InputError && error.code === 'invalid-input', String(error));
    return error.message.split(/:\s+/).slice(1).join(': ').split(/\n\s*/);
  }
  assert.fail('it was taken');
}

it('what is valid comes back with its defaults', () => {
  assert.deepEqual(validate({ schema, input: { epochs: 3, attack: { name: 'pgd' } }, source: 'the test' }), {
    epochs: 3,
    model: { activation: 'relu' },
    attack: { name: 'pgd', steps: 7 },
  });
});

it('a wrong value is named by its path, with the name that was meant', () => {
  const attack = { name: 'none' };
  assert.deepEqual(sentences({ epochs: 0, attack }), [
    'Expected a whole number of at least 1 for epochs but received 0.',
  ]);
  assert.deepEqual(sentences({ epochs: 1, attack, model: { activation: 'slu' } }), [
    "Expected 'relu' or 'silu' for model.activation but received 'slu'. Did you mean 'silu'?",
  ]);
});

it('an unknown key is named with the nearest one, and where it would apply', () => {
  const attack = { name: 'none' };
  assert.deepEqual(sentences({ epochs: 1, attack, modle: {} }), [
    "Unknown key 'modle'. Did you mean 'model'?",
  ]);
  assert.deepEqual(sentences({ epochs: 1, attack: { name: 'none', steps: 3 } }), [
    "The key 'attack.steps' applies only if attack.name is 'pgd'.",
  ]);
});

it('every problem is told at once', () => {
  assert.equal(sentences({ epochs: 0, attack: { name: 'none' }, model: { activation: 1 } }).length, 2);
});

it('an error of Satin within a schema is told in its own words, any other is thrown', () => {
  const failing = (error: unknown) =>
    validate({
      schema: z.string().transform((_, context) => reportError(context, ['a'], error)),
      input: 'x',
      source: 'the test',
    });
  assert.throws(
    () => failing(InputError.expected('a', 'b', 'c')),
    /In the test: Expected a for b but received 'c'\./,
  );
  assert.throws(() => failing(new TypeError('oops')), TypeError);
});

it('ten thousand unknown keys make a message that can be read', () => {
  const keys = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, at) => [`key-${at}\n${'x'.repeat(100)}`, 1]),
  );
  const told = sentences({ epochs: 1, attack: { name: 'none' }, ...keys });
  assert.match(told[0]!, /^Unknown key 'key-0\\x0ax{60,71}\.\.\.'/);
  assert.equal(told.at(-1), 'and 9980 more.');
  assert.ok(told.length <= 21 && told.join().length < 4000);
});
