/** An evaluation that is interrupted or killed anywhere goes on to the same verdicts, and with nothing but its own. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type EvaluateRunOptions, evaluateRun } from '../../../src/app/evaluate/evaluate-run.js';
import { attackableModel, functionModel } from '../../../src/app/model/open-model.js';
import { type Dataset, subset } from '../../../src/data/dataset.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { InputError, InterruptedError } from '../../../src/errors.js';
import { newEvaluationFolder } from '../../../src/evaluation/folder/new-folder.js';
import { storedEvaluationFolder } from '../../../src/evaluation/folder/resume-folder.js';
import type { EvaluationResult } from '../../../src/evaluation/result.js';
import { cat } from '../../../src/tensor/create.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { clean } from '../../../src/training/objectives/objective.js';
import { readSafetensors } from '../../../src/weights/safetensors.js';
import { blobs, smallModel, training } from '../../support/blobs.js';
import { steadyClock } from '../../support/steady-clock.js';

setThreads(1);

const folder = mkdtempSync(join(tmpdir(), 'satin-evaluation-'));
after(() => rmSync(folder, { recursive: true }));
const place = (...names: readonly string[]) => join(folder, ...names);

const images = blobs(608);
const model = smallModel(images);
{
  using steps = training(model, images, clean());
  for (let step = 0; step < 38; step++) steps.step();
}
const data = subset(
  images,
  Array.from({ length: 96 }, (_, at) => at + 512),
);
after(() => model.dispose());

/** Images that were shown to the network as it was given or folded. */
let shown = 0;
const plain = attackableModel(model, { name: 'a model', digest: 'sha256:a' });
const counting: typeof plain = {
  ...plain,
  forAttacks() {
    const fast = plain.forAttacks();
    return {
      ranBy: fast.ranBy,
      classify(x) {
        shown += x.dimension(0);
        return fast.classify(x);
      },
      [Symbol.dispose]: () => fast[Symbol.dispose](),
    };
  },
};

const options: EvaluateRunOptions = {
  model: counting,
  data,
  attacks: ['fgsm', 'pgd-4-2', 'pgd-12'],
  norm: 'linf',
  epsilon: { epsilon: 0.02, epsilonText: '0.02' },
  seed: 0,
  batch: 20,
  alone: true,
  interrupted: () => false,
};
const kept = (path: string, resume = false) => ({
  folder: resume ? storedEvaluationFolder(path) : newEvaluationFolder(path),
});

/** All that an evaluation comes to, without what a clock wrote. */
const outcome = (result: EvaluationResult) =>
  JSON.parse(JSON.stringify(result, (key, value) => (key === 'seconds' || key === 'command' ? null : value)));
const stored = (path: string) =>
  readSafetensors(join(path, 'adversarial.safetensors')).arrays.map(({ name, shape, bytes }) => ({
    name,
    shape,
    bytes: Buffer.from(bytes).toString('hex'),
  }));

const whole = await evaluateRun({ ...options, ...kept(place('whole')) });

