/** The training section of a recipe: every objective with its defaults, and what is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { objectiveNames } from '../../src/recipe/objective.js';
import { parseRecipe } from '../../src/recipe/recipe.js';

type Section = Readonly<Record<string, unknown>>;

function read(training: Section, rest: Section = {}) {
  const recipe = {
    name: 'minimal',
    data: { name: 'mnist' },
    model: { name: 'resnet20', activation: 'relu' },
    threat: { norm: 'linf', epsilon: 0.1 },
    training: { epochs: 3, batch: 12, schedule: { name: 'constant', learningRate: 0.1 }, ...training },
    ...rest,
  };
  return parseRecipe(recipe, 'test').training;
}

function refuses(training: Section, message: RegExp, rest: Section = {}): void {
  assert.throws(
    () => read(training, rest),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

const attackFields = { stepSize: null, batchNorm: 'eval', epsilonWarmup: 0, stepWarmup: 0 };
const attacks: Readonly<Record<string, Section>> = {
  pgd: { steps: 3, ...attackFields, randomStart: true },
  fast: attackFields,
  free: { stepSize: null, replays: 4, epsilonWarmup: 0 },
  sat: { steps: 1, ...attackFields, cleanStart: 0.2, clipStart: false },
  trades: { steps: 10, ...attackFields },
  mart: { steps: 10, ...attackFields },
};
/** The objective, and what has no default or one that is too long for three epochs. */
const needed = (objective: string): Section => ({
  objective,
  ...(objective === 'pgd' && { attack: { steps: 3 } }),
  ...(objective === 'gradient-norm' && { penaltyWarmup: 1 }),
});

describe('every objective', () => {
  for (const objective of objectiveNames)
    it(`${objective} has an attack with defaults, and comes back as it is when it was stored`, () => {
      const training = read(needed(objective));
      assert.deepEqual('attack' in training ? training.attack : undefined, attacks[objective]);
      assert.deepEqual(read(JSON.parse(JSON.stringify(training))), training);
      assert.equal('guard' in training, objective !== 'clean');
    });

  it('has label smoothing of its own: 0.1 in the paper’s', () => {
    const of = (objective: string) => {
      const training = read({ objective });
      return 'labelSmoothing' in training ? training.labelSmoothing : null;
    };
    assert.deepEqual(['sat', 'fast', 'mart'].map(of), [0.1, 0, null]);
  });

  it('has the authors’ weights for the norm of the gradient, and refuses a warm-up that does not end', () => {
    const training = read({ objective: 'gradient-norm', epochs: 10 });
    assert.ok(training.objective === 'gradient-norm');
    const { crossEntropy, penalty, penaltyWarmup, labelSmoothing } = training;
    assert.deepEqual([crossEntropy, penalty, penaltyWarmup, labelSmoothing], [0.8, 1.2, 5, 0.1]);
    refuses({ objective: 'gradient-norm' }, /penaltyWarmup: a warm-up of 5 epochs does not end within 3/);
  });

  it('takes the optimisers with their defaults', () => {
    const of = (optimizer?: Section) =>
      read({ objective: 'clean', ...(optimizer && { optimizer }) }).optimizer;
    const sgd = { name: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4, weightDecayOn: 'weights' };
    assert.deepEqual(of(), sgd);
    assert.deepEqual(of({ weightDecay: 0 }), { ...sgd, weightDecay: 0 });
    const adam = {
      name: 'adam',
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      weightDecayOn: 'weights',
    };
    assert.deepEqual(of({ name: 'adam' }), adam);
    assert.deepEqual(of({ name: 'adamw' }), { ...adam, name: 'adamw', weightDecay: 0.01 });
  });
});

