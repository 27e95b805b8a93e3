/** `satin verify`: what an evaluation kept is checked again with nothing but its folder and a model. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { evaluateRun } from '../../../src/app/evaluate/evaluate-run.js';
import { verifyRun } from '../../../src/app/evaluate/verify-run.js';
import { openModel } from '../../../src/app/model/open-model.js';
import { readModelFile } from '../../../src/app/model/read-model-file.js';
import { subset } from '../../../src/data/dataset.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import { newEvaluationFolder } from '../../../src/evaluation/folder/new-folder.js';
import { fileDigest } from '../../../src/files/digest.js';
import type { Model } from '../../../src/models/model.js';
import { writeCheckpoint } from '../../../src/runs/checkpoint.js';
import { clean } from '../../../src/training/objectives/objective.js';
import { toArrays } from '../../../src/weights/module-weights.js';
import { encodeSafetensors, type NamedArray, readSafetensors } from '../../../src/weights/safetensors.js';
import { blobs, smallModel, training } from '../../support/blobs.js';
import { satin } from '../../support/tiny-run.js';

setThreads(1);

const folder = mkdtempSync(join(tmpdir(), 'satin-verify-'));
after(() => rmSync(folder, { recursive: true }));
const place = (...names: readonly string[]) => join(folder, ...names);

const images = blobs(608);
const data = subset(
  images,
  Array.from({ length: 64 }, (_, at) => at + 512),
);

/** The path of a checkpoint of a network that was trained for a moment. */
function trained(name: string, options: { activation: string; seed: number }): string {
  using model: Model = smallModel(images, options);
  using steps = training(model, images, clean());
  for (let step = 0; step < 38; step++) steps.step();
  const { classes, shape, ...rest } = model.description;
  mkdirSync(place(name));
  writeCheckpoint({
    run: place(name),
    name: 'best',
    step: 38,
    model: { ...rest, normalise: null, classes: [...classes], shape: [...shape] },
    weights: toArrays(model.network.state()),
    state: null,
  });
  return place(name, 'checkpoints', 'best.json');
}
const own = trained('own', { activation: 'silu', seed: 1 });
const other = trained('other', { activation: 'relu', seed: 2 });

const evaluated = async (name: string, norm: 'linf' | 'l2', epsilon: number) => {
  using model = openModel(own);
  const { result } = await evaluateRun({
    model,
    data,
    attacks: ['fgsm', 'pgd-6'],
    norm,
    epsilon: { epsilon, epsilonText: String(epsilon) },
    seed: 0,
    batch: 50,
    folder: newEvaluationFolder(place(name)),
    interrupted: () => false,
  });
  return result;
};
const linf = await evaluated('linf', 'linf', 0.02);
const l2 = await evaluated('l2', 'l2', 0.2);
const brokenOf = ({ attacks }: typeof linf) => attacks.reduce((sum, { broken }) => sum + broken, 0);

/** A copy of the evaluation in L∞ whose adversarial images were changed; `pixels` are those of the first one. */
const changed = (name: string, change: (pixels: Float32Array, original: Float32Array) => void) => {
  cpSync(place('linf'), place(name), { recursive: true });
  const file = place(name, 'adversarial.safetensors');
  const { arrays, metadata } = readSafetensors(file);
  const bytes = (of: string) => arrays.find((array) => array.name === of)!.bytes;
  const id = Number(new BigInt64Array(bytes('ids').slice().buffer)[0]);
  const at = data.ids.indexOf(id) * 128;
  const found = new Float32Array(bytes('images').buffer, bytes('images').byteOffset, 128);
  change(
    found,
    Float32Array.from(data.images.subarray(at, at + 128), (byte) => byte / 255),
  );
  writeFileSync(file, encodeSafetensors(arrays, metadata));
  return { path: place(name), id };
};

