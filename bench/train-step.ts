import { norms } from '../src/attacks/norms.js';
import type { Batch } from '../src/data/tensors.js';
import { Model } from '../src/models/model.js';
import { integers } from '../src/tensor/create.js';
import { engineInfo } from '../src/tensor/engine.js';
import { noise } from '../src/tensor/noise.js';
import { keep, scope } from '../src/tensor/scope.js';
import { adversarial } from '../src/training/adversarial.js';
import { Sgd } from '../src/training/sgd.js';
import { medianInterval } from './pairs.js';
import { Rival, torchVersion } from './rival.js';
import type { BenchOptions, BenchRow } from './row.js';

/**
 * One PGD-1 adversarial training step of a ResNet-18 on 3x32x32, beside the same step in PyTorch: eager, channels-last
 * and compiled are all tried, and the fastest is the peer. The two sides alternate within one run.
 */
export async function trainStep({ python, pairs, note }: BenchOptions): Promise<BenchRow[]> {
  const version = torchVersion(python);
  if (version === null)
    note(`${python} has no torch: Satin is measured alone. --python names another Python.`);
  const rows: BenchRow[] = [];
  for (const width of [16, 64])
    for (const activation of ['relu', 'silu']) {
      const name = `train-step/width-${width}/${activation}`;
      // About a second of steps a turn, so that a turn is longer than the machine's hiccups.
      const steps = width === 16 ? 4 : 1;
      const peer =
        version === null ? null : await fastestRival({ python, version, width, activation, steps, note });
      using satin = new SatinStep(width, activation);
      satin.run(2);
      const turns: { satin: number; peer: number | null }[] = [];
      for (let pair = 0; pair < pairs; pair++) {
        note(`${name}: pair ${pair + 1} of ${pairs}`);
        turns.push({ satin: satin.run(steps), peer: (await peer?.rival.run(steps)) ?? null });
      }
      peer?.rival[Symbol.dispose]();
      const speed = (seconds: readonly number[]) =>
        medianInterval(seconds.map((each) => (batchSize * steps) / each)).median;
      const ratios = turns.flatMap((turn) => (turn.peer === null ? [] : [turn.peer / turn.satin]));
      const ratio = ratios.length === 0 ? null : medianInterval(ratios);
      rows.push({
        name,
        unit: 'img/s',
        satin: speed(turns.map((turn) => turn.satin)),
        peer: ratio === null ? null : speed(turns.flatMap((turn) => (turn.peer === null ? [] : [turn.peer]))),
        peerName: peer?.name ?? null,
        ratio: ratio?.median ?? null,
        interval: ratio?.interval ?? null,
        runs: pairs,
      });
    }
  return rows;
}

const batchSize = 128;
const epsilon = 8 / 255;
const variants = ['eager', 'channels-last', 'compile', 'compile-channels-last'];

/** Tries every variant of PyTorch and keeps the fastest. */
async function fastestRival(options: {
  readonly python: string;
  readonly version: string;
  readonly width: number;
  readonly activation: string;
  readonly steps: number;
  readonly note: (sentence: string) => void;
}): Promise<{ readonly rival: Rival; readonly name: string }> {
  const { python, version, width, activation, steps, note } = options;
  const tried: { rival: Rival; variant: string; seconds: number }[] = [];
  for (const variant of variants) {
    note(`setting up torch ${version} ${variant}, width ${width}, ${activation}`);
    const rival = new Rival(python, 'train_step.py');
    await rival.setUp({ width, activation, variant, batch: batchSize, threads: engineInfo().threads });
    const seconds: number[] = [];
    for (let turn = 0; turn < 3; turn++) seconds.push(await rival.run(steps));
    tried.push({ rival, variant, seconds: medianInterval(seconds).median });
    note(`torch ${variant}: ${Math.round((batchSize * steps) / medianInterval(seconds).median)} img/s`);
  }
  tried.sort((a, b) => a.seconds - b.seconds);
  for (const { rival } of tried.slice(1)) rival[Symbol.dispose]();
  return { rival: tried[0]!.rival, name: `torch ${version} ${tried[0]!.variant}` };
}

/** Satin's side: the trainer's own objective and optimiser on batches of noise. */
class SatinStep implements Disposable {
  readonly #model: Model;
  readonly #optimizer: Sgd;
  readonly #batch: Batch;
  readonly #objective = adversarial({
    attack: {
      norm: norms.linf,
      epsilon,
      steps: 1,
      stepSize: 1.25 * epsilon,
      start: { kind: 'uniform' },
      batchNorm: 'eval',
    },
  });
  #epoch = 0;

  constructor(width: number, activation: string) {
    const shape = [3, 32, 32] as const;
    const classes = Array.from({ length: 10 }, (_, index) => String(index));
    this.#model = Model.create(
      { architecture: 'resnet18', width: width / 64, activation, classes, shape, normalise: null },
      { seed: 0 },
    );
    this.#optimizer = new Sgd(this.#model.network.parameters(), {
      momentum: 0.9,
      nesterov: true,
      weightDecay: 5e-4,
    });
    const ids = Array.from({ length: batchSize }, (_, index) => index);
    this.#batch = {
      x: keep(noise('uniform', { key: { seed: 0, stream: 'bench' }, ids, shape })),
      labels: keep(integers(ids.map((id) => id % 10))),
      ids,
    };
  }

  /** Seconds that `steps` steps take. */
  run(steps: number): number {
    const began = performance.now();
    for (let step = 0; step < steps; step++)
      scope(() => {
        const learned = this.#objective.learn(this.#model, this.#batch, {
          seed: 0,
          epoch: ++this.#epoch,
          step: 0,
          stepsPerEpoch: 1,
          part: 0,
        });
        this.#optimizer.step(learned.gradients, 0.01);
      });
    return (performance.now() - began) / 1000;
  }

  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
    this.#model.dispose();
    this.#batch.x.dispose();
    this.#batch.labels.dispose();
  }
}
