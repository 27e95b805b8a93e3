/** The paper's largest network takes training steps on a small machine: weights, gradients and velocities fit into 4 GB. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { norms } from '../../../../src/attacks/norms.js';
import { memoryInfo } from '../../../../src/engine/engine-info.js';
import { publishedDropRates } from '../../../../src/models/architectures/names.js';
import { Model } from '../../../../src/models/model.js';
import { integers, tensor } from '../../../../src/tensor/create.js';
import { scope } from '../../../../src/tensor/scope.js';
import { adversarial } from '../../../../src/training/objectives/adversarial.js';
import { adversarialCrossEntropy } from '../../../../src/training/objectives/objective.js';
import { Sgd } from '../../../../src/training/optimizers/sgd.js';

it('EfficientNet-L1 takes a step of smooth adversarial training on two images of 64x64 within 5 GB', (t) => {
  const [images, side] = [2, 64];
  using model = Model.create(
    {
      architecture: 'efficientnet-l1',
      width: 1,
      activation: 'silu',
      classes: Array.from({ length: 1000 }, (_, label) => String(label)),
      shape: [3, side, side],
      normalise: null,
    },
    { seed: 0 },
  );
  t.diagnostic(`${model.parameterCount} parameters, ${memoryInfo().peakBytes} bytes at most to make them`);
  assert.ok(memoryInfo().peakBytes < 1.1 * 4 * model.parameterCount);
  using optimizer = new Sgd(model.network.parameters(), { momentum: 0.9, nesterov: true, weightDecay: 1e-4 });
  const epsilon = 4 / 255;
  const drop = publishedDropRates('efficientnet-l1') ?? undefined;
  using objective = adversarial({
    attack: {
      norm: norms.linf,
      epsilon,
      steps: 1,
      stepSize: epsilon,
      start: { kind: 'sat', clean: 0.2, clip: false },
      batchNorm: 'eval',
    },
    loss: adversarialCrossEntropy(0.1),
    pass: { train: true, ...(drop && { drop }) },
  });
  const began = performance.now();
  const losses = [0, 1].map((step) =>
    scope(() => {
      const pixels = Float32Array.from(
        { length: images * 3 * side * side },
        (_, i) => 0.5 + 0.5 * Math.sin(0.3 * i + step),
      );
      const batch = { x: tensor(pixels, [images, 3, side, side]), labels: integers([3, 7]), ids: [0, 1] };
      const place = { seed: 0, epoch: 1, step, stepsPerEpoch: 2, part: 0, first: 0 };
      const { loss, gradients } = objective.computeGradients(model, batch, place);
      optimizer.step(gradients, 0.01);
      return loss.item();
    }),
  );
  const { peakBytes } = memoryInfo();
  t.diagnostic(
    `losses ${losses}, ${((performance.now() - began) / 2000).toFixed(1)} s a step, ${peakBytes} bytes at most`,
  );
  assert.ok(losses.every(Number.isFinite), losses.join());
  assert.notEqual(losses[0], losses[1]);
  assert.ok(peakBytes < 5e9, `${peakBytes} bytes`);
});