describe('adversarial images that were kept', () => {
  it('verify, all of them, in both norms', () => {
    const before = memoryInfo().liveTensors;
    for (const [name, result] of [
      ['linf', linf],
      ['l2', l2],
    ] as const) {
      const verification = verifyRun({ folder: place(name), model: readModelFile(own) });
      assert.ok(verification.images > 10);
      assert.equal(verification.images, brokenOf(result));
      assert.deepEqual(verification.failed, []);
      assert.equal(verification.verified, verification.images);
      assert.equal(verification.fooled, verification.images);
      assert.deepEqual([verification.isSameModel, verification.isFinished], [true, true]);
    }
    assert.equal(memoryInfo().liveTensors, before);
  });

  it('need no attack’s word: one that was moved out of the ball or the box is named', () => {
    const far = changed('far', (pixels, original) => {
      pixels[5] = original[5]! + (original[5]! > 0.5 ? -0.0201 : 0.0201);
    });
    const [failed, ...rest] = verifyRun({ folder: far.path, model: readModelFile(own) }).failed;
    assert.deepEqual(rest, []);
    assert.equal(failed!.id, far.id);
    assert.ok(failed!.because.includes('outside-ball'));
    assert.ok(Math.abs(failed!.distance - 0.0201) < 1e-6);

    const dark = changed('dark', (pixels) => {
      pixels[9] = -0.001;
    });
    assert.ok(
      verifyRun({ folder: dark.path, model: readModelFile(own) }).failed[0]!.because.includes('outside-box'),
    );
    const nothing = changed('nothing', (pixels) => {
      pixels[3] = Number.NaN;
    });
    assert.ok(
      verifyRun({ folder: nothing.path, model: readModelFile(own) }).failed[0]!.because.includes(
        'outside-box',
      ),
    );
  });

  it('must be misclassified: the original itself is no adversarial image', () => {
    const same = changed('same', (pixels, original) => pixels.set(original));
    const { failed, verified, images: count } = verifyRun({ folder: same.path, model: readModelFile(own) });
    assert.deepEqual(
      failed.map(({ id, because, distance }) => ({ id, because, distance })),
      [{ id: same.id, because: ['classified-rightly'], distance: 0 }],
    );
    assert.equal(verified, count - 1);
  });

  it('are refused beside originals that are others', () => {
    cpSync(place('linf'), place('swapped'), { recursive: true });
    const file = place('swapped', 'originals.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    assert.throws(
      () => verifyRun({ folder: place('swapped'), model: readModelFile(own) }),
      (error) =>
        error instanceof InputError && /Expected the evaluated images .* but they are/.test(error.message),
    );
  });

  it('are refused beside originals whose columns are no columns of theirs', () => {
    const refused = (name: string, change: (column: NamedArray) => NamedArray, sentence: RegExp) => {
      cpSync(place('linf'), place('columns'), { recursive: true });
      const file = place('columns', 'originals.safetensors');
      const arrays = readSafetensors(file).arrays.map((each) => (each.name === name ? change(each) : each));
      writeFileSync(file, encodeSafetensors(arrays));
      assert.throws(
        () => verifyRun({ folder: place('columns'), model: readModelFile(own) }),
        (error) =>
          error instanceof InputError && sentence.test(error.message) && error.message.includes(file),
      );
      rmSync(place('columns'), { recursive: true });
    };
    const numbers = (name: string, values: readonly number[]): NamedArray => ({
      name,
      dtype: 'I64',
      shape: [values.length],
      bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
    });
    const sixtyFour = (value: number) => Array.from({ length: 64 }, () => value);
    refused('labels', () => numbers('labels', [1, 2]), /Expected labels I64 \[64\] .* received I64 \[2\]/);
    refused('labels', () => numbers('labels', [...sixtyFour(0), 0]), /received I64 \[65\]/);
    refused(
      'labels',
      () => numbers('labels', sixtyFour(200)),
      /Expected labels from 0 to \d+ .* received 200/,
    );
    refused('labels', (old) => ({ ...old, dtype: 'F64' }), /received F64/);
    refused('ids', () => numbers('ids', sixtyFour(-1)), /Expected ids from 0 to 4294967295 .* received -1/);
    refused('images', (old) => ({ ...old, shape: [old.bytes.length] }), /Expected images U8 \[N, C, H, W\]/);
  });

  it('are refused where a verdict is of no image, example or attack of the evaluation', () => {
    const refused = (from: RegExp, to: string, sentence: RegExp) => {
      cpSync(place('linf'), place('lines'), { recursive: true });
      const file = place('lines', 'verdicts.jsonl');
      const text = readFileSync(file, 'utf8');
      assert.match(text, from);
      writeFileSync(file, text.replace(from, to));
      const { status, stdout, stderr } = satin('verify', place('lines'), '--threads', '1');
      assert.deepEqual([status, stdout], [2, ''], stderr);
      assert.match(stderr, sentence);
      assert.match(stderr, /satin: [^\n]+\n$/);
      rmSync(place('lines'), { recursive: true });
    };
    refused(
      /"image":0/,
      '"image":1000000000',
      /Expected the image of line \d+ .* finished evaluation has \d+ images/,
    );
    refused(/"image":1\}/, '"image":0}', /Expected image 1 in line \d+ .* received 0/);
    refused(/"image":1\}/, '"image":-1}', /Expected a verdict in line \d+/);
    refused(
      /"attack":"fgsm"/,
      '"attack":"magic"',
      /an attack of the evaluation in line \d+ .* received 'magic'/,
    );
    refused(/"id":\d+/, '"id":999999', /an id of .* in line \d+ .* received 999999/);
  });

  it('tell of another model how many fool it, and fail only outside ball and box', () => {
    const found = verifyRun({ folder: place('linf'), model: readModelFile(other) });
    assert.equal(found.isSameModel, false);
    assert.equal(found.images, brokenOf(linf));
    assert.deepEqual(found.failed, []);
    assert.ok(found.fooled > 0 && found.fooled < found.images, `${found.fooled} of ${found.images}`);
    assert.ok(found.ofRight.images <= found.images && found.ofRight.fooled <= found.ofRight.images);
    const far = changed('far-too', (pixels) => {
      pixels[0] = 1.5;
    });
    const [failed] = verifyRun({ folder: far.path, model: readModelFile(other) }).failed;
    assert.deepEqual(failed!.because, ['outside-ball', 'outside-box']);
  });
});

