/** What is said and kept where robustness is lost in training, and what the guard measures. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseAttack } from '../../../src/attacks/attack.js';
import { norms } from '../../../src/attacks/norms.js';
import { ShuffledDataset } from '../../../src/data/batch-source.js';
import { subset } from '../../../src/data/dataset.js';
import { DatasetTensors } from '../../../src/data/dataset-tensors.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { native } from '../../../src/engine/native.js';
import { evaluate } from '../../../src/evaluation/evaluate.js';
import type { Model } from '../../../src/models/model.js';
import type { RunEvent } from '../../../src/runs/events.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { permutation } from '../../../src/tensor/noise.js';
import { adversarial } from '../../../src/training/objectives/adversarial.js';
import { clean, stateless } from '../../../src/training/objectives/objective.js';
import { Sgd } from '../../../src/training/optimizers/sgd.js';
import { type Accuracies, chanceLevel } from '../../../src/training/overfitting/criterion.js';
import { Guard } from '../../../src/training/overfitting/guard.js';
import {
  initialProgress,
  type TrainingProgress,
  type TrainOptions,
  train,
} from '../../../src/training/train.js';
import { blobs, smallModel, training } from '../../support/blobs.js';
import { learnedNothing } from '../../support/objectives.js';

setThreads(1);

const well: Accuracies = { clean: 0.8, fgsm: 0.6, pgd5: 0.5, pgd10: 0.5 };
const chance = 0.2;

/** A run of 12 steps in epochs of 4 whose guard finds what `sequence` says; with what it recorded and kept. */
async function watched(
  sequence: readonly Accuracies[],
  options: {
    readonly every?: number | null;
    readonly after?: number;
    readonly progress?: TrainingProgress;
    readonly stopAt?: number;
  } = {},
) {
  const dataset = blobs(16);
  using data = new DatasetTensors(dataset);
  using model = smallModel(dataset);
  using optimizer = new Sgd(model.network.parameters(), { momentum: 0, nesterov: false, weightDecay: 0 });
  const events: RunEvent[] = [];
  const kept: { name: string; step: number; progress: TrainingProgress }[] = [];
  let checks = 0;
  let step = 0;
  const guard: NonNullable<TrainOptions['guard']> = {
    examples: 128,
    chance,
    check: () => sequence[checks++]!,
    measurements: ({ pgd5 }) => ({ 'train/robust/linf-0.1/pgd-5': pgd5 }),
  };
  const ended = train({
    model,
    data: new ShuffledDataset(data, { flip: false, crop: 0 }),
    objective: stateless(() => learnedNothing(model)),
    optimizer,
    schedule: { name: 'constant', learningRate: 0.1, warmup: 0 },
    epochs: 3,
    epochSteps: 4,
    batch: 4,
    seed: 0,
    evaluate: async function* () {
      yield ['validation/robust/linf-0.1/pgd-10', 0.1 * step];
    },
    checkpointEvery: null,
    guard,
    guardEvery: options.every ?? null,
    guardAfter: options.after ?? 0,
    progress: options.progress ?? initialProgress,
    record: (event) => {
      if (event.type === 'step') step = event.step;
      events.push(event);
    },
    checkpoint: (name, progress) => kept.push({ name, step: progress.step, progress }),
    interrupted: () => step === options.stopAt,
  });
  if (options.stopAt === undefined) await ended;
  else await assert.rejects(ended, /Interrupted/);
  return { events, kept, checks };
}

type Watched = Awaited<ReturnType<typeof watched>>;

const warningsOf = ({ events }: Watched) => events.filter((event) => event.type === 'warning');
const stepsOf = ({ kept }: Watched, name: string) =>
  kept.filter((each) => each.name === name).map(({ step }) => step);
const fallen: Accuracies = { clean: 0.85, fgsm: 0.82, pgd5: 0.05, pgd10: 0.02 };

