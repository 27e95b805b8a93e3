import { type Attack, parseAttack } from '../src/attacks/attack.js';
import { runToEnd } from '../src/attacks/attack-generator.js';
import { norms } from '../src/attacks/norms.js';
import { runAttack } from '../src/attacks/run-attack.js';
import { engineInfo, setThreads } from '../src/engine/engine-info.js';
import type { Classifier } from '../src/nn/classifier.js';
import { crossEntropy } from '../src/nn/losses.js';
import { integers } from '../src/tensor/create.js';
import { linear } from '../src/tensor/functional.js';
import { gradient } from '../src/tensor/gradient.js';
import { noise } from '../src/tensor/noise.js';
import { keep, scope } from '../src/tensor/scope.js';
import type { NormName } from '../src/user-input/norm-name.js';
import { medianInterval } from './pairs.js';
import type { BenchOptions, BenchRow } from './row.js';

const images = 100;
const shape = [3, 32, 32] as const;
const classes = 10;
const radii = { linf: 8 / 255, l2: 0.5, l1: 12 } as const satisfies Readonly<Record<NormName, number>>;
const attacks = ['apgd-ce', 'apgd-t', 'fab-t', 'square'].map(parseAttack);

/**
 * What an iteration of an attack on 100 images of 3x32x32 takes besides the network: milliseconds with one linear layer in its
 * place, whose forward and backward pass is a row of its own. `elapsed` is the time by the clock with the engine's threads, and
 * `processor` that of the processor with one thread, which other programs change little. Medians of `pairs` runs.
 */
export async function attackArithmetic({ pairs, only, onProgress }: BenchOptions): Promise<BenchRow[]> {
  using task = new LinearTask();
  const { threads } = engineInfo();
  const rows: BenchRow[] = [];
  const measure = (of: string, iterations: number, run: () => void) => {
    for (const [clock, read] of Object.entries(clocks)) {
      const name = `attack-arithmetic/${of}/${clock}`;
      if (!only(name)) continue;
      setThreads(clock === 'processor' ? 1 : threads);
      run(); // fills the caches
      const times: number[] = [];
      for (let turn = 0; turn < pairs; turn++) {
        onProgress({ label: name, done: turn, total: pairs });
        const began = read();
        run();
        times.push((read() - began) / iterations);
      }
      const { median, interval } = medianInterval(times);
      const row = { name, unit: 'ms', satin: median, interval, runs: pairs };
      rows.push({ ...row, peer: null, peerName: null, ratio: null });
    }
  };
  measure('linear-layer', 50, () => task.pass(50));
  for (const norm of ['linf', 'l2', 'l1'] as const)
    for (const attack of attacks)
      measure(`${attack.name}/${norm}`, iterationsOf(attack), () => task.attack(attack, norm));
  setThreads(threads);
  return rows;
}

/** In milliseconds. */
const clocks = {
  elapsed: () => performance.now(),
  processor: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
} as const;

/** Square's first windows are large ones: it gets more. */
const iterationsOf = ({ kind }: Attack) => (kind === 'square' ? 100 : 25);

/** Images of noise, and a classifier of one linear layer. */
class LinearTask implements Disposable {
  readonly #ids = Array.from({ length: images }, (_, id) => id);
  readonly #x = keep(noise('uniform', { key: { seed: 0, stream: 'bench' }, ids: this.#ids, shape }));
  readonly #weight = keep(
    noise('normal', {
      key: { seed: 1, stream: 'bench' },
      ids: Array.from({ length: classes }, (_, id) => id),
      shape: [shape[0] * shape[1] * shape[2]],
    }),
  );
  readonly #labels = keep(integers(this.#ids.map((id) => id % classes)));
  readonly #targets = keep(integers(this.#ids.map((id) => (id + 1) % classes)));
  readonly #classify: Classifier = (x) => linear(x.flatten(1), this.#weight);

  /** Forward and backward passes alone. */
  pass(count: number): void {
    for (let pass = 0; pass < count; pass++)
      scope(() => {
        const point = this.#x.detach().requireGrad_();
        gradient(crossEntropy(this.#classify(point), this.#labels), point);
      });
  }

  /** One run of an attack that drops no image. */
  attack(attack: Attack, norm: NormName): void {
    const short = { ...attack, steps: iterationsOf(attack) };
    const targets = 'targets' in attack && attack.targets > 0 ? this.#targets : null;
    runToEnd(
      runAttack(
        short,
        this.#classify,
        { x: this.#x, labels: this.#labels, targets, ids: this.#ids },
        {
          threat: { norm: norms[norm], epsilon: radii[norm] },
          seed: 0,
          round: { restart: 0, rank: targets === null ? 0 : 1 },
          observe: () => null,
        },
      ),
    );
  }

  [Symbol.dispose](): void {
    for (const each of [this.#x, this.#weight, this.#labels, this.#targets]) each.dispose();
  }
}
