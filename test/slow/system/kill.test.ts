/**
 * A hundred kills by SIGKILL, at seeded moments, of runs with every option that has a state and of an AutoAttack
 * evaluation: what was resumed comes to the bits of what was left alone. `SATIN_KILLS=0.1` makes a tenth of the kills,
 * `SATIN_KILL_SEED=1` draws other moments.
 *
 * May differ: times, the events `resume`, and the command in the manifest. Everything else is compared: all other events
 * and their order; the digests of weights, optimizer and objective and the state of every checkpoint, also of those that
 * lie there after a kill; every line of verdicts, every image and the result.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { requirePrecision } from '../../../src/app/require-precision.js';
import { trainRun } from '../../../src/app/train/train-run.js';
import { availableBackends } from '../../../src/distributed/collectives.js';
import { loadRecipe } from '../../../src/recipe/load-recipe.js';
import { drawMoment, type Killable, randomFrom, startAndKill } from '../../support/killed-program.js';
import { freePort, satinRanks } from '../../support/ranks.js';
import {
  checkpointsIn,
  eventsOf,
  isHalfWritten,
  type Kept,
  linesOf,
  withoutTimes,
} from '../../support/run-record.js';
import { folder as imagenet, shards } from '../../support/small-imagenet.js';
import { satin, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const share = Number(process.env.SATIN_KILLS ?? 1);
const firstSeed = Number(process.env.SATIN_KILL_SEED ?? 0);
/** From the first event or verdict to a kill: about three checkpoints, and as many batches. */
const most = { training: { milliseconds: 300, writes: 30 }, evaluation: { milliseconds: 1500, writes: 6 } };

const folder = mkdtempSync(join(tmpdir(), 'satin-kill-'));
after(() => rmSync(folder, { recursive: true }));
const place = (...names: readonly string[]) => join(folder, ...names);
writeTinyMnist(place('mnist'));
// One image of the training set is broken: its warning is told once.
const broken = join(imagenet, 'train', 'n01', 'n01_2.JPEG');
writeFileSync(broken, readFileSync(broken).subarray(0, 200));

const tiny = tinyRecipe(place('mnist'));
const encoded = {
  name: 'imagenet',
  size: 8,
  resize: 10,
  validation: 3,
  workers: 2,
  shuffleBuffer: 5,
  mostBroken: 1,
  augment: { brightness: 0.4, contrast: 0.4, saturation: 0.4, lighting: 0.1, colours: 'tensorpack' },
};
const constant = { name: 'constant', learningRate: 0.01 };

interface Case {
  readonly what: string;
  readonly kills: number;
  /** An event that has to be there. */
  readonly event?: RegExp;
  /** In place of values of the tiny recipe. */
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly training: Readonly<Record<string, unknown>>;
  readonly ranks?: number;
}

/** Each option with a state is in one of them. */
const cases: readonly Case[] = [
  {
    what: 'SGD, one-cycle',
    kills: 9,
    recipe: {},
    training: { epochs: 6 },
  },
  {
    what: 'coins of sat, ghost batch norm of groups, warm-ups, steps of the learning rate',
    kills: 9,
    recipe: {},
    training: {
      objective: 'sat',
      attack: { cleanStart: 0.5, batchNorm: 'train', epsilonWarmup: 0.5, stepWarmup: 1 },
      batchNorm: { ghost: 4 },
      schedule: { name: 'step', learningRate: 0.05, warmup: 0.5, milestones: [2, 3] },
      epochs: 5,
      guard: null,
    },
  },
  {
    what: 'AdamW, averaged weights and statistics, learned activation, accumulation, clipping, guard',
    kills: 9,
    recipe: { model: { ...tiny.model, activation: 'psilu' } },
    training: {
      attack: { steps: 1, stepSize: 0.005, randomStart: false },
      optimizer: { name: 'adamw' },
      schedule: { name: 'cosine', learningRate: 0.02, warmup: 1 },
      accumulate: 2,
      clipNorm: 0.1,
      ema: { batchNorm: 'average' },
      guard: { every: 3, examples: 64 },
      epochs: 5,
    },
  },
  {
    what: 'Adam, trades with AWP, copied statistics of an average',
    kills: 9,
    recipe: {},
    training: {
      objective: 'trades',
      attack: { steps: 1 },
      awp: { warmup: 1 },
      optimizer: { name: 'adam' },
      schedule: constant,
      ema: {},
      epochs: 4,
      guard: null,
    },
  },
  {
    what: "Free's kept perturbation, epochs that are no passes",
    kills: 9,
    recipe: {},
    training: {
      objective: 'free',
      attack: { replays: 3, epsilonWarmup: 0.5 },
      optimizer: { weightDecayOn: 'all' },
      schedule: constant,
      epochs: 4,
      epochSteps: 10,
    },
  },
  {
    what: 'fast with GradAlign, in bfloat16 where the processor has it',
    kills: 8,
    recipe: {},
    training: {
      objective: 'fast',
      attack: {},
      gradAlign: {},
      schedule: constant,
      epochs: 4,
      ...(hasBfloat16() && { precision: 'bfloat16' }),
    },
  },
  {
    what: 'mart of EfficientNet with dropout and stochastic depth',
    kills: 5,
    recipe: {
      model: {
        name: 'efficientnet-b0',
        width: 0.125,
        activation: 'silu',
        dropout: 0.2,
        stochasticDepth: 0.2,
      },
    },
    training: { objective: 'mart', attack: { steps: 1 }, schedule: constant, epochs: 2, guard: null },
  },
  {
    what: 'a folder of ImageNet with a broken image',
    kills: 8,
    event: /Skipped .*n01_2\.JPEG cannot be decoded .*1st of at most 1/,
    recipe: { data: { ...encoded, dir: imagenet } },
    training: { batch: 4, schedule: constant, epochs: 8, guard: { examples: 8 } },
  },
  {
    what: 'shards of ImageNet',
    kills: 8,
    recipe: { data: { ...encoded, dir: shards } },
    training: { batch: 4, schedule: constant, epochs: 8, guard: null },
  },
  {
    what: 'two ranks with synchronised batch norm, and the perturbation of Free',
    kills: availableBackends().includes('gloo') ? 3 : 0,
    recipe: {},
    training: { objective: 'free', attack: { replays: 2 }, schedule: constant, epochs: 2 },
    ranks: 2,
  },
];
const ofEvaluation = 23;

