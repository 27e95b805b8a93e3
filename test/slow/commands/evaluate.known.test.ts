/** A model with a published robust accuracy through the command line, on a file of its form with random weights. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { knownDescription } from '../../../src/models/known-models.js';
import { Model } from '../../../src/models/model.js';
import { toArrays } from '../../../src/weights/module-weights.js';
import { encodeSafetensors } from '../../../src/weights/safetensors.js';
import { satin } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-known-'));
after(() => rmSync(folder, { recursive: true }));

it('evaluate --known measures what is published and says both', () => {
  const names = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
  writeFileSync(join(folder, 'batches.meta.txt'), names.map((name) => `${name}\n`).join(''));
  const images = Buffer.alloc(10_000 * 3073, 90);
  for (let image = 0; image < 10_000; image++) images[image * 3073] = image % 10;
  writeFileSync(join(folder, 'test_batch.bin'), images);
  using model = Model.create({ ...knownDescription('Sehwag2021Proxy_R18'), normalise: null }, { seed: 0 });
  const weights = join(folder, 'model_best.safetensors');
  const arrays = toArrays(model.network.state()).map((array) => ({
    ...array,
    name: `module.${array.name}`,
  }));
  writeFileSync(weights, encodeSafetensors(arrays, { format: 'pt' }));
  const { status, stdout, stderr } = satin(
    ...['evaluate', weights, '--known', 'Sehwag2021Proxy_R18', '--data-dir', folder],
    ...['--examples', '10', '--batch', '10', '--device', 'cpu', '--attack', 'fgsm'],
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^10 images of cifar10:test, L∞, ε = 8\/255, mode custom/);
  assert.match(stdout, /published {8}84\.59% clean, 55\.54% robust \(RobustBench, Sehwag2021Proxy_R18\)\n/);
  assert.match(stdout, /This was not measured with AutoAttack's standard set at ε = 8\/255\./);
});
