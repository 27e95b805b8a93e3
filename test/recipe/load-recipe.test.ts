import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { InputError } from '../../src/errors.js';
import { loadRecipe, recipeNames } from '../../src/recipe/load-recipe.js';
import { parseRecipe } from '../../src/recipe/recipe.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-recipe-'));
after(() => rmSync(folder, { recursive: true }));

const minimal = `
name: minimal
data: { name: mnist }
model: { name: resnet20, activation: relu }
threat: { norm: linf, epsilon: 8/255 }
training:
  objective: clean
  epochs: 3
  batch: 10
  schedule: { name: constant, learningRate: 0.1 }
smoke:
  training: { epochs: 1 }
`;

function fileOf(text: string, name = 'recipe.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(set: readonly string[] = [], base = minimal) {
  return loadRecipe(fileOf(base), { set });
}

function refuses(action: () => unknown, ...messages: RegExp[]): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof InputError, String(error));
    for (const message of messages) assert.match(error.message, message);
    return true;
  });
}

describe('a recipe', () => {
  it('is complete once it is read: every default filled in', () => {
    assert.deepEqual(load(), {
      name: 'minimal',
      data: {
        name: 'mnist',
        dir: null,
        validation: 0.1,
        validationSeed: 0,
        examples: null,
        augment: { flip: false, crop: 0 },
      },
      model: {
        name: 'resnet20',
        width: 1,
        activation: 'relu',
        normalise: 'dataset',
        padding: 'symmetric',
        normEpsilon: 1e-5,
        dropout: null,
        stochasticDepth: null,
      },
      threat: { norm: 'linf', epsilon: 8 / 255, epsilonText: '8/255' },
      training: {
        objective: 'clean',
        labelSmoothing: 0,
        accumulate: 1,
        clipNorm: null,
        classWeights: null,
        ema: null,
        precision: 'float32',
        batchNorm: 'synchronised',
        epochs: 3,
        batch: 10,
        seed: 0,
        optimizer: {
          name: 'sgd',
          momentum: 0.9,
          nesterov: true,
          weightDecay: 5e-4,
          weightDecayOn: 'weights',
        },
        schedule: { name: 'constant', learningRate: 0.1, warmup: 0, warmupFrom: 0 },
        epochSteps: null,
        patience: null,
        checkpointEvery: null,
      },
      validation: { attack: 'pgd-10', examples: 1000, batch: 250 },
      device: 'auto',
      threads: null,
    });
  });

  it('comes back as it is when it was stored as JSON', () => {
    for (const name of recipeNames()) {
      const recipe = loadRecipe(name);
      assert.deepEqual(parseRecipe(JSON.parse(JSON.stringify(recipe)), 'test'), recipe);
    }
  });

  it('is read without the engine', () => {
    const program = `await import('${new URL('../../src/recipe/load-recipe.js', import.meta.url)}');
      console.log(process.report.getReport().sharedObjects.filter((file) => /torch/.test(file)).length);`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    assert.equal(stdout.trim(), '0');
  });
});

describe('the recipes that come with Satin', () => {
  it('are valid, with their smoke sections too, and named as their files', () => {
    const names = recipeNames();
    assert.ok(names.length >= 3);
    for (const name of names) {
      assert.equal(loadRecipe(name).name, name);
      const smoke = loadRecipe(name, { smoke: true });
      assert.equal(smoke.training.epochs, 1);
      assert.notEqual(smoke.device, 'cuda', 'a smoke run needs no card');
    }
  });

  it('for ReLU and SiLU differ in nothing but name and activation', () => {
    const relu = loadRecipe('fashion-mnist-relu');
    const silu = loadRecipe('fashion-mnist-silu');
    assert.deepEqual({ ...relu, name: silu.name, model: { ...relu.model, activation: 'silu' } }, silu);
  });

  it('begin with their command', () => {
    for (const name of recipeNames()) {
      const text = readFileSync(new URL(`../../../recipes/${name}.yaml`, import.meta.url), 'utf8');
      assert.match(text, new RegExp(`^#.*\\n(#.*\\n)*#   ./satin train ${name}\\b`));
    }
  });
});

