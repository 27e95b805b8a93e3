/**
 * Checkpoints that TensorFlow wrote with the variable names of the paper's released code, and what an independent
 * computation in TensorFlow makes of them (test/golden/tensorflow.json, made by
 * scripts/golden/tensorflow_checkpoints.py).
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import type { Classifier } from '../../../src/nn/classifier.js';
import { crossEntropy } from '../../../src/nn/losses.js';
import { integers, tensor } from '../../../src/tensor/create.js';
import { gradient } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import { readTensorFlowCheckpoint } from '../../../src/weights/tensorflow/checkpoint.js';
import { readWeightsFile } from '../../../src/weights/weights-file.js';
import { assertClose } from '../../support/close.js';
import { refuses } from '../../support/foreign-weights.js';
import {
  checkpointNamed,
  checkpoints,
  type GoldenOutput,
  imageOf,
  importCheckpoint,
  prefixOf,
  stateOf,
} from '../../support/tensorflow-checkpoints.js';

setThreads(1);
const folder = mkdtempSync(join(tmpdir(), 'satin-tensorflow-'));
after(() => rmSync(folder, { recursive: true }));

function outputsOf(classify: Classifier, side: number) {
  return scope(() => {
    const x = tensor(imageOf(side), [1, 3, side, side]).requireGrad_();
    const logits = classify(x);
    return {
      logits: logits.numbers(),
      slope: gradient(crossEntropy(logits, integers([3])), x).numbers(),
    };
  });
}

function check(classify: Classifier, { side, logits, gradient: slope }: GoldenOutput): void {
  const found = outputsOf(classify, side);
  const largest = Math.max(...logits.map(Math.abs));
  assertClose(found.logits, logits, { relative: 0, absolute: 1e-4 * largest }, 'logits');
  assertClose(
    slope.positions.map((place) => found.slope[place]!),
    slope.values,
    { relative: 0, absolute: 1e-3 * slope.largest },
    'input gradient',
  );
  assertClose([Math.hypot(...found.slope)], [slope.norm], { relative: 1e-3, absolute: 0 }, 'its norm');
}

describe('a checkpoint of TensorFlow', () => {
  it('is there for each kind of released network', () => {
    assert.deepEqual(
      checkpoints.map(({ name }) => name),
      ['resnet50-silu', 'resnet50-smoothrelu', 'resnext50-32x4d', 'efficientnet-b0'],
    );
  });

  for (const checkpoint of checkpoints)
    for (const output of checkpoint.outputs) {
      const { side } = output;
      const entry = checkpoint.name === 'efficientnet-b0' ? output.entry : undefined;
      it(`gives TensorFlow's logits and gradients: ${checkpoint.name} at ${side}${entry === undefined ? '' : `, ${entry}`}`, () => {
        using model = importCheckpoint(checkpoint, { ...(entry !== undefined && { entry }) }).model;
        check(model.classify, output);
        using folded = model.fold();
        check(folded.classify, output);
      });
    }

  it('needs the padding of TensorFlow where a side is even, and only there', () => {
    const checkpoint = checkpointNamed('resnet50-silu');
    using model = importCheckpoint(checkpoint, { padding: 'symmetric' }).model;
    for (const output of checkpoint.outputs) {
      const { logits } = outputsOf(model.classify, output.side);
      const largest = Math.max(...output.logits.map(Math.abs));
      const difference = Math.max(...output.logits.map((logit, at) => Math.abs(logit - logits[at]!)));
      assert.equal(
        difference > 1e-3 * largest,
        output.side === 48,
        `${output.side}: ${difference / largest}`,
      );
    }
  });

  it('is read with its moving averages where it has some, and its variables are used on request', () => {
    const checkpoint = checkpointNamed('efficientnet-b0');
    const [unsaid, ema, raw] = [undefined, 'ema', 'raw'].map((entry) => {
      using model = importCheckpoint(checkpoint, { ...(entry !== undefined && { entry }) }).model;
      return stateOf({ model });
    });
    assert.deepEqual(unsaid, ema);
    assert.notDeepEqual(ema, raw);
    const { skipped } = readTensorFlowCheckpoint(prefixOf(checkpoint.name));
    assert.ok(skipped.includes('global_step'));
    assert.ok(skipped.includes('efficientnet-b0/stem/conv2d/kernel/RMSProp'));
    assert.ok(skipped.includes('efficientnet-b0/stem/conv2d/kernel'));
    const none = prefixOf('resnet50-silu');
    refuses(
      () => readTensorFlowCheckpoint(none, 'ema'),
      /Expected raw for `entry` .* holds no moving averages/,
    );
    refuses(() => readTensorFlowCheckpoint(none, 'best'), /Expected raw or ema for `entry`/);
    assert.deepEqual(readTensorFlowCheckpoint(none).skipped, [
      'EMA/xentropy-loss',
      'conv0/W/Momentum',
      'global_step',
      'learning_rate',
    ]);
  });

  it('is refused for another network', () => {
    const checkpoint = checkpointNamed('resnet50-silu');
    refuses(
      () => importCheckpoint({ ...checkpoint, architecture: 'resnet101' }),
      /255 are missing \(layer3\.6\.conv1\.weight/,
    );
    refuses(
      () => importCheckpoint({ ...checkpoint, architecture: 'resnext50-32x4d' }),
      /of another shape \(layer1\.0\.conv1\.weight/,
    );
    refuses(
      () => importCheckpoint({ ...checkpoint, activation: 'smooth-relu' }),
      /49 are missing \(act1\.r, layer1\.0\.act1\.r/,
    );
    refuses(
      () => importCheckpoint({ ...checkpointNamed('efficientnet-b0'), architecture: 'efficientnet-b1' }),
      /missing/,
    );
    refuses(
      () => importCheckpoint({ ...checkpointNamed('resnet50-smoothrelu'), activation: 'silu' }),
      /49 are unexpected \(act1\.r/,
    );
  });

  it('is refused without all of its files, which all count in its digest', () => {
    const checkpoint = checkpointNamed('efficientnet-b0');
    const prefix = join(folder, 'whole');
    const parts = ['index', 'data-00000-of-00002', 'data-00001-of-00002'];
    for (const part of parts) copyFileSync(`${prefixOf(checkpoint.name)}.${part}`, `${prefix}.${part}`);
    const digests = [prefix, prefixOf('efficientnet-b0')].map((each) => {
      const { model, digest } = importCheckpoint(checkpoint, { prefix: each });
      model.dispose();
      return digest;
    });
    assert.equal(digests[0], digests[1]);
    assert.deepEqual(
      readWeightsFile(prefix).files,
      parts.map((part) => `${prefix}.${part}`),
    );
    rmSync(`${prefix}.data-00001-of-00002`);
    refuses(
      () => importCheckpoint(checkpoint, { prefix }),
      /a readable file for .*whole\.data-00001-of-00002 .*ENOENT.*one \.index and all its \.data files/,
    );
    rmSync(`${prefix}.index`);
    writeFileSync(`${prefix}.index`, '');
    refuses(() => importCheckpoint(checkpoint, { prefix }), /whole\.index but it has 0 bytes/);
  });
});
