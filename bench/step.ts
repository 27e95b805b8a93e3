import { norms } from '../src/attacks/norms.js';
import type { Batch } from '../src/data/dataset-tensors.js';
import { batchOfRank, type ProcessGroup, singleProcess } from '../src/distributed/process-group.js';
import { Model } from '../src/models/model.js';
import { integers } from '../src/tensor/create.js';
import { noise } from '../src/tensor/noise.js';
import { keep, scope } from '../src/tensor/scope.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { adversarial } from '../src/training/objectives/adversarial.js';
import { type Objective, trainingPass } from '../src/training/objectives/objective.js';
import { Sgd } from '../src/training/optimizers/sgd.js';

export const batchSize = 128;
export const shape = [3, 32, 32] as const;
const epsilon = 8 / 255;
/** One step from a random start. The step size exceeds ε, so that most starts reach the opposite side of the ball. */
export const attack = {
  norm: norms.linf,
  epsilon,
  steps: 1,
  stepSize: 1.25 * epsilon,
  start: { kind: 'uniform' },
  batchNorm: 'eval',
} as const;

/** A repeated training step of a network on a batch of noise. */
export abstract class Step implements Disposable {
  readonly #optimizer: Sgd;
  readonly #batch: Batch;
  #epoch = 0;

  protected constructor(parameters: ReadonlyMap<string, Tensor>, group: ProcessGroup = singleProcess) {
    this.#optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
    const perRank = batchOfRank(batchSize, 'the batch', group);
    const ids = Array.from({ length: perRank }, (_, index) => group.rank * perRank + index);
    this.#batch = {
      x: keep(noise('uniform', { key: { seed: 0, stream: 'bench' }, ids, shape })),
      labels: keep(integers(ids.map((id) => id % 10))),
      ids,
    };
  }

  /** Attacks the batch and returns the gradients of the loss, in the order of the parameters. */
  protected abstract computeGradients(batch: Batch, epoch: number): readonly Tensor[];

  /** Seconds of `steps` steps. */
  run(steps: number): number {
    const began = performance.now();
    for (let step = 0; step < steps; step++)
      scope(() => this.#optimizer.step(this.computeGradients(this.#batch, ++this.#epoch), 0.01));
    return (performance.now() - began) / 1000;
  }

  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
    this.#batch.x.dispose();
    this.#batch.labels.dispose();
  }
}

/** The training step of `satin train`: PGD-1 adversarial training of a ResNet-18 of this width. */
export class SatinStep extends Step {
  readonly #model: Model;
  readonly #objective: Objective;

  /** With ranks, each takes its share of the batch, with synchronised batch norm unless `ghost`. */
  constructor(
    width: number,
    activation: string,
    {
      group = singleProcess,
      ghost = false,
    }: { readonly group?: ProcessGroup; readonly ghost?: boolean } = {},
  ) {
    const classes = Array.from({ length: 10 }, (_, index) => String(index));
    const model = Model.create(
      { architecture: 'resnet18', width: width / 64, activation, classes, shape, normalise: null },
      { seed: 0 },
    );
    super(model.network.parameters(), group);
    this.#model = model;
    this.#objective = adversarial({ attack, group, pass: { ...trainingPass, synchronised: !ghost } });
  }

  protected computeGradients(batch: Batch, epoch: number): readonly Tensor[] {
    const position = { seed: 0, epoch, step: 0, stepsPerEpoch: 1, part: 0 };
    return this.#objective.computeGradients(this.#model, batch, position).gradients;
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.#model.dispose();
  }
}