describe('--set and --smoke', () => {
  it('change what they name, --set after --smoke', () => {
    assert.equal(loadRecipe(fileOf(minimal), { smoke: true }).training.epochs, 1);
    const set = [
      'training.epochs=7',
      'training.schedule={name: cosine, learningRate: 0.2}',
      'model.activation=silu',
    ];
    const recipe = loadRecipe(fileOf(minimal), { smoke: true, set });
    assert.equal(recipe.training.epochs, 7);
    assert.deepEqual(recipe.training.schedule, {
      name: 'cosine',
      learningRate: 0.2,
      warmup: 0,
      warmupFrom: 0,
      final: 0,
    });
    assert.equal(recipe.model.activation, 'silu');
  });

  it('are refused where they name nothing or are no assignment', () => {
    refuses(
      () => load(['training.epoch=3']),
      /Unknown key 'training\.epoch'. Did you mean 'training\.epochs'\?/,
      /with `set`/,
    );
    refuses(() => load(['training']), /Expected path=value/);
    refuses(() => load(['training.epochs=[1']), /Expected a YAML value for training\.epochs/);
    refuses(() => load(['__proto__.polluted=1']), /Unknown key '__proto__'/);
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
    refuses(
      () => loadRecipe(fileOf(`${minimal.slice(0, minimal.indexOf('smoke:'))}smoke: 3\n`), { smoke: true }),
      /Expected a section of keys for smoke/,
    );
  });
});

describe('a change of a recipe', () => {
  const walk = fileOf(
    `
name: walk
data: { name: mnist }
model: { name: resnet8, activation: relu }
threat: { norm: linf, epsilon: 0.1 }
training:
  objective: pgd
  attack: { steps: 2, randomStart: false, epsilonWarmup: 3 }
  awp: { warmup: 10 }
  epochs: 30
  batch: 64
  optimizer: { momentum: 0.8 }
  schedule: { name: step, learningRate: 0.1, warmup: 6, milestones: [15, 25], factor: 0.2 }
`,
    'walk.yaml',
  );
  const changed = (...set: readonly string[]) => {
    const notes: string[] = [];
    const recipe = loadRecipe(walk, { set, onNote: (note) => notes.push(note) });
    return { training: recipe.training, notes };
  };

  it('of the number of epochs takes along what is said in epochs, and says so', () => {
    const { training, notes } = changed('training.epochs=3');
    assert.ok(training.objective === 'pgd' && training.schedule.name === 'step');
    const { schedule, attack, awp } = training;
    assert.deepEqual(
      [schedule.warmup, schedule.milestones, attack.epsilonWarmup, awp?.warmup],
      [0.6, [1.5, 2.5], 0.3, 1],
    );
    assert.equal(notes.length, 4);
    assert.match(
      notes[0]!,
      /^With 3 epochs in place of 30, training\.schedule\.warmup is 0\.6 in place of 6\.$/,
    );
    assert.deepEqual(changed('training.epochs=30').notes, []);
  });

  it('leaves what is changed with it, whatever its value', () => {
    const { training, notes } = changed(
      'training.epochs=20',
      'training.schedule.warmup=6',
      'training.schedule.milestones=[15, 18]',
    );
    assert.ok(training.schedule.name === 'step');
    assert.deepEqual([training.schedule.warmup, training.schedule.milestones], [6, [15, 18]]);
    assert.doesNotMatch(notes.join('\n'), /schedule/);
  });

  it('of the objective drops what belongs to another one, and says so', () => {
    const { training, notes } = changed('training.objective=clean');
    assert.equal(training.objective, 'clean');
    assert.deepEqual(notes, [
      'training.attack is dropped, which does not belong to training.objective=clean.',
      'training.awp is dropped, which does not belong to training.objective=clean.',
    ]);
    const trades = changed('training.objective=trades');
    assert.ok(trades.training.objective === 'trades');
    assert.equal(trades.training.attack.steps, 2);
    assert.deepEqual(trades.notes, [
      'training.attack.randomStart is dropped, which does not belong to training.objective=trades.',
    ]);
    const adam = changed('training.optimizer.name=adam', 'training.schedule.name=cosine');
    assert.equal(adam.training.optimizer.name, 'adam');
    assert.deepEqual(adam.notes.length, 3);
  });

  it('refuses what is changed to what does not belong there', () => {
    refuses(
      () => changed('training.objective=clean', 'training.attack.steps=3'),
      /'training\.attack' applies only if training\.objective is/,
    );
    refuses(() => changed('training.objective=klean'), /training\.objective but received 'klean'/);
    const typo = fileOf(readFileSync(walk, 'utf8').replace('randomStart', 'randomStrat'));
    refuses(
      () => loadRecipe(typo, { set: ['training.objective=trades'] }),
      /Unknown key 'training\.attack\.randomStrat'/,
    );
  });

  it('to a smoke run needs no section of that name', () => {
    const notes: string[] = [];
    const { training, validation } = loadRecipe(walk, { smoke: true, onNote: (note) => notes.push(note) });
    assert.deepEqual([training.epochs, training.epochSteps, validation.examples], [1, 4, 16]);
    assert.match(notes.join(), /no section smoke: it is reduced to one epoch of 4 steps/);
    assert.equal(training.schedule.warmup, 0.2);
    assert.equal(loadRecipe(walk, { smoke: true, set: ['training.epochs=2'] }).training.schedule.warmup, 0.4);
  });
});