describe('a run with a guard', () => {
  it('is not looked at before ε has risen', async () => {
    const run = await watched([well, fallen, fallen], { every: 2, after: 1.5 });
    // 12 steps, of which the first 6 are a warm-up.
    assert.deepEqual(stepsOf(run, 'healthy'), [8]);
    assert.equal(run.checks, 3);
    assert.deepEqual(
      warningsOf(run).map(({ step }) => step),
      [10],
    );
  });

  it('that finds nothing keeps the weights of each check and says nothing', async () => {
    const run = await watched([well, well, well]);
    assert.equal(run.checks, 3);
    assert.deepEqual(warningsOf(run), []);
    assert.deepEqual(stepsOf(run, 'healthy'), [4, 8, 12]);
  });

  it('keeps nothing of a network that knows nothing, before it learned or after it forgot', async () => {
    const nothing = { clean: 0.15, fgsm: 0.1, pgd5: 0.1, pgd10: 0.1 };
    const run = await watched([nothing, well, nothing]);
    assert.deepEqual(warningsOf(run), []);
    assert.deepEqual(stepsOf(run, 'healthy'), [8]);
  });

  it('says once, in plain words, what was seen, what it means, what to try and what is kept', async () => {
    const run = await watched([well, fallen, fallen]);
    const [warning, ...others] = warningsOf(run);
    assert.deepEqual(others, []);
    assert.equal(warning?.step, 8);
    assert.equal(
      warning.message,
      'Catastrophic overfitting: on 128 training images, accuracy under PGD-5 is 5.0 %, and was 50.0 % after step 4. ' +
        'The network appears to become robust to the attack it is trained with only, and longer attacks break it. ' +
        'Training continues; robust accuracy may recover or be lost. Try a smaller attack.stepSize, more attack.steps, ' +
        'gradAlign, a smooth activation, or a lower or shorter learning rate schedule. The weights of the last healthy ' +
        'check, after step 4, are kept in checkpoints/healthy.json of the run folder: evaluate them, or start another ' +
        'run from them.',
    );
    assert.deepEqual(stepsOf(run, 'healthy'), [4]);
    assert.equal(run.events.at(-1)?.type, 'end', 'training went on');
  });

  it('keeps no later weights, though they be well again', async () => {
    const run = await watched([well, fallen, well]);
    assert.equal(warningsOf(run).length, 1);
    assert.deepEqual(stepsOf(run, 'healthy'), [4]);
  });

  it('that finds something in its first check says that nothing was kept', async () => {
    const run = await watched([fallen, fallen, fallen]);
    assert.match(warningsOf(run)[0]!.message, /but 2\.0 % under ten .* so no earlier weights are kept\.$/);
    assert.deepEqual(stepsOf(run, 'healthy'), []);
  });

  it('is asked every so many steps and at the end of each epoch, once where both meet', async () => {
    const run = await watched(Array<Accuracies>(8).fill(well), { every: 3 });
    assert.deepEqual(stepsOf(run, 'healthy'), [3, 4, 6, 8, 9, 12]);
    assert.deepEqual(
      stepsOf(await watched(Array<Accuracies>(6).fill(well), { every: 2 }), 'healthy'),
      [2, 4, 6, 8, 10, 12],
    );
  });

  it('has its accuracies in the epochs’ events, and the validation still chooses the best', async () => {
    const run = await watched([well, { ...well, pgd5: 0.9 }, { ...well, pgd5: 0.75 }]);
    const epochs = run.events.flatMap((event) => (event.type === 'epoch' ? [event.measurements] : []));
    assert.deepEqual(
      epochs.map((each) => each['train/robust/linf-0.1/pgd-5']),
      [0.5, 0.9, 0.75],
    );
    assert.ok(epochs.every((each) => Object.keys(each).at(-1)!.startsWith('validation/')));
    assert.deepEqual(stepsOf(run, 'best'), [4, 8, 12], 'the validation rises, the guard’s accuracy does not');
  });

  it('remembers over an interruption what it saw, what it said and what it kept', async () => {
    for (const sequence of [
      [well, well, well],
      [well, fallen, well],
      [well, fallen, fallen],
      [fallen, well, well],
      [well, { ...well, pgd5: 0.35 }, { ...well, pgd5: 0.1 }],
    ]) {
      const whole = await watched(sequence);
      for (const stopAt of [4, 6, 8]) {
        const first = await watched(sequence, { stopAt });
        const { progress } = first.kept.filter(({ name }) => name === 'last').at(-1)!;
        assert.deepEqual(JSON.parse(JSON.stringify(progress)), progress, 'JSON keeps it');
        const second = await watched(sequence.slice(first.checks), { progress });
        assert.equal(first.checks + second.checks, 3, 'no check comes twice');
        const message = ({ message, step }: { message: string; step: number }) => [step, message];
        assert.deepEqual(
          [...warningsOf(first), ...warningsOf(second)].map(message),
          warningsOf(whole).map(message),
        );
        assert.deepEqual(
          [...stepsOf(first, 'healthy'), ...stepsOf(second, 'healthy')],
          stepsOf(whole, 'healthy'),
        );
        assert.deepEqual(second.kept.at(-1), whole.kept.at(-1));
      }
    }
  });
});

