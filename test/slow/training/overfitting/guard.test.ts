/**
 * The promise: a run that is made to overfit catastrophically is caught within one epoch of onset, on three
 * seeds, and three healthy runs raise nothing.
 *
 * A network this small falls into the overfitting of one long step and climbs out of it again, within a few dozen steps.
 * So epochs are short here, and a run goes on until the first fall. On two cores (libtorch 1.13) the onsets came in
 * epochs 11, 15 and 26 and the warnings in 9, 15 and 9; the healthy runs ended at 68 to 70 % under PGD-20. It
 * takes about a quarter of an hour.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAttack } from '../../../../src/attacks/attack.js';
import { norms } from '../../../../src/attacks/norms.js';
import { ShuffledDataset } from '../../../../src/data/batch-source.js';
import { subset } from '../../../../src/data/dataset.js';
import { DatasetTensors } from '../../../../src/data/dataset-tensors.js';
import { loadDataset } from '../../../../src/data/load-dataset.js';
import { InterruptedError } from '../../../../src/errors.js';
import { evaluate } from '../../../../src/evaluation/evaluate.js';
import { Model } from '../../../../src/models/model.js';
import { scope } from '../../../../src/tensor/scope.js';
import { adversarial } from '../../../../src/training/objectives/adversarial.js';
import type { TrainingAttack } from '../../../../src/training/objectives/training-attack.js';
import { Sgd } from '../../../../src/training/optimizers/sgd.js';
import { Guard } from '../../../../src/training/overfitting/guard.js';
import { initialProgress, train } from '../../../../src/training/train.js';

const whole = await loadDataset({ name: 'fashion-mnist', split: 'train', validation: 0, validationSeed: 0 });
const places = (from: number, count: number) => Uint32Array.from({ length: count }, (_, at) => from + at);
const images = subset(whole, places(0, 20_000));
/** Training images too, but others than the guard's: what it says is held against them. */
const others = subset(whole, places(20_000, 256));

const norm = norms.linf;
const stepsPerEpoch = 40;

interface RunOptions {
  readonly seed: number;
  readonly activation: string;
  readonly epsilon: number;
  readonly attack: Pick<TrainingAttack, 'steps' | 'start'> & { readonly relativeStep: number };
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly epochs: number;
}

/** What an evaluation finds after an epoch on images that the guard does not see. */
interface Measured {
  readonly fgsm: number;
  readonly pgd20: number;
}

interface Outcome {
  readonly epochs: readonly Measured[];
  /** The epoch, from 1, of the guard's warning. */
  readonly warned: number | null;
  /** The epoch of the weights that the guard kept last. */
  readonly healthy: number | null;
  /** The epoch of the onset. */
  readonly onset: number | null;
}

/**
 * Onset, told from other images and by a longer attack: PGD-20 accuracy falls by more than 0.25 in an epoch, or FGSM's is
 * more than 0.35 above it. It is a little more than the guard asks for, since either sample has an error of some hundredths.
 */
const isOnset = (epochs: readonly Measured[], at = epochs.length - 1) => isSeen(epochs, at, [0.25, 0.35]);

/** Whether more than this much of fall or gap is seen on the other images. */
function isSeen(epochs: readonly Measured[], at: number, [fall, gap]: readonly [number, number]): boolean {
  const { fgsm, pgd20 } = epochs[at]!;
  return fgsm - pgd20 > gap || (epochs[at - 1]?.pgd20 ?? 0) - pgd20 > fall;
}

