import { RunError } from '../src/errors.js';
import { Model } from '../src/models/model.js';
import { crossEntropy } from '../src/nn/losses.js';
import { integers } from '../src/tensor/create.js';
import { gradient } from '../src/tensor/gradient.js';
import { noise } from '../src/tensor/noise.js';
import { keep, scope } from '../src/tensor/scope.js';
import { fastestVariant } from './fastest-variant.js';
import { torchVersion } from './rival.js';
import type { BenchOptions, BenchRow } from './row.js';
import { speedRow, type Turn } from './speed-row.js';

const networks = {
  resnet18: { shape: [3, 32, 32], classes: 10 },
  resnet50: { shape: [3, 224, 224], classes: 1000 },
  'resnext50-32x4d': { shape: [3, 224, 224], classes: 1000 },
  'efficientnet-b0': { shape: [3, 224, 224], classes: 1000 },
} as const;
type Network = keyof typeof networks;

const both = ['relu', 'silu'];
const cases: readonly {
  readonly network: Network;
  readonly width: number;
  readonly batch: number;
  readonly activations: readonly string[];
}[] = [
  ...[16, 64].flatMap((width) =>
    [100, 10, 1].map((batch) => ({ network: 'resnet18', width, batch, activations: both }) as const),
  ),
  { network: 'resnet50', width: 64, batch: 8, activations: both },
  { network: 'resnext50-32x4d', width: 64, batch: 8, activations: both },
  // PyTorch's is torchvision's, which has SiLU.
  { network: 'efficientnet-b0', width: 64, batch: 8, activations: ['silu'] },
];

/** About a second of passes a turn, so that short disturbances average out. */
const turnSeconds = 1;

/**
 * One pass of an attack, forward and back to the gradient of the images, through a network in evaluation mode; compared with
 * PyTorch in the fastest of eager, channels-last and compiled variants, with batch norm folded into the convolutions. The two
 * sides alternate within one run.
 */
export async function attackPass(options: BenchOptions): Promise<BenchRow[]> {
  const { python, pairs, only, note, onProgress } = options;
  const version = torchVersion(python);
  if (version === null)
    note(`${python} has no torch; measuring Satin only. Choose another Python with --python.`);
  const rows: BenchRow[] = [];
  for (const { network, width, batch, activations } of cases)
    for (const activation of activations) {
      const name = `attack-pass/${network}/width-${width}/batch-${batch}/${activation}`;
      if (!only(name)) continue;
      using satin = new Pass({ network, width, batch, activation });
      const steps = Math.max(1, Math.round(turnSeconds / satin.run(1)));
      const settings = { network, width, activation, batch, work: 'attack-pass' } as const;
      using peer =
        version === null
          ? null
          : await fastestVariant({ python, version, settings, steps, note }).catch((error: unknown) => {
              // A network that this Python cannot make, such as torchvision's without torchvision, loses no other row.
              if (!(error instanceof RunError)) throw error;
              note(`${error.message} Measuring Satin only.`);
              return null;
            });
      const turns: Turn[] = [];
      for (let pair = 0; pair < pairs; pair++) {
        onProgress({ label: name, done: pair, total: pairs });
        const early = pair % 2 === 0 ? satin.run(steps) : null;
        const theirs = (await peer?.rival.run(steps)) ?? null;
        turns.push({ satin: early ?? satin.run(steps), peer: theirs });
      }
      rows.push(speedRow({ name, turns, images: batch * steps, peerName: peer?.name ?? null }));
    }
  return rows;
}

/** A repeated pass over a batch of noise. */
class Pass implements Disposable {
  readonly #model: Model;
  readonly #folded: ReturnType<Model['fold']>;
  readonly #images;
  readonly #labels;

  constructor(options: {
    readonly network: Network;
    readonly width: number;
    readonly batch: number;
    readonly activation: string;
  }) {
    const { network, width, batch, activation } = options;
    const { shape, classes: count } = networks[network];
    const classes = Array.from({ length: count }, (_, index) => String(index));
    const description = { architecture: network, width: width / 64, activation, classes, shape };
    this.#model = Model.create({ ...description, normalise: null }, { seed: 0 });
    this.#folded = this.#model.fold();
    const ids = Array.from({ length: batch }, (_, id) => id);
    this.#images = keep(noise('uniform', { key: { seed: 0, stream: 'bench' }, ids, shape }));
    this.#labels = keep(integers(ids.map((id) => id % count)));
    this.run(2); // compiles the plan, fills the caches
  }

  /** Seconds of `steps` passes. */
  run(steps: number): number {
    const began = performance.now();
    for (let step = 0; step < steps; step++)
      scope(() => {
        const point = this.#images.detach().requireGrad_();
        gradient(crossEntropy(this.#folded.classify(point), this.#labels), point);
      });
    return (performance.now() - began) / 1000;
  }

  [Symbol.dispose](): void {
    this.#images.dispose();
    this.#labels.dispose();
    this.#folded[Symbol.dispose]();
    this.#model.dispose();
  }
}
