/** FAB's next point has the bits of libtorch's operators. */
import { describe, it } from 'node:test';
import {
  composedMixOfProjections,
  mixProjections,
  type Projections,
} from '../../src/attacks/mix-projections.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { where } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { assertAlike, assertSteady, drawn, drawnImages, imageShapes } from '../support/kernel-twin.js';

setThreads(1);

const named = ([x, fromPoint, origin, fromImage, alpha]: readonly Tensor[]): Projections =>
  ({ x, fromPoint, origin, fromImage, alpha }) as Projections;

const inputs = (shape: readonly number[]) =>
  [
    drawnImages(shape, 1),
    drawn('normal', shape, 2).mul(0.3),
    drawnImages(shape, 3),
    drawn('normal', shape, 4).mul(0.3),
    drawn('uniform', [1, 1, 1], 5).mul(0.1),
  ].map((each) => each.to('float32'));

describe('the mix of two projections', () => {
  for (const shape of imageShapes)
    it(`has the bits of libtorch's operators: images of ${shape.join('x')}`, () =>
      scope(() => {
        const at = inputs(shape);
        assertAlike(mixProjections(named(at)), composedMixOfProjections(named(at)), 'mix');
        assertSteady((...each) => mixProjections(named(each)), at);
      }));

  it('is the point before where one of its numbers is none', () =>
    scope(() => {
      const [x, fromPoint, ...others] = inputs([3, 7, 5]);
      const isHit = drawn('uniform', [3, 7, 5], 6).greater(0.99);
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const hit = named([x!, where(isHit, x!.mul(0).add(value), fromPoint!), ...others]);
        assertAlike(mixProjections(hit), composedMixOfProjections(hit), `${value}`);
      }
    }));
});
