import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { epsilonCurve } from '../../../src/app/evaluate/epsilon-curve.js';
import { evaluateRun } from '../../../src/app/evaluate/evaluate-run.js';
import { loadExamples } from '../../../src/app/evaluate/load-examples.js';
import { readModel } from '../../../src/app/model/checkpoint-model.js';
import { attackableModel } from '../../../src/app/model/open-model.js';
import { chooseGallery } from '../../../src/app/report/choose-gallery.js';
import { reportInput } from '../../../src/app/report/report-input.js';
import { compareVerdicts, networkReport } from '../../../src/app/report/report-parts.js';
import { trainRun } from '../../../src/app/train/train-run.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { InputError } from '../../../src/errors.js';
import type { EvaluationResult } from '../../../src/evaluation/result.js';
import { parseRecipe } from '../../../src/recipe/recipe.js';
import { renderReport } from '../../../src/report/training/page.js';
import { readEvents } from '../../../src/runs/event-log.js';
import { tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-report-run-'));
after(() => rmSync(folder, { recursive: true }));
const dir = join(folder, 'mnist');
writeTinyMnist(dir);
setThreads(1);

const threat = { norm: 'linf', epsilon: 24 / 255, epsilonText: '24/255' } as const;
const rest = { seed: 0, batch: 32, interrupted: () => false };

/** A network that learned something, with what an evaluation and a curve say of it. */
async function measured(name: string, seed: number) {
  const run = join(folder, name);
  const tiny = tinyRecipe(dir);
  const schedule = { name: 'one-cycle', learningRate: 0.1, warmup: 3 };
  const training = { objective: 'clean', epochs: 15, batch: 16, seed, schedule };
  const recipe = parseRecipe(
    { ...tiny, data: { name: 'mnist', dir, validation: 32 }, training },
    'the tiny recipe',
  );
  await trainRun({ recipe, path: run, resume: false, interrupted: () => false, onEvent: () => {} });
  const { model, checkpoint } = readModel(run);
  const data = await loadExamples(model.description, {
    name: 'mnist',
    split: 'test',
    dir,
    count: 48,
    seed: 0,
  });
  const subject = attackableModel(model, { name: run, digest: checkpoint.weightsDigest });
  const evaluation = await evaluateRun({
    ...rest,
    model: subject,
    data,
    attacks: ['pgd-10'],
    norm: threat.norm,
    epsilon: threat,
  });
  const curve = await epsilonCurve({ ...rest, model: subject, data, threat, attack: 'pgd-3' });
  const { parameterCount } = model;
  return { name, run, model: subject, parameterCount, data, measured: evaluation, curve };
}

const networks = [await measured('first', 0), await measured('second', 1)] as const;
const [first] = networks;
const { data } = first;

describe('the report of a network', () => {
  const report = networkReport({ run: first.run, evaluation: first.measured.result, curve: first.curve });

  it('has the learning curves of its events, its recipe and its size', () => {
    assert.equal(report.name, 'SiLU');
    assert.equal(report.formula, 'x·σ(x)');
    assert.equal(report.epochs.length, 15);
    const last = readEvents(first.run)
      .filter((event) => event.type === 'epoch')
      .at(-1);
    assert.ok(last !== undefined);
    assert.deepEqual(report.epochs.at(-1), {
      epoch: 15,
      loss: last.measurements['train/loss'],
      trainAccuracy: last.measurements['train/accuracy'],
      validationClean: last.measurements['validation/clean'],
      validationRobust: last.measurements['validation/robust/linf-0.1/pgd-2'],
      chosenBy: 'validationClean',
      seconds: last.seconds,
    });
    assert.equal(report.parameters, first.parameterCount);
    const seconds = report.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    assert.ok(Math.abs(report.trainingSeconds - seconds) < 1e-9);
    assert.deepEqual(report.cleanInterval, first.curve[0]?.interval);
  });

  it('says of a run that its patience ended that it was', () => {
    assert.equal(report.stoppedEarly, undefined);
    const run = join(folder, 'patient');
    cpSync(first.run, run, { recursive: true });
    const events = readEvents(run).map((event) =>
      event.type === 'end' ? { ...event, bestEpoch: event.epoch - 2 } : event,
    );
    writeFileSync(join(run, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const { stoppedEarly } = networkReport({ run, evaluation: first.measured.result, curve: [] });
    assert.equal(stoppedEarly, 'Stopped early: none of the last 2 epochs was better than epoch 13.');
  });

  it('has accuracy against ε, written as ε is, from the clean accuracy downwards', () => {
    const { curve, measured } = first;
    assert.deepEqual(
      curve.map(({ epsilonText }) => epsilonText),
      ['0', '6/255', '12/255', '18/255', '24/255', '36/255', '48/255'],
    );
    assert.deepEqual(
      curve.map(({ attack }) => attack),
      ['none', ...Array(6).fill('pgd-3')],
    );
    assert.equal(curve[0]?.robust, measured.result.clean);
    for (const [index, { epsilon, robust, interval }] of curve.entries()) {
      assert.equal(epsilon, [0, 6, 12, 18, 24, 36, 48][index]! / 255);
      assert.ok(interval[0] <= robust && robust <= interval[1]);
    }
    assert.ok(curve.at(-1)!.robust < curve[0]!.robust, 'twice ε breaks some');
  });

  it('is refused for a folder that is no run', () => {
    const { run: _, ...others } = { run: '', evaluation: first.measured.result, curve: [] };
    assert.throws(() => networkReport({ run: folder, ...others }), InputError);
  });
});

describe('the comparison of two networks', () => {
  const result = (stands: readonly boolean[], pixelsDigest = 'same'): EvaluationResult => ({
    ...first.measured.result,
    pixelsDigest,
    perExample: stands.map((stood, id) => ({ id, label: 0, clean: true, brokenBy: stood ? null : 'fgsm' })),
  });

  it('counts what only one of them withstands, with the exact McNemar test', () => {
    const [yes, no] = [true, false];
    const one = result([yes, yes, yes, yes, yes, yes, no, no]);
    const other = result([no, no, no, no, no, yes, yes, no]);
    // Of 6 that differ, 1 or fewer, or 5 or more: 2 · (1 + 6) / 2⁶.
    const named = [
      { name: 'one', result: one },
      { name: 'other', result: other },
    ];
    const [{ pValue, ...pair } = { pValue: 0 }, ...more] = compareVerdicts(named);
    assert.deepEqual(pair, { first: 'one', other: 'other', onlyFirstRight: 5, onlyOtherRight: 1 });
    assert.ok(Math.abs(pValue - 14 / 64) < 1e-12);
    assert.deepEqual([more, compareVerdicts(named.slice(1))], [[], []]);
  });

  it('of more than two takes all pairs, with Holm’s adjustment', () => {
    const none = result(Array(12).fill(false));
    const six = result(Array.from({ length: 12 }, (_, index) => index < 6));
    const all = result(Array(12).fill(true));
    const pairs = compareVerdicts([
      { name: 'none', result: none },
      { name: 'six', result: six },
      { name: 'all', result: all },
    ]);
    assert.deepEqual(
      pairs.map(({ first, other, onlyOtherRight }) => [first, other, onlyOtherRight]),
      [
        ['none', 'six', 6],
        ['none', 'all', 12],
        ['six', 'all', 6],
      ],
    );
    // 2/2¹² three times; 2/2⁶ twice, and the last is not smaller than the one before it.
    const expected = [(2 * 2) / 2 ** 6, (3 * 2) / 2 ** 12, (2 * 2) / 2 ** 6];
    for (const [index, { pValue }] of pairs.entries())
      assert.ok(Math.abs(pValue / expected[index]! - 1) < 1e-12, `${pValue}`);
  });

  it('is refused for other images', () => {
    const named = [result([true]), result([true], 'other')].map((each, at) => ({
      name: `${at}`,
      result: each,
    }));
    assert.throws(() => compareVerdicts(named), InputError);
  });
});

describe('the gallery', () => {
  const gallery = chooseGallery({ networks, data, count: 6 });
  const place = (id: number) => data.ids.indexOf(id);
  const verdict = (network: (typeof networks)[number], id: number) =>
    network.measured.result.perExample[place(id)]!;

  it('shows images that all networks get right and one was broken on, the same ones each time', () => {
    assert.equal(gallery.length, 6);
    for (const { id, networks: views } of gallery) {
      assert.ok(networks.every((network) => verdict(network, id).clean));
      assert.ok(networks.some((network) => verdict(network, id).brokenBy !== null));
      assert.deepEqual(
        views.map(({ name }) => name),
        ['first', 'second'],
      );
    }
    assert.deepEqual(chooseGallery({ networks, data, count: 6 }), gallery);
    assert.ok(new Set(gallery.map(({ label }) => label)).size >= 3, 'of several classes');
  });

  it('shows the image that broke a network, else the last iterate, inside ball and box, and what is said of both', () => {
    for (const { id, label, image, networks: views } of gallery)
      for (const [index, network] of networks.entries()) {
        const { adversarial, clean, attacked } = views[index]!;
        const kept = network.measured.evaluation.adversarial.get(place(id));
        if (kept !== undefined) assert.deepEqual(adversarial.data, kept);
        const changes = adversarial.data.map((pixel, at) => Math.abs(pixel - image.data[at]!));
        assert.ok(Math.max(...changes) <= threat.epsilon + 1e-6 && Math.max(...changes) > 0);
        assert.ok(adversarial.data.every((pixel) => pixel >= 0 && pixel <= 1));
        assert.equal(clean.class, label);
        assert.equal(attacked.class === label, verdict(network, id).brokenBy === null);
        for (const { probability } of [clean, attacked]) assert.ok(probability > 0.1 && probability <= 1);
      }
  });

  it('leaves no tensor behind, and is empty where there is nothing to show', () => {
    const before = memoryInfo().liveTensors;
    chooseGallery({ networks, data, count: 2 });
    assert.equal(memoryInfo().liveTensors, before);
    assert.deepEqual(chooseGallery({ networks, data, count: 0 }), []);
  });
});

it('everything together makes a page', async () => {
  const input = reportInput({
    title: 'Two',
    subtitle: 'of a kind',
    notice: 'Only a test.',
    differences: [],
    data,
    networks,
  });
  assert.equal(input.networks.length, 2);
  assert.deepEqual(
    input.comparisons,
    compareVerdicts(networks.map(({ name, measured: { result } }) => ({ name, result }))),
  );
  assert.equal(input.threat.epsilonText, '24/255');
  const html = await renderReport(input);
  for (const text of ['Only a test.', 'first', 'second', 'pgd-10', '24/255'])
    assert.ok(html.includes(text), text);
});
