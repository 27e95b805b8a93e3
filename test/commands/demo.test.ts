import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import type { DemoDescription } from '../../src/browser/demo-description.js';
import { loadDataset } from '../../src/data/load-dataset.js';
import type { ModelDescription } from '../../src/models/description.js';
import { writeWeights } from '../../src/runs/checkpoint.js';
import { toArrays } from '../../src/weights/module-weights.js';
import { lively } from '../support/lively-model.js';
import { description } from '../support/onnx-comparison.js';
import { satin, writeTinyMnist } from '../support/tiny-run.js';

const temporary = mkdtempSync(join(tmpdir(), 'satin-demo-'));
after(() => rmSync(temporary, { recursive: true }));
const data = join(temporary, 'data');
writeTinyMnist(data);

/** A weights file of a small network. */
function network(name: string, change: Partial<ModelDescription>): string {
  const path = join(temporary, `${name}.safetensors`);
  const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
  using model = lively({ ...description, classes, shape: [1, 8, 8], normalise: null, ...change });
  writeWeights(path, { model: model.description, weights: toArrays(model.network.state()) });
  return path;
}

const [relu, silu] = [network('relu', { activation: 'relu' }), network('silu', { activation: 'silu' })];
const threat = ['--norm', 'linf', '--epsilon', '0.1'];
const images = ['--data', 'mnist:test', '--data-dir', data, '--examples', '5'];

describe('satin demo', () => {
  it('writes a page, two networks, and the first test images to the byte', async () => {
    const out = join(temporary, 'demo');
    const ended = satin('demo', relu, silu, '--out', out, ...images, ...threat, '--seed', '3');
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stdout, /^Wrote .*demo: two networks and 5 images\. Serve it with any web server/);
    const written: DemoDescription = JSON.parse(readFileSync(join(out, 'demo.json'), 'utf8'));
    assert.deepEqual(
      written.networks.map(({ title, file }) => [title, file]),
      [
        ['ReLU', 'networks/1-relu.gradient.onnx'],
        ['SiLU', 'networks/2-silu.gradient.onnx'],
      ],
    );
    for (const { file, bytes } of written.networks) assert.equal(readFileSync(join(out, file)).length, bytes);
    assert.deepEqual(written.threat, { norm: 'linf', epsilon: 0.1, epsilonText: '0.1' });
    assert.deepEqual([written.seed, written.data, written.shape], [3, 'mnist:test', [1, 8, 8]]);

    const dataset = await loadDataset({ name: 'mnist', split: 'test', dir: data });
    assert.equal(written.images.length, 5);
    for (const [index, { file, label, id }] of written.images.entries()) {
      assert.equal(file, `images/000${index}-${label}.png`);
      assert.deepEqual([label, id], [dataset.labels[index], dataset.ids[index]]);
      const pixels = await sharp(join(out, file)).toColourspace('b-w').raw().toBuffer();
      assert.deepEqual([...pixels], [...dataset.images.subarray(64 * index, 64 * (index + 1))]);
    }

    assert.deepEqual(readdirSync(out).sort(), [
      'assets',
      'demo.json',
      'images',
      'index.html',
      'licences',
      'networks',
    ]);
    const page = readFileSync(join(out, 'index.html'), 'utf8');
    assert.doesNotMatch(
      page,
      /(src|href)="(\/|https?:)/,
      'it works in any folder, and loads nothing from elsewhere',
    );
    assert.ok(readdirSync(join(out, 'assets')).some((name) => name.endsWith('.wasm')));
  });

  const out = join(temporary, 'refused');
  const refusals: readonly (readonly [what: string, words: readonly string[], message: RegExp])[] = [
    [
      'networks of other classes',
      [relu, network('three', { classes: ['a', 'b', 'c'] }), ...images, ...threat],
      /a model with the classes of .*relu\.safetensors: 0, 1, .* for the second model but received 'a, b, c'/,
    ],
    [
      'networks of other images',
      [relu, network('colour', { shape: [3, 8, 8] }), ...images, ...threat],
      /a model with the input shape of .*: 1, 8, 8 for the second model but received '3, 8, 8'/,
    ],
    ['images of no known data set', [relu, silu, ...threat], /Expected a data set .* for --data/],
    ['no threat model', [relu, silu, ...images], /Expected linf, l2 or l1 for --norm/],
    [
      'a norm in which the page has no attack',
      [relu, silu, ...images, '--norm', 'l1', '--epsilon', '2'],
      /Expected linf or l2 for --norm but received 'l1'. The page attacks by PGD in these norms alone/,
    ],
  ];
  for (const [what, words, message] of refusals)
    it(`refuses ${what}`, () => {
      const ended = satin('demo', ...words, '--out', out);
      assert.equal(ended.status, 2, ended.stderr);
      assert.match(ended.stderr, message);
      assert.ok(!existsSync(out));
    });

  it('leaves a folder with something in it alone', () => {
    writeFileSync(join(data, 'mine'), 'mine');
    const ended = satin('demo', relu, silu, '--out', data, ...images, ...threat);
    assert.equal(ended.status, 2);
    assert.match(ended.stderr, /a folder that is empty or does not exist yet for --out/);
  });
});