describe('the folder of the data', () => {
  const own = (dir: string) => `
name: own
data: { name: folder, dir: ${dir}, size: [8, 8] }
model: { name: resnet8, activation: relu }
threat: { norm: linf, epsilon: 0.1 }
training: { objective: clean, epochs: 1, batch: 4, schedule: { name: constant, learningRate: 0.1 } }
`;

  it('is looked for beside the recipe too, and a message says where', () => {
    const path = fileOf(own('pictures of mine'));
    const beside = join(dirname(path), 'pictures of mine');
    refuses(
      () => loadRecipe(path),
      /Expected a folder of images for data\.dir but received 'pictures of mine'/,
      new RegExp(`There is none at ${resolve('pictures of mine')} or ${beside}\\.`),
    );
    mkdirSync(beside);
    assert.equal(loadRecipe(path).data.dir, beside);
    assert.equal(loadRecipe(fileOf(own(beside))).data.dir, beside);
    assert.equal(loadRecipe(fileOf(own('src'))).data.dir, 'src', 'the working directory comes first');
  });
});

describe('the name of a recipe', () => {
  it('that is no file is said to be none, without a list of recipes where it is a path', () => {
    const missing = join(tmpdir(), 'nobody', 'photo.yaml');
    assert.throws(
      () => loadRecipe(missing),
      (error: Error) =>
        error.message.includes(`There is no file ${missing}.`) && !/imagenet/.test(error.message),
    );
    refuses(() => loadRecipe('cifar10-sillu'), /Did you mean 'cifar10-silu'\?/);
    refuses(() => loadRecipe('unheard-of'), /There is no such file, and the recipes are cifar10-/);
  });
});

