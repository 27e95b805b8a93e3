import { norms } from '../src/attacks/norms.js';
import type { Batch } from '../src/data/dataset-tensors.js';
import { batchOfRank, type ProcessGroup, singleProcess } from '../src/distributed/process-group.js';
import { synchronise } from '../src/engine/device.js';
import { setTensorFloat32 } from '../src/engine/precision.js';
import type { Precision } from '../src/engine/precision-name.js';
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

/** What is attacked and updated in a step, and where. */
export interface StepSetting {
  readonly architecture: 'resnet18' | 'resnet50';
  /** Images of a step. */
  readonly batch: number;
  readonly attackSteps: number;
  readonly device: string;
  readonly precision: Precision;
}

const usual: StepSetting = {
  architecture: 'resnet18',
  batch: batchSize,
  attackSteps: 1,
  device: 'cpu',
  precision: 'float32',
};

/** The images of each network. */
const images = {
  resnet18: { shape, classes: 10 },
  resnet50: { shape: [3, 224, 224], classes: 1000 },
} as const;

/** A repeated training step of a network on a batch of noise. */
export abstract class Step implements Disposable {
  readonly #optimizer: Sgd;
  readonly #batch: Batch;
  readonly #device: string;
  #epoch = 0;

  protected constructor(
    parameters: ReadonlyMap<string, Tensor>,
    { architecture, batch, device }: Pick<StepSetting, 'architecture' | 'batch' | 'device'> = usual,
    group: ProcessGroup = singleProcess,
  ) {
    this.#optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
    this.#device = device;
    const { shape, classes } = images[architecture];
    const perRank = batchOfRank(batch, 'the batch', group);
    const ids = Array.from({ length: perRank }, (_, index) => group.rank * perRank + index);
    this.#batch = {
      x: keep(noise('uniform', { key: { seed: 0, stream: 'bench' }, ids, shape, device })),
      labels: keep(
        integers(
          ids.map((id) => id % classes),
          device,
        ),
      ),
      ids,
    };
  }

  /** Attacks the batch and returns the gradients of the loss, in the order of the parameters. */
  protected abstract computeGradients(batch: Batch, epoch: number): readonly Tensor[];

  /** Seconds of `steps` steps, until the device has done them. */
  run(steps: number): number {
    synchronise(this.#device);
    const began = performance.now();
    for (let step = 0; step < steps; step++)
      scope(() => this.#optimizer.step(this.computeGradients(this.#batch, ++this.#epoch), 0.01));
    synchronise(this.#device);
    return (performance.now() - began) / 1000;
  }

  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
    this.#batch.x.dispose();
    this.#batch.labels.dispose();
  }
}

/** The training step of `satin train`: adversarial training by PGD of a ResNet of this width. */
export class SatinStep extends Step {
  readonly #model: Model;
  readonly #objective: Objective;
  readonly #precision: Disposable;

  /** With ranks, each takes its share of the batch, with synchronised batch norm unless `ghost`. */
  constructor(
    width: number,
    activation: string,
    {
      group = singleProcess,
      ghost = false,
      setting = usual,
    }: { readonly group?: ProcessGroup; readonly ghost?: boolean; readonly setting?: StepSetting } = {},
  ) {
    const { architecture, attackSteps, device, precision } = setting;
    const { shape, classes: count } = images[architecture];
    const classes = Array.from({ length: count }, (_, index) => String(index));
    const model = Model.create(
      { architecture, width: width / 64, activation, classes, shape, normalise: null },
      { seed: 0, device },
    );
    super(model.network.parameters(), setting, group);
    this.#model = model;
    this.#precision = setTensorFloat32(precision === 'tf32');
    const computed = precision === 'bfloat16' ? { computeDtype: precision } : {};
    const several = attackSteps === 1 ? {} : { steps: attackSteps, stepSize: (2.5 * epsilon) / attackSteps };
    this.#objective = adversarial({
      attack: { ...attack, ...several, ...computed },
      group,
      pass: { ...trainingPass, ...computed, synchronised: !ghost },
    });
  }

  protected computeGradients(batch: Batch, epoch: number): readonly Tensor[] {
    const position = { seed: 0, epoch, step: epoch - 1, stepsPerEpoch: 1, part: 0, first: 0 };
    return this.#objective.computeGradients(this.#model, batch, position).gradients;
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.#objective[Symbol.dispose]();
    this.#precision[Symbol.dispose]();
    this.#model.dispose();
  }
}