describe('what the guard measures', () => {
  const dataset = blobs(96);
  const data = new DatasetTensors(dataset);
  const model = smallModel(dataset);
  after(() => {
    data[Symbol.dispose]();
    model.dispose();
  });
  {
    using steps = training(
      model,
      dataset,
      adversarial({
        attack: {
          norm: norms.linf,
          epsilon: 0.04,
          steps: 1,
          stepSize: 0.04,
          start: { kind: 'image' },
          batchNorm: 'eval',
        },
      }),
    );
    for (let step = 0; step < 60; step++) steps.step();
  }
  const options = { data, norm: norms.linf, epsilon: 0.05, epsilonText: '0.05', seed: 4 };
  const guard = new Guard({ ...options, examples: 64 });
  const found = guard.check(model);

  it('is the robust accuracy that an evaluation finds on these images', async () => {
    const places = permutation(96, { seed: 4, stream: 'shuffle', epoch: 0 }).subarray(0, 64);
    using same = new DatasetTensors(subset(dataset, places));
    using folded = model.fold();
    const robust = async (name: string) => {
      const { clean, robust } = await evaluate({ exact: model.classify, fast: folded.classify }, same, {
        attacks: [parseAttack(name)],
        threat: { norm: norms.linf, epsilon: 0.05 },
        seed: 4,
        batch: 64,
      });
      return { clean, robust };
    };
    assert.deepEqual(found, {
      clean: (await robust('fgsm')).clean,
      fgsm: (await robust('fgsm')).robust,
      pgd5: (await robust('pgd-5')).robust,
      pgd10: (await robust('pgd-10')).robust,
    });
    const values = [found.clean, found.fgsm, found.pgd5, found.pgd10];
    assert.ok(
      values.every((value, at) => at === 0 || value < values[at - 1]!),
      `each attack finds another accuracy: ${values}`,
    );
  });

  it('comes out the same each time, in batches too, and leaves nothing behind', () => {
    const before = memoryInfo().liveTensors;
    assert.deepEqual(guard.check(model), found);
    assert.deepEqual(new Guard({ ...options, examples: 64, batch: 10 }).check(model), found);
    assert.equal(memoryInfo().liveTensors, before);
  });

  it('does not depend on how often the attacks are checked, and between two checks reads nothing', () => {
    const readsOf = (checkEvery: number) => {
      const before = native().readCount();
      assert.deepEqual(new Guard({ ...options, examples: 64, checkEvery }).check(model), found);
      return native().readCount() - before;
    };
    const each = readsOf(1);
    assert.equal(each - readsOf(4), 19 - 3); // 2 + 6 + 11 iterates, of which checks at 0 + 1 + 2
    assert.equal(each - readsOf(1000), 19);
  });

  it('takes all images where there are fewer, and knows their luck', () => {
    const all = new Guard({ ...options, examples: 1000 });
    assert.equal(all.examples, 96);
    assert.equal(all.chance, chanceLevel([...dataset.labels]));
    assert.equal(guard.examples, 64);
  });

  it('shows a run that its robustness is gone, at the first check after it went', async () => {
    // Better against this ε than the network above, whose weights it gets in its sixth step.
    using changing = smallModel(dataset);
    {
      using steps = training(changing, dataset, clean());
      for (let step = 0; step < 60; step++) steps.step();
    }
    const parameters = changing.network.parameters();
    using optimizer = new Sgd(parameters, { momentum: 0, nesterov: false, weightDecay: 0 });
    const become = (other: Model) =>
      noGrad(() => {
        for (const [name, tensor] of other.network.state()) changing.network.state().get(name)!.copy_(tensor);
      });
    const warnings: number[] = [];
    const kept: number[] = [];
    await train({
      model: changing,
      data: new ShuffledDataset(data, { flip: false, crop: 0 }),
      objective: stateless((_, __, { step }) => {
        if (step === 5) become(model);
        return learnedNothing(changing);
      }),
      optimizer,
      schedule: { name: 'constant', learningRate: 0.1, warmup: 0 },
      epochs: 1,
      epochSteps: 10,
      batch: 8,
      seed: 0,
      evaluate: async function* () {},
      checkpointEvery: null,
      progress: initialProgress,
      guard: new Guard({ ...options, epsilon: 0.02, examples: 64 }),
      guardEvery: 2,
      record: (event) => {
        if (event.type === 'warning') warnings.push(event.step);
      },
      checkpoint: (name, { step }) => {
        if (name === 'healthy') kept.push(step);
      },
      interrupted: () => false,
    });
    assert.deepEqual({ warnings, kept }, { warnings: [6], kept: [2, 4] });
  });

  it('has the names that the validation gives its own', () => {
    const named = new Guard({ ...options, examples: 64, epsilonText: '8/255' });
    assert.deepEqual(named.measurements(found), {
      'train/robust/linf-8-255/fgsm': found.fgsm,
      'train/robust/linf-8-255/pgd-5': found.pgd5,
      'train/robust/linf-8-255/pgd-10': found.pgd10,
    });
  });
});
