import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { parseEpsilon } from '../../src/user-input/epsilon.js';

function refuses(action: () => unknown, ...messages: RegExp[]): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof InputError, String(error));
    for (const message of messages) assert.match(error.message, message);
    return true;
  });
}

describe('a radius', () => {
  it('is read as people write it', () => {
    assert.deepEqual(parseEpsilon('8/255', 'linf'), { epsilon: 8 / 255, epsilonText: '8/255' });
    assert.deepEqual(parseEpsilon(' 8 / 255 ', 'linf').epsilon, 8 / 255);
    assert.deepEqual(parseEpsilon(0.5, 'l2'), { epsilon: 0.5, epsilonText: '0.5' });
    assert.equal(parseEpsilon('1e-3', 'linf').epsilon, 1e-3);
    assert.equal(parseEpsilon('3', 'l2').epsilon, 3);
  });

  it('is refused where it is none', () => {
    for (const text of ['', 'eight', '8/', '/255', '1/0', '0x10', '-1', 'Infinity', 'NaN', '8//255', '1/-2'])
      refuses(() => parseEpsilon(text, 'l2'), /Expected a number or fraction/);
    refuses(() => parseEpsilon('4/3', 'linf'), /at most 1/);
  });
});