let allKills = 0;
const quota = (kills: number) => Math.ceil(kills * share);

describe('a run that is killed and resumed until it ends is that of a run left alone', () => {
  for (const [at, { what, kills, event = /./, recipe: changed, training, ranks = 1 }] of cases.entries())
    it(what, { skip: kills === 0 }, async (context) => {
      const file = place(`recipe-${at}.yaml`);
      const recipe = {
        ...tiny,
        ...changed,
        training: { ...tiny.training, attack: undefined, checkpointEvery: 1, ...training },
      };
      writeFileSync(
        file,
        JSON.stringify(
          'attack' in training
            ? recipe
            : { ...recipe, training: { ...recipe.training, attack: { steps: 1 } } },
        ),
      );
      const alone = place(`alone-${at}`);
      const reached = ranks === 1 ? await trainAlone(file, alone) : await trainRanks(file, alone, ranks);
      const [events, checkpoints] = [eventsOf(alone), checkpointsIn(alone)];
      assert.match(JSON.stringify(events), event);
      let halfWritten = 0;
      await killUntil(context, {
        kills: quota(kills),
        seed: firstSeed + at,
        most: most.training,
        program: (path) => trainProgram(file, path, ranks),
        onKilled: (path) => {
          if (isHalfWritten(path)) halfWritten++;
          if (reached !== null)
            for (const [name, kept] of checkpointsIn(path)) assert.deepEqual(kept, reached.get(name), name);
        },
        onEnded: (path) => {
          assert.deepEqual(checkpointsIn(path), checkpoints);
          assert.deepEqual(eventsOf(path), events);
          for (const name of ['recipe.json', 'checkpoints'])
            assert.deepEqual(filesOf(join(path, name)), filesOf(join(alone, name)));
        },
      });
      context.diagnostic(`${halfWritten} kills left a checkpoint half written`);
    });
});

it('an AutoAttack evaluation that is killed and resumed until it ends is that of one left alone', async (context) => {
  const run = place('evaluated');
  const recipe = place('evaluated.yaml');
  // At this ε the first attack breaks some images, and others are left for the rest.
  const schedule = { name: 'one-cycle', learningRate: 0.2, warmup: 2 };
  const training = { ...tiny.training, objective: 'clean', attack: undefined, epochs: 20, schedule };
  writeFileSync(recipe, JSON.stringify({ ...tiny, model: { ...tiny.model, width: 0.125 }, training }));
  const trained = satin('train', recipe, '--out', run);
  assert.equal(trained.status, 0, trained.stderr);
  const words = ['evaluate', run, '--data', 'mnist', '--data-dir', place('mnist'), '--threads', '1'];
  const what = [
    '--autoattack',
    'standard',
    '--epsilon',
    '0.05',
    '--examples',
    '6',
    '--batch',
    '2',
    '--alone',
  ];
  const alone = place('evaluation-alone');
  const whole = satin(...words, ...what, '--save-adversarial', alone);
  assert.equal(whole.status, 0, whole.stderr);
  const outcome = (path: string) => {
    const { command: _, ...result } = JSON.parse(readFileSync(join(path, 'evaluation.json'), 'utf8'));
    return {
      lines: linesOf(join(path, 'verdicts.jsonl')),
      result: withoutTimes(result),
      images: readFileSync(join(path, 'adversarial.safetensors')),
      originals: readFileSync(join(path, 'originals.safetensors')),
      files: readdirSync(path).sort(),
    };
  };
  const expected = outcome(alone);
  const attacks = expected.result.attacks as readonly { name: string; attacked: number; broken: number }[];
  for (const { name, attacked, broken } of attacks)
    context.diagnostic(`${name} attacked ${attacked} and broke ${broken}`);
  assert.ok(attacks.length === 4 && attacks.every(({ attacked }) => attacked > 0));
  assert.ok(attacks[0]!.broken > 0, 'there are images to compare');
  await killUntil(context, {
    kills: quota(ofEvaluation),
    seed: firstSeed + cases.length,
    most: most.evaluation,
    program: (path) => ({
      lines: [
        existsSync(join(path, 'manifest.json'))
          ? [...words, '--resume', path]
          : [...words, ...what, '--save-adversarial', path],
      ],
      log: join(path, 'verdicts.jsonl'),
      folder: path,
      written: /^(verdicts\.jsonl|images\.f32|.*\.tmp)$/,
    }),
    onKilled: () => {},
    onEnded: (path) => {
      assert.deepEqual(outcome(path), expected);
      const verified = satin('verify', path, '--model', run, '--threads', '1');
      assert.equal(verified.status, 0, verified.stderr);
    },
  });
});