describe('satin verify', () => {
  it('ends with 0 where all verify, with 1 and their names where one does not, with 2 for no folder', () => {
    const good = satin('verify', place('linf'), '--json', '-');
    assert.equal(good.status, 0, good.stderr);
    assert.equal(JSON.parse(good.stdout).verified, brokenOf(linf));

    const { path, id } = changed('moved', (pixels) => {
      pixels[0] = 2;
    });
    const bad = satin('verify', path, '--threads', '1');
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, new RegExp(`image ${id}, fgsm: outside-ball, outside-box`));
    assert.match(
      bad.stderr,
      /^On cpu \(\d+ threads?\), float32\.\nsatin: 1 of \d+ adversarial images failed verification\.\n$/,
    );

    const none = satin('verify', folder);
    assert.equal(none.status, 2);
    assert.match(none.stderr, /Expected an evaluation folder/);
  });
});

describe('a folder that names a program', () => {
  const program = fileURLToPath(new URL('../../../../test/golden/torchscript/traced.pt', import.meta.url));
  const named = (name: string, model: string) => {
    cpSync(place('linf'), place(name), { recursive: true });
    const manifest = place(name, 'manifest.json');
    const stored = JSON.parse(readFileSync(manifest, 'utf8')) as { model: string };
    writeFileSync(manifest, JSON.stringify({ ...stored, model }));
    return place(name);
  };

  it('does not have it run: it takes `model`, or the digest of the user’s own run', () => {
    const strange = named('strange', program);
    assert.throws(
      () => verifyRun({ folder: strange }),
      (error) =>
        error instanceof InputError &&
        error.code === 'program-not-named' &&
        error.message.includes(program) &&
        /`model`, or the `digest` of your own run/.test(error.message),
    );
    assert.throws(
      () => verifyRun({ folder: strange, digest: linf.modelDigest }),
      (error) => error instanceof InputError && error.message.includes(`the digest of ${program}`),
    );
    const said = satin('verify', strange);
    assert.equal(said.status, 2);
    assert.match(said.stderr, /Expected --model, or the --digest of your own run/);
    const digest = fileDigest(program);
    assert.equal(verifyRun({ folder: strange, digest }).isSameModel, false);
    assert.ok(verifyRun({ folder: place('linf'), digest: linf.modelDigest }).isSameModel);
  });
});