describe('a training section is refused', () => {
  const step = (more: Section) => ({
    schedule: { name: 'step', learningRate: 0.1, milestones: [1], ...more },
  });
  const cases: readonly (readonly [what: string, training: Section, message: RegExp, rest?: Section])[] = [
    [
      'for an unknown objective',
      { objective: 'trade' },
      /'trades'.* received 'trade'\. Did you mean 'trades'/,
    ],
    ['for beta without a divergence', { ...needed('pgd'), beta: 6 }, /applies only if .*'trades'/],
    [
      'for replays of PGD',
      { objective: 'pgd', attack: { steps: 1, replays: 4 } },
      /attack\.replays' applies only if training\.objective is 'free'\./,
    ],
    ['for gradAlign of TRADES', { objective: 'trades', gradAlign: {} }, /applies only if .*'fast'/],
    ['for awp of a clean run', { objective: 'clean', awp: {} }, /applies only if/],
    ['for label smoothing of MART', { objective: 'mart', labelSmoothing: 0.1 }, /applies only if/],
    ['for free in L2', { objective: 'free' }, /linf only/, { threat: { norm: 'l2', epsilon: 1 } }],
    [
      'for gradAlign in L2',
      { objective: 'fast', gradAlign: {} },
      /gradAlign: it supports linf only/,
      { threat: { norm: 'l2', epsilon: 1 } },
    ],
    [
      'for an EMA decay of 1',
      { objective: 'fast', ema: { decay: 1 } },
      /from 0 to below 1 for training\.ema\.decay/,
    ],
    [
      'for a negative EMA decay',
      { objective: 'fast', ema: { decay: -0.1 } },
      /ema\.decay but received -0\.1/,
    ],
    ['for a factor of 1', { objective: 'fast', ...step({ factor: 1 }) }, /never changes/],
    ['for milestones after the end', { objective: 'fast', ...step({ milestones: [3] }) }, /must increase/],
    [
      'for the first rate of no warm-up',
      { objective: 'clean', schedule: { name: 'constant', learningRate: 0.1, warmupFrom: 0.01 } },
      /schedule\.warmupFrom: without a warm-up it would have no effect/,
    ],
    [
      'for a cosine that never falls',
      { objective: 'fast', schedule: { name: 'cosine', learningRate: 0.1, final: 0.1 } },
      /never decreases/,
    ],
    ['for parts that are not equal', { objective: 'fast', accumulate: 5 }, /12 cannot be split into 5/],
    ['for free in parts', { objective: 'free', accumulate: 2 }, /free carries its perturbation over/],
    [
      'for awp in parts',
      { objective: 'fast', awp: {}, accumulate: 2 },
      /awp perturbs the weights once per step/,
    ],
    ['for awp that never begins', { objective: 'fast', awp: { warmup: 3 } }, /start after 3 of 3/],
    [
      'for an ε that never rises fully',
      { objective: 'fast', attack: { epsilonWarmup: 3 } },
      /does not end within 3/,
    ],
    [
      'for an unknown optimiser',
      { objective: 'fast', optimizer: { name: 'adma' } },
      /'sgd', 'adam' or 'adamw'/,
    ],
    [
      'for momentum of Adam',
      { objective: 'fast', optimizer: { name: 'adam', momentum: 0 } },
      /only if .*'sgd'/,
    ],
    ['for a clean start with probability 2', { objective: 'sat', attack: { cleanStart: 2 } }, /from 0 to 1/],
    ['for a clip of 0', { objective: 'fast', clipNorm: 0 }, /above 0 for training\.clipNorm/],
    ['for no guard of a clean run', { objective: 'clean', guard: null }, /applies only if/],
    [
      'for a derivative that would learn',
      { objective: 'fast', derivatives: { attack: 'smooth-relu' } },
      /coefficient is fixed, such as smooth-relu\(10\)/,
    ],
    [
      'for another derivative in the update of a learned activation',
      { objective: 'fast', derivatives: { update: 'softplus(10)' } },
      /would have no gradient/,
      { model: { name: 'resnet20', activation: 'psilu' } },
    ],
    [
      'for an unknown derivative',
      { objective: 'fast', derivatives: { update: 'sofplus' } },
      /an activation for activation but received 'sofplus'\. Did you mean 'softplus'\?/,
    ],
  ];
  for (const [what, training, message, rest] of cases) it(what, () => refuses(training, message, rest));
});