it('a hundred kills in all', (context) => {
  context.diagnostic(`${allKills} kills, seeds from ${firstSeed}`);
  if (share === 1 && availableBackends().includes('gloo')) assert.equal(allKills, 100);
});

interface KillUntil {
  readonly kills: number;
  readonly seed: number;
  readonly most: (typeof most)['training'];
  /** What begins or resumes in a folder. */
  readonly program: (path: string) => Promise<Killable> | Killable;
  readonly onKilled: (path: string) => void;
  /** Called with each folder once its program has ended. */
  readonly onEnded: (path: string) => void;
}

/** Kills a program so often, in one folder after the other: each is resumed until it ends. */
async function killUntil(context: TestContext, options: KillUntil): Promise<void> {
  const { kills, seed, most, program, onKilled, onEnded } = options;
  const random = randomFrom(seed);
  const moments = { start: 0, log: 0, writes: 0 };
  let [done, folders] = [0, 0];
  const began = performance.now();
  while (done < kills) {
    const path = place(`killed-${seed}-${folders++}`);
    let hasEnded = false;
    while (!hasEnded) {
      // Once there were enough kills, the moment never comes.
      const moment =
        done < kills ? drawMoment(random, most) : ({ after: 'writes', count: Infinity } as const);
      hasEnded = !(await startAndKill(await program(path), moment));
      if (hasEnded) continue;
      done++;
      moments[moment.after]++;
      onKilled(path);
    }
    onEnded(path);
    rmSync(path, { recursive: true });
  }
  allKills += done;
  const { start, log, writes } = moments;
  context.diagnostic(
    `seed ${seed}: ${done} kills in ${folders} folders: ${start} from the start, ${log} at work, ${writes} while it wrote; ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
}

/** Trains in this process; returns what every checkpoint was. */
async function trainAlone(recipe: string, path: string): Promise<ReadonlyMap<string, Kept>> {
  const all = new Map<string, Kept>();
  await trainRun({
    recipe: loadRecipe(recipe, { set: [], smoke: false }),
    path,
    resume: false,
    interrupted: () => false,
    onEvent: ({ type }) => {
      if (type === 'checkpoint') for (const [name, kept] of checkpointsIn(path)) all.set(name, kept);
    },
  });
  return all;
}

async function trainRanks(recipe: string, path: string, ranks: number): Promise<null> {
  const line = ['train', recipe, '--out', path];
  for (const { status, stderr } of await (await satinRanks(new Array(ranks).fill(line))).ended)
    assert.equal(status, 0, stderr);
  return null;
}

async function trainProgram(recipe: string, path: string, ranks: number): Promise<Killable> {
  const isBegun = existsSync(join(path, 'recipe.json'));
  const line = ['train', recipe, '--out', path, ...(isBegun ? ['--resume'] : [])];
  const port = String(await freePort());
  return {
    lines: new Array<readonly string[]>(ranks).fill(line),
    env: (rank) =>
      ranks === 1
        ? {}
        : {
            OMP_NUM_THREADS: '1',
            WORLD_SIZE: String(ranks),
            MASTER_ADDR: '127.0.0.1',
            MASTER_PORT: port,
            RANK: String(rank),
          },
    log: join(path, 'events.jsonl'),
    folder: join(path, 'checkpoints'),
    written: /\.tmp$/,
  };
}

/** The bytes of a file, or of each file of a folder by its name without the count of a step that was written again. */
function filesOf(path: string): unknown {
  if (!path.endsWith('checkpoints')) return readFileSync(path);
  const weights = readdirSync(path).filter((name) => name.endsWith('.safetensors'));
  return weights.map((name) => [name.replace(/_\d+/, ''), readFileSync(join(path, name))] as const).sort();
}

function hasBfloat16(): boolean {
  try {
    requirePrecision('bfloat16', { device: 'cpu', name: 'precision' });
    return true;
  } catch {
    return false;
  }
}