/** Trains until the onset was warned of or lies an epoch back, or to the end. */
async function run(options: RunOptions): Promise<Outcome> {
  const { seed, activation, epsilon, attack, learningRate, weightDecay, epochs } = options;
  const { classes, shape } = images;
  using data = new DatasetTensors(images);
  using aside = new DatasetTensors(others);
  using model = scope(() =>
    Model.create(
      {
        architecture: 'resnet8',
        width: 0.5,
        activation,
        classes,
        shape,
        normalise: { mean: [0.286], std: [0.353] },
      },
      { seed },
    ),
  );
  using optimizer = new Sgd(model.network.parameters(), { momentum: 0.9, nesterov: true, weightDecay });
  const measured: Measured[] = [];
  let warned: number | null = null;
  let healthy: number | null = null;
  let onset: number | null = null;
  const ended = train({
    model,
    data: new ShuffledDataset(data, { flip: false, crop: 0 }),
    optimizer,
    seed,
    epochs,
    objective: adversarial({
      attack: { ...attack, norm, epsilon, stepSize: attack.relativeStep * epsilon, batchNorm: 'eval' },
    }),
    schedule: { name: 'one-cycle', learningRate, warmup: 5, final: learningRate / 3 },
    batch: 64,
    epochSteps: stepsPerEpoch,
    checkpointEvery: null,
    progress: initialProgress,
    guard: new Guard({ data, examples: 256, norm, epsilon, epsilonText: String(epsilon), seed }),
    async *evaluate() {
      using folded = model.fold();
      const { attacks, robust } = await evaluate({ exact: model.classify, fast: folded.classify }, aside, {
        attacks: [parseAttack('fgsm'), parseAttack('pgd-20')],
        threat: { norm, epsilon },
        seed: seed + 100,
        batch: 256,
      });
      measured.push({ fgsm: attacks[0]!.robustAfter, pgd20: robust });
      if (onset === null && isOnset(measured)) onset = measured.length;
      yield ['others', robust] as const;
    },
    record: (event) => {
      if (event.type === 'warning') warned = event.step / stepsPerEpoch;
    },
    checkpoint: (name, { step }) => {
      if (name === 'healthy') healthy = step / stepsPerEpoch;
    },
    interrupted: () => onset !== null && (warned !== null || measured.length > onset),
  });
  await ended.catch((error) => {
    if (!(error instanceof InterruptedError)) throw error;
  });
  return { epochs: measured, warned, healthy, onset };
}

const shown = ({ epochs, warned, healthy, onset }: Outcome) =>
  `onset ${onset}, warned ${warned}, healthy ${healthy}; FGSM/PGD-20 ` +
  epochs.map(({ fgsm, pgd20 }) => `${(100 * fgsm).toFixed(0)}/${(100 * pgd20).toFixed(0)}`).join(' ');

describe('the guard', () => {
  for (const seed of [0, 1, 2])
    it(`catches Fast training with a step of twice ε within an epoch of onset, seed ${seed}`, async (t) => {
      const outcome = await run({
        seed,
        activation: 'relu',
        epsilon: 0.15,
        attack: { steps: 1, relativeStep: 2, start: { kind: 'uniform' } },
        learningRate: 0.15,
        weightDecay: 0,
        epochs: 36,
      });
      t.diagnostic(shown(outcome));
      const { epochs, warned, healthy, onset } = outcome;
      assert.ok(onset !== null, 'the run was made to overfit');
      assert.ok(warned !== null && warned <= onset + 1, 'caught within an epoch');
      // No false alarm: the other images show at least half of what the guard asks for.
      assert.ok(isSeen(epochs, warned - 1, [0.1, 0.15]), `seen on other images too in epoch ${warned}`);
      // What it kept is from before, and better than what came.
      assert.equal(healthy, warned - 1);
      assert.ok(epochs[healthy - 1]!.pgd20 > epochs[warned - 1]!.pgd20);
    });

  for (const seed of [0, 1, 2])
    it(`raises nothing in a healthy run, seed ${seed}`, async (t) => {
      const outcome = await run({
        seed,
        activation: 'silu',
        epsilon: 0.05,
        attack: { steps: 3, relativeStep: 2.5 / 3, start: { kind: 'uniform' } },
        learningRate: 0.1,
        weightDecay: 5e-4,
        epochs: 16,
      });
      t.diagnostic(shown(outcome));
      assert.ok(outcome.epochs.at(-1)!.pgd20 > 0.5, 'the run learned something that could be lost');
      assert.equal(outcome.warned, null);
      assert.equal(outcome.healthy, 16);
    });
});