describe('weight decay', () => {
  const optimizer = (settings: Section) =>
    read({ objective: 'pgd', attack: { steps: 1 }, optimizer: settings }).optimizer;

  it('is that of weights unless all parameters are asked for', () => {
    assert.equal(optimizer({}).weightDecayOn, 'weights');
    for (const name of ['sgd', 'adamw'])
      assert.equal(optimizer({ name, weightDecayOn: 'all' }).weightDecayOn, 'all');
  });

  it('is refused where it is none, and for what else there might be', () => {
    const section = (settings: Section) => ({ objective: 'pgd', attack: { steps: 1 }, optimizer: settings });
    refuses(section({ weightDecay: 0, weightDecayOn: 'all' }), /weightDecayOn.*no effect/);
    refuses(section({ name: 'adam', weightDecayOn: 'all' }), /weightDecayOn.*no effect/);
    refuses(
      section({ weightDecayOn: 'biases' }),
      /'weights' or 'all' for training\.optimizer\.weightDecayOn/,
    );
  });
});

describe('adversarial weight perturbation', () => {
  it('is the authors’: sooner and larger for cross-entropy than for TRADES', () => {
    const of = (objective: string) => {
      const training = read({ ...needed(objective), awp: {}, epochs: 20 });
      return 'awp' in training ? training.awp : undefined;
    };
    assert.deepEqual(of('pgd'), { gamma: 0.01, warmup: 0 });
    assert.deepEqual(of('trades'), { gamma: 0.005, warmup: 10 });
    assert.deepEqual(of('mart'), { gamma: 0.005, warmup: 0 });
    refuses({ objective: 'trades', awp: {} }, /awp\.warmup: it would start after 10 of 3 epochs/);
  });
});

describe('patience', () => {
  const ofPgd = (more: Section) => ({ objective: 'pgd', attack: { steps: 1 }, ...more });

  it('is off, or a number of epochs', () => {
    assert.equal(read(ofPgd({})).patience, null);
    assert.equal(read(ofPgd({ patience: 2 })).patience, 2);
    for (const patience of [0, 1.5, '2', true])
      refuses(ofPgd({ patience }), /a whole number of at least 1 for training\.patience/);
  });

  it('is refused where nothing selects an epoch', () => {
    const rest = { data: { name: 'mnist', validation: 0 } };
    refuses(ofPgd({ patience: 2 }), /training\.patience: without validation images/, rest);
    assert.equal(read(ofPgd({}), rest).patience, null);
  });
});

describe('class weights', () => {
  it('are off, balanced, or a list, with every objective', () => {
    for (const objective of objectiveNames) {
      const of = (more: Section) => read({ ...needed(objective), ...more }).classWeights;
      assert.equal(of({}), null);
      assert.equal(of({ classWeights: 'balanced' }), 'balanced');
      assert.deepEqual(of({ classWeights: [1, 0.5] }), [1, 0.5]);
    }
  });

  it('are refused unless they are above 0 and more than one', () => {
    for (const classWeights of [
      [1, 0],
      [1, -1],
      [1],
      [],
      'even',
      3,
      [1, 'two'],
      [1, Number.POSITIVE_INFINITY],
    ])
      refuses({ ...needed('pgd'), classWeights }, /training\.classWeights/);
  });
});

describe('batch norm in training', () => {
  const of = (more: Section) => read({ objective: 'sat', ...more }).batchNorm;

  it('is synchronised, of each rank, or of groups of images', () => {
    assert.equal(of({}), 'synchronised');
    assert.equal(of({ batchNorm: 'ghost' }), 'ghost');
    assert.deepEqual(of({ batchNorm: { ghost: 4 } }), { ghost: 4 });
    assert.deepEqual(of({ batchNorm: { ghost: 6 }, accumulate: 2 }), { ghost: 6 });
  });

  it('is refused where groups do not divide the batch, or a part of it', () => {
    const group = (ghost: unknown, more: Section = {}) => ({
      objective: 'sat',
      batchNorm: { ghost },
      ...more,
    });
    refuses(group(5), /batchNorm\.ghost: a batch of 12 is not a whole number of groups of 5/);
    refuses(group(24), /batchNorm\.ghost: a batch of 12 is not/);
    refuses(group(4, { accumulate: 2 }), /batchNorm\.ghost: a part of 6 is not/);
    refuses(group(0), /'synchronised', 'ghost' or \{ ghost: IMAGES \}|at least 1/);
    refuses({ objective: 'sat', batchNorm: 'spirit' }, /'synchronised', 'ghost' or \{ ghost: IMAGES \}/);
  });
});
