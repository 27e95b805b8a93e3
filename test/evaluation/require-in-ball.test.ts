import assert from 'node:assert/strict';
import { it } from 'node:test';
import { norms } from '../../src/attacks/norms.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { RunError } from '../../src/errors.js';
import { requireInBall } from '../../src/evaluation/require-in-ball.js';
import { tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';

setThreads(1);

/** Claims that the second of two images, grey but for a white pixel, was moved by so much in each of its pixels. */
const claim = (norm: 'linf' | 'l2', epsilon: number, ...moves: readonly [number, number]) =>
  scope(() => {
    const x = tensor(Float32Array.of(0, 0, 0.5, 1), [2, 1, 1, 2]);
    const image = Float32Array.of(0.5 + moves[0], 1 + moves[1]);
    requireInBall(x, [{ row: 1, image }], { attack: 'test', threat: { norm: norms[norm], epsilon } });
  });
const refused = (code: string) => (error: unknown) =>
  error instanceof RunError && error.code === code && error.message.startsWith('test returned an image');

it('an image inside ball and box is believed', () => {
  claim('linf', 0.25, 0.25, -0.25);
  claim('l2', 0.5, 0.3, -0.4);
});

it('one that left the ball or the box is an error, as is one that is no number', () => {
  assert.throws(() => claim('linf', 0.25, 0.26, 0), refused('attack-left-its-ball'));
  assert.throws(() => claim('l2', 0.25, 0.2, -0.2), refused('attack-left-its-ball'));
  assert.throws(() => claim('linf', 0.25, 0, 0.125), refused('attack-left-the-box'));
  assert.throws(() => claim('linf', 0.25, Number.NaN, 0), refused('attack-left-its-ball'));
});
