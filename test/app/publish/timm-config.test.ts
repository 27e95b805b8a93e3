/** The config with which timm builds a network, and the networks that it does not have. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { timmConfig } from '../../../src/app/publish/timm-config.js';
import type { ModelDescription } from '../../../src/models/description.js';

const resnet: ModelDescription = {
  architecture: 'resnet50',
  width: 1,
  activation: 'silu',
  classes: ['cat', 'dog'],
  shape: [3, 224, 224],
  normalise: { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] },
  transform: { resize: 256, filter: 'bicubic', centre: 'torchvision' } as ModelDescription['transform'],
};
const config = (change: Partial<ModelDescription>) =>
  timmConfig({ ...resnet, ...change }) as {
    architecture: string;
    model_args: object;
    label_names?: string[];
    pretrained_cfg: Record<string, unknown>;
  } | null;

describe('the config for timm', () => {
  it('names network, activation, classes and what becomes of an image', () => {
    const { architecture, model_args, label_names, pretrained_cfg } = config({})!;
    assert.equal(architecture, 'resnet50');
    assert.deepEqual(model_args, { act_layer: 'silu' });
    assert.deepEqual(label_names, ['cat', 'dog']);
    assert.deepEqual(pretrained_cfg.mean, [0.4, 0.5, 0.6]);
    assert.deepEqual(
      [pretrained_cfg.crop_pct, pretrained_cfg.interpolation, pretrained_cfg.classifier],
      [224 / 256, 'bicubic', 'fc'],
    );
    const raw = config({ normalise: null, shape: [1, 32, 32], classes: ['class 0', 'class 1'] })!;
    assert.deepEqual(raw.pretrained_cfg.std, [1]);
    assert.deepEqual(raw.model_args, { act_layer: 'silu', in_chans: 1 });
    assert.equal(raw.label_names, undefined);
  });

  it("knows TensorFlow's padding of EfficientNet by its name", () => {
    const padded = { architecture: 'efficientnet-b0', padding: 'same' } as const;
    assert.equal(config({ ...padded, normEpsilon: 1e-3 })!.architecture, 'tf_efficientnet_b0');
    assert.equal(config({ architecture: 'efficientnet-b0' })!.pretrained_cfg.classifier, 'classifier');
    assert.equal(config(padded), null, 'with another ε of batch norm');
  });

  it('is none where timm has no such network', () => {
    for (const change of [
      { architecture: 'resnet18' },
      { architecture: 'resnext50-32x8d' },
      { width: 0.5 },
      { activation: 'softplus(10)' },
      { activation: 'elu(2)' },
      { padding: 'same' },
      { normEpsilon: 1e-3 },
    ] as const)
      assert.equal(config(change), null, JSON.stringify(change));
  });
});