describe('a recipe is refused', () => {
  const cases: readonly (readonly [claim: string, set: string, message: RegExp])[] = [
    [
      'for a negative count',
      'training.epochs=-1',
      /a whole number of at least 1 for training\.epochs but received -1/,
    ],
    [
      'for a fractional count',
      'training.batch=1.5',
      /a whole number of at least 1 for training\.batch but received 1\.5/,
    ],
    ['for a count in quotes', 'training.batch="10"', /training\.batch but received '10'/],
    ['for NaN', 'training.schedule.learningRate=.nan', /a number above 0 .* received NaN/],
    ['for an infinite number', 'training.schedule.learningRate=.inf', /received Infinity/],
    ['for a seed beyond what a number holds', 'training.seed=1e300', /training\.seed/],
    [
      'for an unknown model',
      'model.name=resnet2',
      /Expected a known name for model\.name but received 'resnet2'\. Did you mean 'resnet/,
    ],
    [
      'for padding that a network for small images lacks',
      'model.padding=same',
      /model\.padding: resnet20 supports symmetric padding only/,
    ],
    ['for an unknown padding', 'model.padding=valid', /'symmetric' or 'same' for model\.padding/],
    ['for an ε of batch norm of 0', 'model.normEpsilon=0', /a number above 0 for model\.normEpsilon/],
    ['for an unknown activation', 'model.activation=rleu', /activation but received 'rleu'/],
    [
      'for a coefficient out of range',
      'model.activation=softplus(-1)',
      /from 0\.000001 to 1000000 .* β of softplus/,
    ],
    [
      'for an unknown data set',
      'data.name=minst',
      /for data\.name but received 'minst'\. Did you mean 'mnist'\?/,
    ],
    ['for an unknown attack', 'validation.attack=autoattack', /'pgd-STEPS'.*'autoattack'/],
    ['for an attack of no steps', 'validation.attack=pgd-0', /'pgd-STEPS'/],
    ['for ε of 8 in L∞', 'threat.epsilon=8', /at most 1 in L∞ .* received 8\. Did you mean 8\/255\?/],
    ['for a negative ε', 'threat.epsilon=-8/255', /at least 0.* for threat\.epsilon but received '-8\/255'/],
    ['for an ε that is no number', 'threat.epsilon=8/255px', /'8\/255px'/],
    ['for an ε divided by zero', 'threat.epsilon=8/0', /'8\/0'/],
    ['for an ε that contradicts its text', 'threat.epsilonText="1/255"', /the value of '1\/255'/],
    [
      'for milestones of a constant schedule',
      'training.schedule.milestones=[1]',
      /applies only if training\.schedule\.name is 'step'/,
    ],
    [
      'for an attack of a clean objective',
      'training.attack={steps: 3}',
      /applies only if training\.objective is .*'pgd'/,
    ],
    ['for a size of images that have one', 'data.size=[32, 32]', /applies only if data\.name is 'folder'/],
    [
      'for a folder that is not named',
      'data.name=folder',
      /the path of a folder for data\.dir but received nothing/,
    ],
    ['for a warm-up longer than the run', 'training.schedule.warmup=3', /does not end within 3/],
    ['for Nesterov without momentum', 'training.optimizer.momentum=0', /optimizer\.nesterov: .*no effect/],
    ['for a batch that cannot be filled', 'data.examples=5', /a batch of 10 is larger than data\.examples/],
    ['for one and a half validation examples', 'data.validation=1.5', /a share below 1/],
    [
      'for mean and std of different length',
      'model.normalise={mean: [0, 0], std: [1]}',
      /one number per channel/,
    ],
    ['for a name that is no file name', 'name=../up', /for name but received '\.\.\/up'/],
    [
      'for a section that is a number',
      'training=3',
      /Expected a section of keys for training but received 3/,
    ],
  ];
  assert.ok(cases.length > 0);
  for (const [claim, set, message] of cases) it(claim, () => refuses(() => load([set]), message));

  it('for milestones that do not rise or come too late', () => {
    const step = (milestones: string) => [
      `training.schedule={name: step, learningRate: 0.1, milestones: ${milestones}}`,
    ];
    assert.deepEqual(load(step('[1, 2.5]')).training.schedule, {
      name: 'step',
      learningRate: 0.1,
      warmup: 0,
      warmupFrom: 0,
      milestones: [1, 2.5],
      factor: 0.1,
    });
    for (const milestones of ['[2, 1]', '[1, 1]', '[3]', '[0]', '[]'])
      refuses(() => load(step(milestones)), /milestones/);
  });

  it('with every problem named at once', () => {
    const set = ['training.epochs=0', 'model.width=-1', 'extra=1'];
    refuses(() => load(set), /3 problems/, /training\.epochs/, /model\.width/, /Unknown key 'extra'/);
  });

  it('where the file is not YAML, with the line', () => {
    refuses(
      () => loadRecipe(fileOf('name: a\ndata: [1, 2\nmodel: b\n')),
      /Expected YAML .* line 3 cannot be parsed/,
    );
    refuses(() => loadRecipe(fileOf('a: 1\na: 2\n')), /line 2 .*unique/);
    refuses(() => loadRecipe(fileOf('a: *nothing\n')), /alias/);
    refuses(() => loadRecipe(fileOf('\u0000\u0001\u0002')), /Expected a recipe/);
    refuses(() => loadRecipe(fileOf('')), /Expected a recipe .* null/);
    refuses(() => loadRecipe(fileOf('- a\n')), /Expected a recipe .* \["a"\]/);
  });

  it('where it is longer or deeper than recipes are', () => {
    refuses(() => loadRecipe(fileOf('a: 1\n'.repeat(50_000))), /at most 50000 characters for .*recipe\.yaml/);
    for (const deep of ['['.repeat(45_000), '- '.repeat(24_000), '{a: '.repeat(12_000)])
      refuses(() => loadRecipe(fileOf(deep)), /recipe\.yaml/);
  });

  it('where there is none, with the nearest name', () => {
    refuses(() => loadRecipe('fashion-mnist-silo'), /Did you mean 'fashion-mnist-silu'\?/);
    refuses(() => loadRecipe('nothing'), /the recipes are .*fashion-mnist-silu/);
    refuses(() => loadRecipe(folder), /It is a folder/);
  });
});

it('a YAML recipe is plain data: the smoke section is no part of it', () => {
  refuses(() => parseRecipe(parse(minimal), 'test'), /Unknown key 'smoke'/);
});
