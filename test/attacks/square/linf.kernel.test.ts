/** The kernel of Square's move in L∞ has the bits of its twin of libtorch's operators. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changeSquare, composedChangeOfSquare } from '../../../src/attacks/square/linf.js';
import { signOf } from '../../../src/attacks/square/window.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { assertAlike, assertSteady, drawn, drawnImages, imageShapes } from '../../support/kernel-twin.js';

setThreads(1);

const inputs = (shape: readonly [number, number, number], side: number) => {
  const [channels, height, width] = shape;
  const x = drawnImages(shape, 1);
  const first = (span: number, salt: number) =>
    drawn('uniform', [1, 1, 1], salt)
      .mul(span + 1)
      .to('int64');
  return [
    x.to('float32'),
    x.add(drawn('normal', shape, 2).mul(0.05)).to('float32'), // in part outside of ball and box
    first(height - side, 3),
    first(width - side, 4),
    signOf(drawn('uniform', [channels, 1, 1], 5)).to('float32'),
  ];
};

const changed =
  (change: typeof changeSquare, side: number, epsilon: number) =>
  (...[x, best, top, left, signs]: readonly Tensor[]) =>
    change({ x: x!, best: best! }, { window: { side, top: top!, left: left! }, signs: signs!, epsilon });

describe("the kernel of Square's move in L∞", () => {
  for (const shape of imageShapes)
    it(`has the bits of its twin: images of ${shape.join('x')}`, () =>
      scope(() => {
        const most = Math.min(shape[1], shape[2]);
        for (const side of new Set([1, Math.ceil(most / 2), most])) {
          const at = inputs(shape, side);
          const kernel = changed(changeSquare, side, 8 / 255);
          assertAlike(kernel(...at), changed(composedChangeOfSquare, side, 8 / 255)(...at), 'move');
          if (side === most) assertSteady(kernel, at);
        }
      }));

  it('leaves alone what is no number, and refuses a window outside of the image', () =>
    scope(() => {
      const [x, best, top, left, signs] = inputs([3, 7, 5], 2) as [Tensor, Tensor, Tensor, Tensor, Tensor];
      const unknown = best.mul(Number.NaN);
      const of = (each: Tensor, from: Tensor) => [x, each, from, left, signs] as const;
      const wanted = changed(composedChangeOfSquare, 2, 0.1)(...of(unknown, top));
      assertAlike(changed(changeSquare, 2, 0.1)(...of(unknown, top)), wanted, 'NaN');
      for (const by of [-7, 7])
        assert.throws(
          () => changed(changeSquare, 2, 0.1)(...of(best, top.add(by))),
          /Expected a window inside the image/,
        );
    }));
});
