import { activationNames } from '../src/activations/parse.js';
import { engineInfo } from '../src/engine/engine-info.js';
import { LibtorchReluStep } from './libtorch-relu-step.js';
import { medianInterval } from './pairs.js';
import { Rival, torchVersion } from './rival.js';
import type { BenchOptions, BenchRow } from './row.js';
import { batchSize, SatinStep } from './step.js';

/**
 * The activations of the table, and SmoothReLU with a fixed coefficient; Parametric Softplus has the cost of Softplus.
 */
const measured = [
  ...activationNames.filter((name) => name !== 'relu' && name !== 'parametric-softplus'),
  'smooth-relu(400)',
];
/** PyTorch variants; one of them was the fastest in every result of `train-step`. */
const variants = ['channels-last', 'compile-channels-last'];

/**
 * The cost of activations: the time of the PGD-1 training step of `train-step` relative to the step with ReLU. Both
 * steps alternate within one run. ReLU is the faster of Satin's and libtorch's, which a separate row compares. The peer
 * is the same ratio in PyTorch, each step in the faster of two variants.
 */
export async function activations({
  python,
  pairs,
  only,
  note,
  onProgress,
}: BenchOptions): Promise<BenchRow[]> {
  const version = torchVersion(python);
  if (version === null)
    note(`${python} has no torch; measuring Satin only. Choose another Python with --python.`);
  const rows: BenchRow[] = [];
  const add = (row: BenchRow) => {
    rows.push(row);
    note(`${row.name}: ${row.satin.toFixed(3)}, PyTorch ${row.peer?.toFixed(3) ?? 'not measured'}`);
  };
  for (const width of [16, 64]) {
    const names = measured.filter((activation) => only(`activations/width-${width}/${activation}`));
    if (names.length === 0) continue;
    // About a second of steps per turn, so that short disturbances average out.
    const steps = width === 16 ? 4 : 1;
    using ours = new SatinStep(width, 'relu');
    using libtorch = new LibtorchReluStep(width);
    const timed = (label: string) => ({ steps, pairs, label, onProgress });
    const reluRow = await timeRatio(ours, libtorch, timed(`width ${width}: ReLU of Satin and of libtorch`));
    add({ ...row(`activations/width-${width}/relu-of-libtorch`, reluRow, pairs), ...noPeer });
    const relu = reluRow.median < 1 ? libtorch : ours;
    using torchRelu =
      version === null ? null : await fastest({ python, width, activation: 'relu', steps, note });
    for (const activation of names) {
      const name = `activations/width-${width}/${activation}`;
      using step = new SatinStep(width, activation);
      const satin = row(name, await timeRatio(relu, step, timed(name)), pairs);
      if (torchRelu === null) {
        add({ ...satin, ...noPeer });
        continue;
      }
      using torch = await fastest({ python, width, activation, steps, note });
      const { median: peer } = await timeRatio(torchRelu.rival, torch.rival, timed(`${name} in PyTorch`));
      const variant =
        torch.variant === torchRelu.variant ? torch.variant : `${torch.variant} over ${torchRelu.variant}`;
      add({ ...satin, peer, peerName: `torch ${version} ${variant}` });
    }
  }
  return rows;
}

const noPeer = { peer: null, peerName: null } as const;

function row(name: string, { median, interval }: ReturnType<typeof medianInterval>, runs: number) {
  return { name, unit: 'x ReLU', satin: median, ratio: median, interval, runs };
}

/** Runs training steps and returns the seconds taken. */
interface Runner {
  run(steps: number): number | Promise<number>;
}

/** Time of `step` relative to `base`, in alternating turns; each goes first in every second pair. */
async function timeRatio(
  base: Runner,
  step: Runner,
  turns: Pick<BenchOptions, 'pairs' | 'onProgress'> & { readonly steps: number; readonly label: string },
) {
  const { steps, pairs, label, onProgress } = turns;
  await base.run(2);
  await step.run(2);
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    onProgress({ label, done: pair, total: pairs });
    const first = pair % 2 === 0 ? base : step;
    const firstSeconds = await first.run(steps);
    const secondSeconds = await (first === base ? step : base).run(steps);
    ratios.push(first === base ? secondSeconds / firstSeconds : firstSeconds / secondSeconds);
  }
  return medianInterval(ratios);
}

/** PyTorch's step in the faster variant. */
async function fastest(options: {
  readonly python: string;
  readonly width: number;
  readonly activation: string;
  readonly steps: number;
  readonly note: (sentence: string) => void;
}): Promise<Disposable & { readonly rival: Rival; readonly variant: string }> {
  const { python, width, activation, steps, note } = options;
  const tried: { rival: Rival; variant: string; seconds: number }[] = [];
  for (const variant of variants) {
    note(`setting up torch ${variant}, width ${width}, ${activation}`);
    const rival = new Rival(python, 'activations.py');
    await rival.setUp({ width, activation, variant, batch: batchSize, threads: engineInfo().threads });
    const seconds: number[] = [];
    for (let turn = 0; turn < 3; turn++) seconds.push(await rival.run(steps));
    tried.push({ rival, variant, seconds: medianInterval(seconds).median });
  }
  const [best, ...others] = tried.sort((a, b) => a.seconds - b.seconds);
  for (const { rival } of others) rival[Symbol.dispose]();
  return { ...best!, [Symbol.dispose]: () => best!.rival[Symbol.dispose]() };
}
