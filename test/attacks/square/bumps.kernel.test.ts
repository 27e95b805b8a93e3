/** The kernel of Square's moves in L2 and L1, against its twin of libtorch's operators. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bumpProfile, changeWindows, composedChangeOfWindows } from '../../../src/attacks/square/bumps.js';
import { l1Bumps } from '../../../src/attacks/square/l1.js';
import { l2Bumps } from '../../../src/attacks/square/l2.js';
import { signOf } from '../../../src/attacks/square/window.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { assertAlike, assertSteady, drawn, drawnImages } from '../../support/kernel-twin.js';

setThreads(1);

type Change = typeof changeWindows;

describe("the kernel of Square's moves", () => {
  for (const norm of [l2Bumps, l1Bumps])
    for (const [channels, height, width, side] of [
      [1, 3, 3, 3],
      [3, 7, 5, 3],
      [1, 16, 16, 5],
      [3, 18, 17, 17],
    ] as const) {
      const shape = [channels, height, width];
      const first = (span: number, salt: number) =>
        drawn('uniform', [1, 1, 1], salt)
          .mul(span + 1)
          .to('int64');
      const windows = () => [
        first(height - side, 4),
        first(width - side, 5),
        first(height - side, 6),
        first(width - side, 7),
      ];
      const inputs = (size: number, signs: Tensor) => {
        const x = drawnImages(shape, 1);
        const best = x.add(drawn('normal', shape, 2).mul(size)).clamp(0, 1);
        const bump = tensor(Float64Array.from(bumpProfile(norm, side)), [side, side]).mul(signs);
        return [x, best, bump].map((each) => each.to('float32')).concat(windows());
      };
      const moved =
        (change: Change, epsilon: number) =>
        (...[x, best, bump, top, left, otherTop, otherLeft]: readonly Tensor[]) => {
          const to = { side, top: top!, left: left! };
          const from = { side, top: otherTop!, left: otherLeft! };
          return change(norm, { x: x!, best: best! }, { to, from, bump: bump!, epsilon });
        };

      it(`agrees with its twin: ${norm.name}, images of ${shape.join('x')}, windows of ${side}`, () =>
        scope(() => {
          const signs = signOf(drawn('uniform', [channels, 1, 1], 3));
          for (const epsilon of [0.5, 12])
            for (const size of [0, 0.001, 0.1]) {
              const at = inputs(size, signs);
              const wanted = moved(composedChangeOfWindows, epsilon)(...at);
              // In float32 norms of thousands of numbers are known to 1e-6.
              const tolerance = { relative: 0, absolute: 2e-6 };
              assertAlike(moved(changeWindows, epsilon)(...at), wanted, `${epsilon}, ${size}`, tolerance);
            }
          assertSteady(moved(changeWindows, 1), inputs(0.1, signs));
        }));

      if (side < width)
        it(`refuses a window outside of the image: ${norm.name}, ${shape.join('x')}`, () =>
          scope(() => {
            const at = inputs(0.1, signOf(drawn('uniform', [channels, 1, 1], 3)));
            for (const place of [3, 4, 5, 6])
              for (const by of [-20, 20]) {
                const beyond = at.map((each, which) => (which === place ? each.add(by) : each));
                assert.throws(() => moved(changeWindows, 1)(...beyond), /Expected a window inside the image/);
              }
          }));
    }
});
