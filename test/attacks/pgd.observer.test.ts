/** Whoever watches an attack sees every iterate, and who is done leaves the batch. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { norms } from '../../src/attacks/norms.js';
import type { Observer } from '../../src/attacks/observer.js';
import { pgd } from '../../src/attacks/pgd.js';
import { setThreads } from '../../src/engine/engine-info.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { integers } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { images, linearClassifier } from '../support/ball.js';

setThreads(1);

describe('an observer', () => {
  const options = { norm: norms.linf, epsilon: 0.1, steps: 4, stepSize: 0.05 };
  const labels = [0, 1, 0, 1, 0];

  it('sees every iterate, and what it is done with leaves the batch at once', () =>
    scope(() => {
      const { classify } = linearClassifier();
      const x = images(5, [0.3, 0.7]);
      const shown: (readonly number[])[] = [];
      const sizes: number[] = [];
      const counting: Classifier = (point) => {
        sizes.push(point.dimension(0));
        return classify(point);
      };
      // Lets example `step` go at its step, from 1 on.
      const observe: Observer = ({ x: point, logits, rows }) => {
        assert.equal(point.dimension(0), rows.length);
        assert.deepEqual(logits.shape, [rows.length, 2]);
        shown.push(rows);
        return rows.flatMap((row, place) => (row === shown.length - 1 && row > 0 ? [] : [place]));
      };
      const last = pgd(counting, { x, labels: integers(labels), start: x }, options, observe);
      assert.deepEqual(shown, [
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4],
        [0, 2, 3, 4],
        [0, 3, 4],
        [0, 4],
      ]);
      assert.deepEqual(sizes, [5, 5, 4, 3, 2]);
      // Those that stayed went on as if nobody had left.
      const alone = pgd(classify, { x, labels: integers(labels), start: x }, options);
      assert.deepEqual(last.numbers(), alone.indexSelect(0, integers([0, 4])).numbers());
    }));

  it('ends the descent where nobody is left', () =>
    scope(() => {
      let passes = 0;
      const counting: Classifier = (point) => {
        passes++;
        return linearClassifier().classify(point);
      };
      const x = images(5, [0.3, 0.7]);
      const last = pgd(counting, { x, labels: integers(labels), start: x }, options, ({ rows }) =>
        passes === 2 ? [] : rows.map((_, place) => place),
      );
      assert.equal(passes, 2);
      assert.deepEqual(last.shape, [0, 2, 3, 3]);
    }));

  it('costs one pass forward more: without it the last iterate is not looked at', () =>
    scope(() => {
      let passes = 0;
      const counting: Classifier = (point) => {
        passes++;
        return linearClassifier().classify(point);
      };
      const x = images(5, [0.3, 0.7]);
      const start = { x, labels: integers(labels), start: x };
      pgd(counting, start, options);
      assert.equal(passes, 4);
      pgd(counting, start, options, () => null);
      assert.equal(passes, 9);
    }));
});
