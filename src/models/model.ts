import { withTensorFloat32 } from '../engine/precision.js';
import { InputError } from '../errors.js';
import type { Classifier } from '../nn/classifier.js';
import { Initialiser, ZeroInitialiser } from '../nn/initialise.js';
import type { FoldedWeights, Module, Pass } from '../nn/module.js';
import type { Recording } from '../onnx/record.js';
import { tensor } from '../tensor/create.js';
import type { Curve } from '../tensor/functional.js';
import { keep, scope } from '../tensor/scope.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';
import { handleOf } from '../tensor/tensor.js';
import { requireArgument } from '../user-input/require-argument.js';
import type { Architecture } from './architectures/architecture.js';
import { requireArchitecture } from './architectures/names.js';
import type { ModelDescription } from './description.js';
import { ExecutionPlan } from './execution-plan/execution-plan.js';
import type { FoldedModel } from './folded-model.js';
import { createNetwork } from './network.js';
import { recordModel } from './record-model.js';
import { requireRoomForWeights } from './require-room.js';

/** The most parameters of a network that an execution plan is made of. */
const mostPlanned = 1e8;

/** How an attack sees a network. */
export type FoldOptions = Pick<Pass, 'derivative' | 'computeDtype'>;

/** A network with input normalisation as its first layer: the unit that is trained, attacked and saved. */
export class Model {
  readonly #mean: Tensor | null; // [1, C, 1, 1]
  readonly #deviation: Tensor | null; // [1, C, 1, 1]
  /** Its steps, which are the same however long it is trained; null if execution plans do not know them all. */
  #recording: Recording | null | undefined;

  private constructor(
    readonly description: ModelDescription,
    readonly network: Architecture,
    dtype: Dtype,
  ) {
    const channels = description.shape[0];
    const constant = (values: readonly number[] | undefined) => {
      if (values === undefined) return null;
      if (values.length !== channels)
        throw InputError.expected(`${channels} numbers, one per channel,`, 'normalise', values);
      return keep(scope(() => tensor(Float64Array.from(values), [1, channels, 1, 1]).to(dtype)));
    };
    this.#mean = constant(description.normalise?.mean);
    this.#deviation = constant(description.normalise?.std);
  }

  /**
   * A new network with weights drawn from `seed`; null for zeros, if weights are loaded afterwards.
   *
   * @throws {InputError} if its weights do not fit in memory.
   */
  static create(
    description: ModelDescription,
    options: { readonly seed: number | null; readonly dtype?: Dtype; readonly device?: string },
  ): Model {
    requireArgument(description, 'description', 'Model.create');
    requireArchitecture(description.architecture);
    requireArgument(options, 'options', 'Model.create');
    const { seed, dtype = 'float32', device = 'cpu' } = options;
    requireRoomForWeights(description, dtype === 'float64' ? 8 : 4);
    const initialiser = seed === null ? new ZeroInitialiser(dtype) : new Initialiser(seed, dtype);
    const network = createNetwork(description, initialiser);
    // Drawn on the CPU and then moved, so that a seed gives the same weights on every device.
    const model = new Model(description, network, dtype);
    for (const tensor of [model.#mean, model.#deviation]) tensor?.moveTo_(device);
    network.moveTo(device);
    return model;
  }

  /** Tensors of the normalisation, `mean` and `std`, for export; empty without normalisation. */
  get normalisation(): ReadonlyMap<string, Tensor> {
    return this.#mean === null || this.#deviation === null
      ? new Map()
      : new Map([
          ['mean', this.#mean],
          ['std', this.#deviation],
        ]);
  }

  /** Logits [N, classes] of pixels in [0, 1], [N, C, H, W]. */
  forward(x: Tensor, pass: Pass): Tensor {
    // Intermediate tensors are owned by the autograd graph alone, which frees them during the backward pass.
    return scope(() => {
      const normalised =
        this.#mean === null || this.#deviation === null ? x : x.sub(this.#mean).div(this.#deviation);
      const { computeDtype } = pass;
      if (computeDtype === undefined) return this.network.forward(normalised, pass);
      return this.network.forward(normalised.to(computeDtype), pass).to(x.dtype);
    });
  }

  /** The unmodified network in evaluation mode and in float32, which decides whether an attack succeeds. */
  readonly classify: Classifier = (x) => {
    handleOf(x, 'the images of a model');
    return withTensorFloat32(false, () => this.forward(x, { train: false }));
  };

  /**
   * A faster version of `classify`, equal up to rounding, whose parameters need no gradient; valid while the weights do not
   * change. On the CPU in float32 an execution plan runs the network if it knows its steps (docs/execution-plan.md).
   * Elsewhere batch norms are fused with the following activation or folded into the preceding convolution. With
   * `derivative`, a surrogate derivative replaces those of the activations in the backward pass; with `computeDtype`, the
   * network computes in it. Inference optimisations of whole networks belong here.
   */
  fold(options: FoldOptions = {}): FoldedModel {
    const folded = new Map<Module, FoldedWeights>();
    const { derivative, ...others } = options;
    const pass = { ...others, ...(derivative && { derivative }), train: false, folded };
    const { computeDtype } = others;
    let plan: ExecutionPlan | null | undefined;
    const planFor = (x: Tensor) => {
      if (computeDtype !== undefined || x.dtype !== 'float32' || x.device !== 'cpu') return null;
      if (plan === undefined) plan = this.#plan(derivative?.curve); // for the first images
      return plan?.serves(x) ? plan : null;
    };
    const classify: Classifier = (x, neighbours) =>
      planFor(x)?.classify(x, neighbours) ?? this.network.frozen(() => this.forward(x, pass));
    return {
      get ranBy() {
        return plan == null ? 'operators' : 'execution plan';
      },
      classify: Object.assign(classify, { isPerImage: (x: Tensor) => planFor(x) !== null }),
      [Symbol.dispose]: () => {
        plan?.[Symbol.dispose]();
        plan = null;
        for (const weights of folded.values()) for (const tensor of weights) tensor.dispose();
        folded.clear();
      },
    };
  }

  #plan(derivative: Curve | undefined): ExecutionPlan | null {
    // Its weights are read once more for it, which a huge network has no memory for.
    if (this.#recording === null || this.parameterCount > mostPlanned) return null;
    const recording = this.#recording ?? recordModel(this);
    const plan = ExecutionPlan.make(recording, derivative);
    if (plan === null) this.#recording = null;
    else if (recording.isLive) this.#recording = recording;
    return plan;
  }

  /** The device of its weights. */
  get device(): string {
    const [first] = this.network.parameters().values();
    return first!.device;
  }

  /** Number of trainable parameters. */
  get parameterCount(): number {
    return [...this.network.parameters().values()].reduce((sum, parameter) => sum + parameter.size, 0);
  }

  dispose(): void {
    this.network.dispose();
    this.#mean?.dispose();
    this.#deviation?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
