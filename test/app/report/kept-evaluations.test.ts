import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { evaluateRun } from '../../../src/app/evaluate/evaluate-run.js';
import { loadExamples } from '../../../src/app/evaluate/load-examples.js';
import { checkpointModel } from '../../../src/app/model/checkpoint-model.js';
import { attackableModel } from '../../../src/app/model/open-model.js';
import { keptOrMeasured } from '../../../src/app/report/kept-evaluations.js';
import { type TrainingReportOptions, trainingReport } from '../../../src/app/report/training-report.js';
import { trainRun } from '../../../src/app/train/train-run.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { InterruptedError } from '../../../src/errors.js';
import { newEvaluationFolder } from '../../../src/evaluation/folder/new-folder.js';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { tinyTraining, writeTinyMnist } from '../../support/tiny-run.js';

const root = mkdtempSync(join(tmpdir(), 'satin-kept-'));
after(() => rmSync(root, { recursive: true }));
const place = (...names: readonly string[]) => join(root, ...names);
writeTinyMnist(place('mnist'));
setThreads(1);

/** A run that is finished. */
async function trained(name: string, seed: number) {
  const recipe = tinyTraining(place('mnist'), { seed });
  const path = place(name);
  await trainRun({ recipe, path, resume: false, interrupted: () => false, onEvent: () => {} });
  return { path, recipe, checkpoint: readCheckpoint({ path }) };
}

const runs = [await trained('one', 0), await trained('other', 1)];

/** What a report measures: the labels of its progress bars. */
async function report(options: Partial<TrainingReportOptions> = {}) {
  const labels = new Set<string>();
  const made = await trainingReport({
    runs,
    examples: 10,
    device: 'cpu',
    interrupted: () => false,
    onProgress: ({ label }) => labels.add(label),
    ...options,
  });
  const attacks = [...labels].filter(
    (label) => / (apgd|pgd|fgsm|square|fab)/.test(label) && !/ε/.test(label),
  );
  return { ...made, attacks };
}

describe('the evaluations of a report', () => {
  it('are the worst case of two attacks, kept in the run folders and not measured again', async () => {
    const first = await report({ runs: [runs[0]!] });
    const names = first.results[0]!.result.attacks.map(({ name }) => name);
    assert.deepEqual(names, ['apgd-ce', 'apgd-dlr']);
    assert.ok(first.attacks.some((label) => label.endsWith('apgd-ce')));
    const again = await report({ runs: [runs[0]!] });
    assert.deepEqual(again.attacks, []);
    assert.deepEqual(again.results, first.results);
    assert.equal(withoutClock(again.page), withoutClock(first.page));
  });

  it('are measured where other attacks, images or weights are asked for', async () => {
    assert.equal((await kept(0, ['apgd-ce', 'apgd-dlr'])).batches, 0);
    const other = await kept(0, ['fgsm']);
    assert.deepEqual(
      other.result.attacks.map(({ name }) => name),
      ['fgsm'],
    );
    assert.ok(other.batches > 0);
    assert.equal((await kept(0, ['fgsm'])).batches, 0);
    assert.ok((await kept(0, ['fgsm'], { count: 9 })).batches > 0, 'other images');
    cpSync(place('one', 'evaluations'), place('other', 'evaluations'), { recursive: true });
    assert.ok((await kept(1, ['fgsm'])).batches > 0, 'those of another model');
  });

  it('continue where they were interrupted', async () => {
    let polls = 0;
    const attacks = ['pgd-3', 'pgd-4'];
    await assert.rejects(kept(0, attacks, { interrupted: () => ++polls > 5 }), InterruptedError);
    const found = readdirSync(place('one', 'evaluations')).find((name) => name.startsWith('pgd-3+pgd-4'));
    assert.ok(found !== undefined, 'what was found is kept');
    const { result } = await kept(0, attacks);
    assert.deepEqual(result.perExample, (await evaluated(0, attacks)).perExample);
  });

  it('may be those that the user kept elsewhere, and then hold for all runs', async () => {
    await evaluated(0, ['pgd-2'], 'stated');
    const { results, attacks } = await report({ evaluations: [place('stated')] });
    assert.deepEqual(
      results.map(({ result }) => result.attacks.map(({ name }) => name)),
      [['pgd-2'], ['pgd-2']],
    );
    assert.ok(
      attacks.every((label) => label.includes('other')),
      `measures the other one only: ${attacks}`,
    );
  });

  it('are refused if they are of no run, unfinished, contradict the options, or damaged', async () => {
    const evaluations = [place('stated')];
    await assert.rejects(report({ runs: [runs[1]!], evaluations }), /best checkpoint of one of the runs/);
    await assert.rejects(report({ attacks: ['fgsm'], evaluations }), /the attacks of .*stated/);
    await assert.rejects(report({ examples: 8, evaluations }), /the examples of .*stated/);
    await assert.rejects(report({ evaluations: [place('one')] }), /evaluation folder/);
    cpSync(place('stated'), place('half'), { recursive: true });
    rmSync(place('half', 'evaluation.json'));
    await assert.rejects(report({ evaluations: [place('half')] }), /a finished evaluation/);
    await evaluated(1, ['fgsm'], 'fgsm');
    await assert.rejects(
      report({ evaluations: [place('stated'), place('fgsm')] }),
      /the attacks of .*stated/,
    );
    const text = readFileSync(place('stated', 'evaluation.json'), 'utf8');
    writeFileSync(place('stated', 'evaluation.json'), text.replace('"clean": true', '"clean": 7'));
    await assert.rejects(report({ evaluations, runs: [runs[0]!] }), /perExample\.\d+\.clean/);
    writeFileSync(place('stated', 'evaluation.json'), text.slice(0, 100));
    await assert.rejects(report({ evaluations, runs: [runs[0]!] }), /to be JSON/);
  });
});

/** The model of a run, and the options of its evaluation on the report's images. */
async function subject(run: number, attacks: readonly string[], count = 10) {
  const { path, checkpoint } = runs[run]!;
  const model = attackableModel(checkpointModel(checkpoint, 'cpu'), {
    name: path,
    digest: checkpoint.weightsDigest,
  });
  const data = await loadExamples(model, {
    name: 'mnist',
    split: 'test',
    dir: place('mnist'),
    count,
    seed: 0,
  });
  const epsilon = { epsilon: 0.1, epsilonText: '0.1' };
  const rest = { norm: 'linf', epsilon, seed: 0, interrupted: () => false } as const;
  return { model, path, options: { model, data, attacks, ...rest } };
}

/** What is kept of a run, or is measured, and how many batches were attacked for it. */
async function kept(
  run: number,
  attacks: readonly string[],
  {
    count,
    interrupted = () => false,
  }: { readonly count?: number; readonly interrupted?: () => boolean } = {},
) {
  const { model, path, options } = await subject(run, attacks, count);
  using _model = model;
  let batches = 0;
  const onProgress = () => {
    batches++;
  };
  const { result } = await keptOrMeasured({ ...options, interrupted, onProgress }, { run: path, stated: [] });
  return { result, batches };
}

/** An evaluation of a run, in a folder of the user's own if named. */
async function evaluated(run: number, attacks: readonly string[], name?: string) {
  const { model, options } = await subject(run, attacks);
  using _model = model;
  using folder = name === undefined ? null : newEvaluationFolder(place(name));
  const { result } = await evaluateRun({ ...options, batch: 10, ...(folder !== null && { folder }) });
  return result;
}

/** The page without the time of its creation. */
function withoutClock(page: string): string {
  return page.replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z)?/g, 'TIME');
}
