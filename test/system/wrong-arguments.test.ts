/**
 * Every public function, called with a wrong value in place of each argument and of each option, refuses it with a sentence that
 * says what was expected and for what, or can do without it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import * as satin from '../../src/index.js';
import { tinyRecipe, tinyTraining, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-wrong-arguments-'));
after(() => rmSync(folder, { recursive: true }));
process.chdir(folder); // 'text' is a path too
writeTinyMnist(join(folder, 'mnist'));
satin.setThreads(1);

const recipe = tinyTraining(join(folder, 'mnist'));
const run = join(folder, 'run');
const interrupted = () => false;
const onEvent = () => {};
await satin.trainRun({
  recipe: tinyTraining(join(folder, 'mnist'), {
    epochs: 1,
    epochSteps: 2,
    schedule: { name: 'constant', learningRate: 0.1 },
  }),
  path: run,
  resume: false,
  interrupted,
  onEvent,
});
const { model } = satin.readModel(run);
const dataset = satin.subset(
  await satin.loadDataset({ name: 'mnist', split: 'test', dir: join(folder, 'mnist') }),
  [0, 1, 2, 3],
);
const data = new satin.DatasetTensors(dataset);
const { classify } = model;
const subject = { exact: classify, fast: classify };
const threat = { norm: satin.norms.linf, epsilon: 0.1 };
const attackable = satin.attackableModel(model, { name: 'run', digest: 'sha256:0' });
const evaluated = { attacks: [satin.parseAttack('fgsm')], threat, seed: 0, batch: 4 };
const evaluation = await satin.evaluate(subject, data, evaluated);
const x = satin.ones([2, 1, 4, 4]);
const matrix = satin.ones([2, 3]);
const labels = satin.integers([0, 1]);
const key = { seed: 0, stream: 'bench' } as const;
const silu = satin.parseActivation('silu');
const description = model.description;
const leaf = satin.ones([2]).requireGrad_();

type Call = () => readonly unknown[];

/** Right arguments of every public function. */
const calls: Readonly<Record<string, Call>> = {
  activationDerivative: () => [silu, matrix],
  activationForward: () => [silu, matrix],
  attackableModel: () => [model, { name: 'run', digest: 'sha256:0' }],
  autoAttack: () => ['standard'],
  averagePool: () => [x, 2, 2],
  batchNorm: () => [
    x,
    {
      weight: satin.ones([1]),
      bias: satin.ones([1]),
      runningMean: satin.zeros([1]),
      runningVariance: satin.ones([1]),
      train: true,
      momentum: 0.1,
      epsilon: 1e-5,
    },
  ],
  cards: () => [],
  cat: () => [[matrix, matrix], 0],
  checkModel: () => [subject, data, { threat, seed: 0, interrupted }],
  checkResults: () => [evaluation, { attacks: evaluated.attacks, classes: 10 }],
  chooseDevice: () => ['cpu'],
  chooseExamples: () => [dataset, 2, { seed: 0 }],
  conv2d: () => [x, satin.ones([1, 1, 3, 3]), { bias: null, stride: 1, padding: 1, groups: 1 }],
  crossEntropy: () => [matrix, labels, { reduction: 'mean', labelSmoothing: 0 }],
  decodeImages: () => [{ files: [], form: { size: [4, 4] } }],
  emptyCache: () => [],
  engineInfo: () => [],
  evaluate: () => [subject, data, evaluated],
  evaluateRun: () => [
    {
      model: attackable,
      data: dataset,
      attacks: ['fgsm'],
      norm: 'linf',
      epsilon: { epsilon: 0.1, epsilonText: '0.1' },
      seed: 0,
      batch: 4,
      interrupted,
    },
  ],
  functionModel: () => [{ name: 'mine', classify }],
  globalAveragePool: () => [x],
  gradient: () => [leaf.exp().sum(), leaf],
  gradients: () => [[leaf.exp().sum()], [leaf]],
  imagenetSynsets: () => [],
  integers: () => [[1, 2], 'cpu'],
  keep: () => [matrix],
  layerSummary: () => [description],
  linear: () => [matrix, satin.ones([4, 3]), satin.ones([4])],
  loadDataset: () => [{ name: 'mnist', split: 'test', dir: join(folder, 'mnist') }],
  loadExamples: () => [
    description,
    { name: 'mnist', split: 'test', dir: join(folder, 'mnist'), count: 4, seed: 0 },
  ],
  loadRecipe: () => ['fashion-mnist-silu', { smoke: true, set: [] }],
  logSoftmax: () => [matrix, 1],
  matmul: () => [matrix, satin.ones([3, 2])],
  maxPool: () => [x, 2, { stride: 2, padding: 0 }],
  mcnemar: () => [3, 5],
  memoryInfo: () => [],
  modeOf: () => [['fgsm'], 10],
  newEvaluationFolder: () => [join(folder, `evaluation-${made++}`)],
  noGrad: () => [() => 1],
  noise: () => ['uniform', { key, ids: [0], shape: [2] }],
  ones: () => [[2], 'float32', 'cpu'],
  openModel: () => [run, { device: 'cpu' }],
  pad: () => [x, [1, 1, 1, 1], 0],
  parseActivation: () => ['silu'],
  parseAttack: () => ['pgd-10'],
  parseDerivative: () => ['silu'],
  parseEpsilon: () => ['8/255', 'linf'],
  parseRecipe: () => [tinyRecipe(join(folder, 'mnist')), 'the recipe'],
  permutation: () => [4, key],
  pgd: () => [
    classify,
    { x: data.batch([0, 1]).x, labels: data.batch([0, 1]).labels, start: data.batch([0, 1]).x },
    { norm: satin.norms.linf, epsilon: 0.1, stepSize: 0.1, steps: 1 },
  ],
  pixelsDigest: () => [dataset],
  predict: () => [model, { images: dataset.images, shape: dataset.shape, classes: 3 }],
  range: () => [4, 'cpu'],
  readCheckpoint: () => [{ path: run }],
  readClassMap: () => [join(folder, 'none.json')],
  readEvents: () => [run],
  readModel: () => [run, { device: 'cpu' }],
  readModelFile: () => [run, {}],
  recipeNames: () => [],
  scope: () => [() => 1],
  setThreads: () => [1],
  softmax: () => [matrix, 1],
  stack: () => [[matrix, matrix], 0],
  storedEvaluationFolder: () => [join(folder, 'none')],
  subset: () => [dataset, [0]],
  takeWarnings: () => [],
  tensor: () => [new Float32Array(2), [2], 'cpu'],
  trainRun: () => [{ recipe, path: join(folder, 'none'), resume: false, interrupted: () => true, onEvent }],
  verifyRun: () => [{ folder: join(folder, 'none'), interrupted }],
  where: () => [matrix.sub(1), matrix, matrix],
  wilsonInterval: () => [3, 5],
  withBackward: () => [silu, silu],
  withGrad: () => [() => 1],
  zeros: () => [[2], 'float32', 'cpu'],
  zerosLike: () => [matrix],
};
let made = 0;

