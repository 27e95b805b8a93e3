/** Of two images that which is chosen, on every path: by the kernel, and by libtorch's operators where it does not apply. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { chooseImages } from '../../src/attacks/choose-images.js';
import { haveKernel } from '../../src/attacks/have-kernel.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { where } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { assertAlike, assertSteady, drawn, drawnImages, imageShapes } from '../support/kernel-twin.js';

setThreads(1);

it('is the image that is chosen', () =>
  scope(() => {
    const chosen = drawn('uniform', [1], 3).reshape([-1]).greater(0.5);
    for (const shape of imageShapes) {
      const [yes, no] = [drawnImages(shape, 1), drawnImages(shape, 2)];
      const wanted = where(chosen.reshape([-1, 1, 1, 1]), yes, no);
      assertAlike(chooseImages(chosen, yes, no), wanted, 'float64');
      const [first, second] = [yes.to('float32'), no.to('float32')];
      assertAlike(chooseImages(chosen, first, second), wanted.to('float32'), 'float32');
      assertSteady((of, one, other) => chooseImages(of!, one!, other!), [chosen, first, second]);
    }
  }));

it('has a kernel for float32 images of one shape on the CPU, outside any graph', () =>
  scope(() => {
    const x = drawnImages([1, 4, 4], 1).to('float32');
    assert.ok(haveKernel(x) && haveKernel(x, x.add(1)));
    assert.ok(!haveKernel(x, x.to('float64')));
    assert.ok(!haveKernel(x, x.narrow(0, 0, 1)));
    assert.ok(!haveKernel(x, x.flatten(1)));
    assert.ok(!haveKernel(x, x.toDevice('meta')));
    assert.ok(!haveKernel(x, x.clone().requireGrad_()));
  }));