describe('an evaluation folder', () => {
  it('changes nothing of the result', async () => {
    const { result, evaluation } = await evaluateRun(options);
    assert.deepEqual(outcome(result), outcome(whole.result));
    assert.deepEqual(evaluation.adversarial, whole.evaluation.adversarial);
    assert.ok(result.attacks.every(({ broken }) => broken < result.examples));
    assert.ok(whole.evaluation.adversarial.size > 10);
  });

  it('holds the result, the images and each verdict', () => {
    assert.deepEqual(readdirSync(place('whole')).sort(), [
      'adversarial.safetensors',
      'evaluation.json',
      'manifest.json',
      'originals.safetensors',
      'verdicts.jsonl',
    ]);
    assert.deepEqual(
      outcome(JSON.parse(readFileSync(place('whole', 'evaluation.json'), 'utf8'))),
      outcome(whole.result),
    );
    const lines = readFileSync(place('whole', 'verdicts.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; attack?: string; id?: number; image?: number });
    const right = whole.result.perExample.filter((each) => each.clean).length;
    for (const { name, alone } of whole.result.attacks) {
      const own = lines.filter(({ attack }) => attack === name);
      assert.equal(own.length, right, name);
      assert.equal(new Set(own.map(({ id }) => id)).size, right, name);
      assert.equal(own.filter(({ type }) => type === 'broken').length, alone!.broken, name);
    }
    const images = lines.flatMap(({ image }) => (image === undefined ? [] : [image]));
    assert.deepEqual(images, [...images.keys()]);
    const [first] = stored(place('whole'));
    assert.deepEqual([first!.name, first!.shape], ['attacks', [images.length]]);
  });
});

describe('an evaluation that is interrupted', () => {
  it('anywhere resumes to the same verdicts and images, and does only what is left', async () => {
    using _clock = steadyClock();
    shown = 0;
    let pauses = 0;
    await evaluateRun({ ...options, ...kept(place('counted')), interrupted: () => ++pauses < 0 });
    const all = shown;
    const alive = memoryInfo().liveTensors;
    let stops = 0;
    for (const share of [0.4, 0.55, 0.7, 0.85, 0.98]) {
      const stopAfter = Math.floor(share * pauses);
      const path = place(`stopped-${stopAfter}`);
      let asked = 0;
      const attempt = evaluateRun({
        ...options,
        ...kept(path),
        interrupted: () => asked++ >= stopAfter,
      });
      const stopped = await attempt.then(
        () => false,
        (error) => {
          assert.ok(error instanceof InterruptedError, String(error));
          // In the checks there is nothing to keep yet.
          if (!existsSync(join(path, 'manifest.json'))) return false;
          assert.match(error.message, /^Interrupted; what was found is in .*stopped-\d+\.$/);
          return true;
        },
      );
      if (!stopped) continue;
      stops += 1;
      shown = 0;
      const { result, evaluation } = await evaluateRun({ ...options, ...kept(path, true) });
      assert.deepEqual(outcome(result), outcome(whole.result));
      assert.deepEqual(evaluation.adversarial, whole.evaluation.adversarial);
      assert.deepEqual(stored(path), stored(place('whole')));
      if (share > 0.9) assert.ok(shown < 0.8 * all, `after ${stopAfter}: ${shown} of ${all} passes`);
    }
    assert.ok(stops >= 4, `${stops} interruptions`);
    assert.equal(memoryInfo().liveTensors, alive);
  });

  it('by a kill too, with files cut off anywhere', async () => {
    // What lies on the disk each time a batch is done is what a killed process leaves.
    const copies: string[] = [];
    let told = 0;
    await evaluateRun({
      ...options,
      ...kept(place('copied')),
      onProgress: ({ stage, done }) => {
        if (stage === 'clean' || done === 0 || ++told % 2 === 0) return;
        const copy = place(`copy-${copies.length}`);
        cpSync(place('copied'), copy, { recursive: true });
        rmSync(join(copy, 'lock')); // the process that held it is gone
        copies.push(copy);
      },
    });
    assert.ok(copies.length >= 5, `${copies.length} copies`);
    for (const [at, copy] of copies.entries()) {
      const [lines, images] = [join(copy, 'verdicts.jsonl'), join(copy, 'images.f32')];
      if (at % 4 === 1) truncateSync(lines, statSync(lines).size - 9);
      if (at % 4 === 2) truncateSync(images, Math.max(0, statSync(images).size - 100));
      if (at % 4 === 3) appendFileSync(images, Buffer.alloc(700));
      const { result } = await evaluateRun({ ...options, ...kept(copy, true) });
      assert.deepEqual(outcome(result), outcome(whole.result), copy);
      assert.deepEqual(stored(copy), stored(place('whole')));
    }
  });

  it('at its very end resumes to its result, without a pass of an attack', async () => {
    shown = 0;
    const { result } = await evaluateRun({ ...options, ...kept(place('whole'), true) });
    assert.deepEqual(outcome(result), outcome(whole.result));
    assert.ok(shown < 300, `${shown} passes for the checks`);
    assert.ok(!existsSync(place('whole', 'images.f32')));
  });
});

describe('resuming is refused', () => {
  const refused = (
    changed: Partial<EvaluateRunOptions> | (() => Partial<EvaluateRunOptions>),
    sentence: RegExp,
  ) => {
    const attempt = async () => {
      const own = typeof changed === 'function' ? changed() : { ...kept(place('whole'), true), ...changed };
      return await evaluateRun({ ...options, ...own });
    };
    return assert.rejects(attempt, (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, sentence);
      return true;
    });
  };

  it('with another model, data, seed, norm, ε, attack or batch, each by its name', async () => {
    await refused(
      { model: { ...counting, digest: 'sha256:b' } },
      /but modelDigest is 'sha256:b' and was 'sha256:a'\. Resume with the original settings/,
    );
    const first = subset(data, [...data.ids.keys()].slice(0, 95));
    await refused({ data: first }, /but examples is 95 and was 96/);
    const changed = { ...data, images: data.images.map((byte, at) => (at === 7 ? byte ^ 1 : byte)) };
    await refused({ data: changed }, /but pixelsDigest is 'sha256:\w+' and was/);
    await refused({ seed: 1 }, /but seed is 1 and was 0/);
    await refused({ norm: 'l2' }, /but norm is 'l2' and was 'linf'/);
    await refused({ epsilon: { epsilon: 0.03, epsilonText: '0.03' } }, /but epsilon is 0\.03 and was 0\.02/);
    await refused({ attacks: ['fgsm'] }, /but attacks is \["fgsm"\] and was \["fgsm","pgd-4-2","pgd-12"\]/);
    await refused({ alone: false }, /but alone is false and was true/);
    await refused({ batch: 21 }, /Expected 20, as when the evaluation started, for `batch` but received 21/);
  });

  it('from a folder that is none, whose images changed, or which another process writes', async () => {
    await refused(() => kept(place('nowhere'), true), /Expected an evaluation folder for `resume`/);
    cpSync(place('whole'), place('damaged'), { recursive: true });
    appendFileSync(place('damaged', 'verdicts.jsonl'), '{"type":"guessed"}\n');
    await refused(() => kept(place('damaged'), true), /Expected a verdict in line \d+ of .*damaged/);
    cpSync(place('whole'), place('held'), { recursive: true });
    const evaluating = evaluateRun({ ...options, ...kept(place('held'), true) });
    await refused(() => kept(place('held'), true), /Expected a run that no other process uses/);
    await evaluating;
  });

  it('and so is a second evaluation in one folder', async () => {
    await refused(() => kept(place('whole')), /empty or does not exist yet .* Use `resume` to continue/);
  });
});

describe('the size of the batches', () => {
  it('is measured where nobody says it, kept, and used again', async () => {
    const { batch: _, ...measuring } = options;
    const { result } = await evaluateRun({ ...measuring, ...kept(place('measured')) });
    const { size, measured } = result.batch;
    assert.ok(measured !== null && Object.hasOwn(measured, size));
    assert.ok(Object.values(measured).every((speed) => speed > 0));
    assert.deepEqual(
      result.perExample.map(({ brokenBy }) => brokenBy),
      whole.result.perExample.map(({ brokenBy }) => brokenBy),
    );
    const again = await evaluateRun({ ...measuring, ...kept(place('measured'), true) });
    assert.deepEqual(again.result.batch, { size, measured });
  });
});

describe('the mode of a result', () => {
  const dots: Dataset = {
    name: 'dots',
    classes: ['a', 'b', 'c', 'd'],
    shape: [1, 2, 2],
    images: new Uint8Array(32).map((_, index) => (index * 7) % 256),
    labels: new Uint8Array(8),
    ids: Uint32Array.from({ length: 8 }, (_, index) => index),
    order: 'file',
    warnings: [],
  };
  /** Always the second class, so that no attack has anything to do. */
  const wrong = (x: Tensor, jitter: number) => {
    const pixel = x.mean([1, 2, 3]).unsqueeze(1); // [n, 1]
    return cat([pixel, pixel.add(1 + jitter), pixel.mul(0.5), pixel.mul(0.25)], 1);
  };
  const modeOfRand = async (jitter: () => number) => {
    const classify = (x: Tensor) => wrong(x, jitter());
    const model = functionModel({ name: 'dots', classify });
    const rand = ['apgd-ce-eot20', 'apgd-dlr-eot20'];
    const { result } = await evaluateRun({ ...options, model, data: dots, attacks: rand, alone: false });
    return [result.mode, result.flags.some(({ code }) => code === 'random-model')];
  };

  it('is a set of AutoAttack, but custom for a model that is judged by 20 passes', async () => {
    assert.deepEqual(await modeOfRand(() => 0), ['rand', false]);
    assert.deepEqual(await modeOfRand(() => Math.random()), ['custom', true]);
  });
});