const wrongs = { undefined, null: null, 'a string': 'text', NaN: Number.NaN, 'an object': {} };

const isOptions = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** The arguments with a wrong value in each place, and each option of those that are options. */
function* wrongCalls(call: Call): Generator<{ readonly what: string; readonly values: unknown[] }> {
  for (const [index, right] of call().entries())
    for (const [name, wrong] of Object.entries(wrongs)) {
      const all = [...call()];
      yield {
        what: `argument ${index}: ${name}`,
        values: all.map((each, place) => (place === index ? wrong : each)),
      };
      if (isOptions(right))
        for (const option of Object.keys(right))
          yield {
            what: `option ${option}: ${name}`,
            values: all.map((each, place) => (place === index ? { ...right, [option]: wrong } : each)),
          };
    }
}

/** What is wrong with an error, if anything: it is no sentence, or says what only a programmer of Satin understands. */
function complaint(error: unknown): string | null {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const isSentence = /^(Expected|Unknown|In ) ?.+/s.test(error.message);
  const isOurs = error instanceof satin.SatinError || (error instanceof TypeError && isSentence);
  if (!isOurs || !isSentence) return `${error.name}: ${error.message}`;
  return /\bundefined\b|\[object |int64_t|std::|c10|napi/.test(error.message) ? error.message : null;
}

const functions = Object.entries(satin).filter(
  ([, value]) => typeof value === 'function' && !/^class\b/.test(String(value)),
);

it('the table has every public function', () => {
  assert.deepEqual(functions.map(([name]) => name).sort(), Object.keys(calls).sort());
});

async function complaintsOf(
  wrongCalls: Iterable<{ readonly what: string; readonly call: () => unknown }>,
): Promise<string[]> {
  const complaints: string[] = [];
  for (const { what, call } of wrongCalls)
    try {
      await call();
    } catch (error) {
      const found = complaint(error);
      if (found !== null) complaints.push(`${what}: ${found}`);
    }
  return complaints;
}

/** Right first arguments of the methods of a tensor that have any; of the others a wrong one is tried all the same. */
const methods = Object.entries(Object.getOwnPropertyDescriptors(satin.Tensor.prototype)).flatMap(
  ([name, { value }]) =>
    typeof value === 'function' && name !== 'constructor' ? [[name, value] as const] : [],
);

it('a tensor’s methods refuse a wrong value with a sentence', async () => {
  const wrongs = [undefined, null, 'text', Number.NaN, {}];
  const tried = methods.flatMap(([name, body]) =>
    wrongs.map((wrong) => ({
      what: `${name}(${String(wrong)})`,
      call: () => satin.scope(() => Reflect.apply(body, satin.ones([2, 2]), [wrong, wrong])),
    })),
  );
  assert.ok(tried.length > 200, `${tried.length} calls`);
  assert.deepEqual(await complaintsOf(tried), []);
});

it('so do the classes', async () => {
  const wrongs = [undefined, null, 'text', Number.NaN, {}];
  const tried = wrongs.flatMap((wrong) =>
    Object.entries({
      'new DatasetTensors': () => new satin.DatasetTensors(wrong as never),
      'DatasetTensors.device': () => new satin.DatasetTensors(dataset, (wrong ?? null) as never),
      'DatasetTensors.batch': () => data.batch(wrong as never),
      'Model.create': () => satin.Model.create(wrong as never, { seed: 0, device: 'cpu' }),
      'Model.create options': () => satin.Model.create(description, (wrong ?? null) as never),
      'model.classify': () => model.classify(wrong as never),
      ...Object.fromEntries(
        Object.entries(satin.norms.l2).flatMap(([name, body]) =>
          typeof body !== 'function'
            ? []
            : [[`norms.l2.${name}`, () => Reflect.apply(body, satin.norms.l2, [wrong, wrong, wrong])]],
        ),
      ),
    }).map(([name, call]) => ({ what: `${name}(${String(wrong)})`, call })),
  );
  assert.deepEqual(await complaintsOf(tried), []);
});

describe('a public function refuses a wrong value with a sentence', () => {
  for (const [name, body] of functions)
    it(name, async () => {
      const call = body as (...values: unknown[]) => unknown;
      const tried = [...wrongCalls(calls[name]!)].map(({ what, values }) => ({
        what,
        call: () => Reflect.apply(call, undefined, values),
      }));
      assert.deepEqual(await complaintsOf(tried), []);
    });
});
