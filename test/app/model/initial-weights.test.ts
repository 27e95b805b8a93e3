/** A network that begins with the weights of another. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { initialise, readInitialWeights } from '../../../src/app/model/initial-weights.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import type { ModelDescription } from '../../../src/models/description.js';
import { Model } from '../../../src/models/model.js';
import { writeWeights } from '../../../src/runs/checkpoint.js';
import { toArrays } from '../../../src/weights/module-weights.js';
import { bits, file, form, normalise, refuses, tiny } from '../../support/foreign-weights.js';
import {
  checkpointNamed,
  descriptionOf,
  importCheckpoint,
  prefixOf,
} from '../../support/tensorflow-checkpoints.js';

setThreads(1);
const temporary = mkdtempSync(join(tmpdir(), 'satin-initial-weights-'));
after(() => rmSync(temporary, { recursive: true }));

describe('training that begins with them', () => {
  const description: ModelDescription = { ...form, normalise };
  const begun = (path: string, change: Partial<ModelDescription> = {}, newHead = false) => {
    using model = Model.create({ ...description, ...change }, { seed: 9 });
    const init = readInitialWeights(path);
    initialise(model, init, { newHead });
    return toArrays(model.network.state());
  };

  it('has their bits', () => {
    for (const name of ['tiny.pt', 'wrapped.pt'])
      assert.deepEqual(bits(begun(file(name))), bits(tiny.arrays));
  });

  it('has a fresh head where that is asked for', () => {
    const classes = ['x', 'y'];
    refuses(
      () => begun(file('tiny.pt'), { classes }),
      /2 classes for `init` but received '.*tiny\.pt with 3'\. Set `newHead`/,
    );
    const weights = bits(begun(file('tiny.pt'), { classes }, true));
    for (const [name, array] of bits(tiny.arrays))
      if (name.startsWith('linear.')) assert.notEqual(weights.get(name)?.bytes, array.bytes);
      else assert.deepEqual(weights.get(name), array);
  });

  it('is refused with another normalisation, and told which', () => {
    refuses(
      () => begun(file('wrapped.pt'), { normalise: null }),
      /model\.normalise but received null\. Set model\.normalise=\{mean: \[0\.5, 0\.4375, 0\.375\]/,
    );
  });

  it('has those of a checkpoint of TensorFlow, and is refused with another padding', () => {
    const checkpoint = checkpointNamed('resnet50-silu');
    const { model } = importCheckpoint(checkpoint);
    using imported = model;
    const same: ModelDescription = { ...descriptionOf(checkpoint), normalise: null };
    const state = toArrays(imported.network.state());
    assert.deepEqual(bits(begun(prefixOf(checkpoint.name), same)), bits(state));

    const own = join(temporary, 'same.safetensors');
    writeWeights(own, { model: imported.description, weights: state });
    assert.deepEqual(bits(begun(own, same)), bits(state));
    refuses(
      () => begun(own, { ...same, padding: undefined }),
      /a resnet50 of width 0\.03125 for `init` but received 'a resnet50 of width 0\.03125 with model\.padding same'/,
    );
  });

  it('is refused with TorchScript', () => {
    const script = fileURLToPath(new URL('../../../../test/golden/torchscript/traced.pt', import.meta.url));
    refuses(() => readInitialWeights(script), /weights for `init` but received .*It is TorchScript/);
  });
});
