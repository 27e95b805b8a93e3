/** Every network has the names, shapes, parameters and MACs that torchvision's, timm's and RobustBench's have. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { type ModelName, modelNames, publishedDropRates } from '../../src/models/architectures/names.js';
import type { ModelDescription } from '../../src/models/description.js';
import { layerSummary } from '../../src/models/layer-summary.js';
import { Model } from '../../src/models/model.js';
import { readGolden } from '../support/golden.js';

setThreads(1);

interface GoldenCounts {
  readonly name: ModelName;
  readonly source: string;
  readonly classes: number;
  readonly parameters: number;
  readonly tensors: number;
  readonly state: string;
  /** By the side of the images. */
  readonly macs: Readonly<Record<string, number>>;
}

const golden = readGolden<{ networks: readonly GoldenCounts[] }>('network-counts').networks;

function describeNetwork(architecture: ModelName, options: Partial<ModelDescription> = {}) {
  const classes = Array.from({ length: 10 }, (_, label) => String(label));
  return { architecture, width: 1, activation: 'relu', classes, shape: [3, 32, 32], ...options } as const;
}

describe('networks', () => {
  it('are all in the golden file', () => {
    assert.deepEqual(
      golden.map(({ name }) => name),
      modelNames,
    );
  });

  for (const { name, classes: count, parameters, tensors, state, macs } of golden)
    it(`${name} has the names, parameters and MACs of its source`, () => {
      const classes = Array.from({ length: count }, (_, label) => String(label));
      for (const [side, expected] of Object.entries(macs)) {
        const shape = [3, Number(side), Number(side)] as const;
        const found = layerSummary(describeNetwork(name, { classes, shape }));
        assert.equal(found.macs, expected, `MACs at ${side}`);
        assert.equal(found.parameters, parameters);
        assert.equal(found.state.size, tensors);
        const lines = [...found.state].map(([key, each]) => `${key} [${each.join(', ')}]\n`);
        assert.equal(createHash('sha256').update(lines.join('')).digest('hex'), state);
      }
    });
});

describe('an outline', () => {
  it('takes hardly any memory, for the largest network', () => {
    const before = memoryInfo();
    const { parameters } = layerSummary(describeNetwork('efficientnet-l2', { shape: [3, 64, 64] }));
    const after = memoryInfo();
    assert.ok(parameters > 4e8);
    assert.equal(after.liveBytes, before.liveBytes);
    assert.ok(after.peakBytes - before.liveBytes < 2e8, `${after.peakBytes} bytes`);
  });

  it('tells each layer with its shapes, in the order in which they are computed', () => {
    const { layers, macs } = layerSummary(describeNetwork('resnet8'));
    assert.equal(layers[0]?.name, 'conv1');
    assert.deepEqual(layers[0], { name: 'conv1', input: [3, 32, 32], output: [16, 32, 32], macs: 442_368 });
    assert.deepEqual(layers.at(-1), { name: 'linear', input: [64], output: [10], macs: 640 });
    assert.equal(layers.length, 8);
    assert.equal(
      macs,
      layers.reduce((sum, layer) => sum + layer.macs, 0),
    );
  });

  it('follows the width factor, in groups and multiples of eight too', () => {
    const widths = (name: ModelName, width: number) => layerSummary(describeNetwork(name, { width })).state;
    const [wide, grouped, narrow] = [
      widths('wideresnet28-10', 0.1),
      widths('resnext50-32x4d', 0.5),
      widths('efficientnet-b0', 0.25),
    ];
    assert.deepEqual(wide.get('conv1.weight'), [2, 3, 3, 3]);
    assert.deepEqual(wide.get('fc.weight'), [10, 64]);
    assert.deepEqual(grouped.get('layer1.0.conv2.weight'), [64, 2, 3, 3]);
    assert.deepEqual(grouped.get('fc.weight'), [10, 1024]);
    assert.deepEqual(narrow.get('conv_stem.weight'), [8, 3, 3, 3]);
    assert.deepEqual(narrow.get('blocks.1.0.conv_dw.weight'), [48, 1, 3, 3]);
    assert.deepEqual(narrow.get('classifier.weight'), [10, 320]);
  });

  it('has a learned coefficient for each place of an activation', () => {
    const places = (name: ModelName) =>
      [...layerSummary(describeNetwork(name, { activation: 'smooth-relu' })).state.keys()].filter((key) =>
        /act\d?\.r$/.test(key),
      ).length;
    assert.equal(places('resnet50'), 1 + 3 * 16);
    assert.equal(places('resnet18-imagenet'), 1 + 2 * 8);
    assert.equal(places('wideresnet28-10'), 2 * 12 + 1);
    assert.equal(places('efficientnet-b0'), 1 + 2 + 3 * 15 + 1);
  });
});

it('a network names its last layer, the only one that knows the classes', () => {
  const kinds = ['resnet8', 'preact-resnet18', 'wideresnet28-10', 'resnet50', 'efficientnet-b0'] as const;
  for (const architecture of kinds) {
    const classes = ['a', 'b', 'c'];
    const description = describeNetwork(architecture, { width: 0.11, classes });
    using model = Model.create({ ...description, normalise: null }, { seed: null });
    const { head } = model.network;
    assert.equal(layerSummary(description).layers.at(-1)?.name, head);
    const knowing = [...model.network.state()].filter(([, { shape }]) => shape[0] === classes.length);
    assert.deepEqual(
      knowing.map(([name]) => name),
      [`${head}.weight`, `${head}.bias`],
      architecture,
    );
  }
});

it('docs/networks.md has the golden numbers of every network', () => {
  const page = readFileSync(new URL('../../../docs/networks.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([\w-]+)` \|[^|]+\| ([\d,]+) \| (\d+) \| ([\d,]+) \|$/gm)];
  const number = (text: string) => Number(text.replaceAll(',', ''));
  assert.deepEqual(
    rows.map(([, name, parameters, side, macs]) => [name, number(parameters!), side, number(macs!)]),
    golden.flatMap(({ name, parameters, macs }) =>
      Object.entries(macs).map(([side, count]) => [name, parameters, side, count]),
    ),
  );
});

it('only EfficientNet drops anything, as much as was published', () => {
  for (const name of modelNames)
    assert.equal(publishedDropRates(name) !== null, name.startsWith('efficientnet'), name);
  assert.deepEqual(publishedDropRates('efficientnet-b0'), { dropout: 0.2, stochasticDepth: 0.2 });
  assert.deepEqual(publishedDropRates('efficientnet-b5'), { dropout: 0.4, stochasticDepth: 0.2 });
  assert.deepEqual(publishedDropRates('efficientnet-l1'), { dropout: 0.5, stochasticDepth: 0.2 });
});
