import type { PgdInputs } from '../../attacks/pgd.js';
import type { Batch } from '../../data/dataset-tensors.js';
import { EngineError } from '../../errors.js';
import type { Model } from '../../models/model.js';
import { zerosLike } from '../../tensor/create.js';
import { CudaGraph } from '../../tensor/cuda-graph.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { StepContext } from './objective.js';
import {
  type AttackSizes,
  attackFrom,
  perturb,
  sizesAt,
  startOf,
  type TrainingAttack,
} from './training-attack.js';

/** A recorded function. */
export interface Recording extends Disposable {
  /** What the function returned; each replay overwrites its elements. */
  readonly output: Tensor;
  /** Runs it again on the current values of the tensors that it read. */
  replay(): void;
}

/** Records functions on the devices that it supports. */
export interface Recorder {
  supports(device: string): boolean;
  /** @throws {EngineError} if `body` does what cannot be recorded. */
  record(device: string, body: () => Tensor): Recording;
}

const cudaGraphs: Recorder = {
  supports: (device) => device.startsWith('cuda'),
  record: (device, body) => CudaGraph.record(device, body),
};

/** A recording, and the tensors that it reads beside the weights. */
interface Recorded {
  readonly key: string;
  readonly model: Model;
  readonly inputs: PgdInputs;
  readonly recording: Recording;
}

/**
 * The attack of a training step as a CUDA graph: the hundreds of kernels of a forward and backward pass are launched as one.
 * Images, labels and first iterate are copied into the tensors that the recording reads; the weights are read where they
 * are, since the optimizer updates them in place. The first iterate is drawn outside.
 *
 * A recording holds the numbers of its time. It is used for the same ε, step size, shape and model, and made when these are
 * the same in two steps: while a warm-up changes them, and on the CPU, the attack runs operator by operator. So does one
 * that the engine refuses to record, with a warning.
 */
export class RecordedAttack implements Disposable {
  readonly #attack: TrainingAttack;
  readonly #recorder: Recorder;
  #recorded: Recorded | null = null;
  #last: { readonly key: string; readonly model: Model; readonly step: number } | null = null;
  #refusal: { readonly reason: string; isTold: boolean } | null = null;

  constructor(attack: TrainingAttack, recorder: Recorder = cudaGraphs) {
    this.#attack = attack;
    this.#recorder = recorder;
  }

  /** Adversarial images of a batch for the current network, as `perturb` computes them, [N, C, H, W]. */
  perturb(model: Model, batch: Batch, context: StepContext): Tensor {
    const recorded = this.#recordedFor(model, batch, context);
    if (recorded === null) return perturb(model, batch, this.#attack, context);
    const { inputs, recording } = recorded;
    return scope(() =>
      noGrad(() => {
        inputs.x.copy_(batch.x);
        inputs.labels.copy_(batch.labels);
        inputs.start.copy_(startOf(batch, { ...this.#attack, ...sizesAt(this.#attack, context) }, context));
        recording.replay();
        return recording.output.clone();
      }),
    );
  }

  /** Warnings since the last call, one sentence each: that the engine refused to record. */
  takeWarnings(): readonly string[] {
    if (this.#refusal === null || this.#refusal.isTold) return [];
    this.#refusal.isTold = true;
    const reason = this.#refusal.reason.replace(/\.$/, '');
    return [
      `The attack runs operator by operator, which is slower, since it could not be recorded: ${reason}.`,
    ];
  }

  [Symbol.dispose](): void {
    this.#discard();
    this.#last = null;
  }

  /** The recording for a batch, made now if it is worth it; null if there is none. */
  #recordedFor(model: Model, { x, labels }: Batch, context: StepContext): Recorded | null {
    if (this.#refusal !== null || !this.#recorder.supports(x.device)) return null;
    const sizes = sizesAt(this.#attack, context);
    const key = [sizes.epsilon, sizes.stepSize, x.device, x.dtype, ...x.shape].join(' ');
    const last = this.#last;
    this.#last = { key, model, step: context.step };
    if (this.#recorded?.key === key && this.#recorded.model === model) return this.#recorded;
    // Parts of one step say nothing about the next.
    const isSteady = last?.key === key && last.model === model && last.step !== context.step;
    return isSteady ? this.#record(model, { x, labels }, { key, sizes }) : null;
  }

  #record(
    model: Model,
    { x, labels }: Pick<Batch, 'x' | 'labels'>,
    { key, sizes }: { readonly key: string; readonly sizes: AttackSizes },
  ): Recorded | null {
    this.#discard();
    const inputs = scope(() => ({
      x: keep(zerosLike(x)),
      labels: keep(zerosLike(labels)),
      start: keep(zerosLike(x)),
    }));
    try {
      const body = () => attackFrom(model, inputs, this.#attack, sizes);
      this.#recorded = { key, model, inputs, recording: this.#recorder.record(x.device, body) };
    } catch (error) {
      for (const tensor of Object.values(inputs)) tensor.dispose();
      if (!(error instanceof EngineError)) throw error;
      this.#refusal = { reason: error.message, isTold: false };
    }
    return this.#recorded;
  }

  #discard(): void {
    if (this.#recorded === null) return;
    const { inputs, recording } = this.#recorded;
    recording[Symbol.dispose]();
    for (const tensor of [inputs.x, inputs.labels, inputs.start]) tensor.dispose();
    this.#recorded = null;
  }
}
