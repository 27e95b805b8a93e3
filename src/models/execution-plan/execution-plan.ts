import type { Neighbours } from '../../nn/neighbours.js';
import { foldBatchNorms } from '../../onnx/fold-batch-norm.js';
import type { Program } from '../../onnx/step.js';
import { zeros } from '../../tensor/create.js';
import { type Curve, runPlan, runPlanNear } from '../../tensor/functional.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { differentiate } from './differentiate.js';
import { type EncodedPlan, encode } from './encode.js';
import { fuse } from './fuse.js';
import { leadingSteps } from './leading-steps.js';

/** Bytes that may be kept of neighbours. */
const mostKept = 512e6;

/**
 * A network in evaluation mode, compiled for the CPU: each thread takes a few images at a time through all fused steps,
 * forward and back to their gradient. Valid while the weights do not change. docs/execution-plan.md
 */
export class ExecutionPlan {
  private constructor(
    /** [C, H, W] of the images. */
    readonly shape: readonly number[],
    readonly encoded: EncodedPlan,
    /** Steps that are computed in few places for images that differ in few places from neighbours; 0 for none. */
    readonly leading: number,
    /** Numbers that are kept of a neighbour: its pixels, and the value of each of those steps. */
    readonly neighbourSize: number,
  ) {}

  /**
   * Compiles a network; null if it has a step that plans do not know.
   *
   * @param derivative whose slopes the way back takes in place of those of each activation
   */
  static make(program: Program, derivative?: Curve): ExecutionPlan | null {
    const forward = fuse(foldBatchNorms(program));
    if (forward === null) return null;
    const encoded = encode(forward, differentiate(forward), derivative);
    const steps = leadingSteps(forward);
    const values = [forward.images, ...forward.steps.slice(0, steps).map(({ to }) => to)];
    const kept = values.reduce((sum, value) => sum + forward.sizes[value]!, 0);
    const pixels = forward.shape.reduce((product, each) => product * each, 1);
    // Loading is a step of the engine's plan.
    return new ExecutionPlan(forward.shape, encoded, steps === 0 ? 0 : steps + 1, pixels + kept);
  }

  /** Whether it takes these images. */
  serves(images: Tensor): boolean {
    const { dtype, device, shape } = images;
    return dtype === 'float32' && device === 'cpu' && shape.slice(1).join() === this.shape.join();
  }

  /**
   * Logits [N, classes] of images [N, C, H, W]; without neighbours differentiable once with respect to the images. With them
   * the numbers are the same up to rounding.
   */
  classify(images: Tensor, neighbours?: Neighbours): Tensor {
    const { leading } = this;
    if (neighbours === undefined || leading === 0) return runPlan(images, this.encoded);
    const { near, slots, memory } = neighbours;
    if (4 * this.neighbourSize * memory.slots > mostKept || !this.serves(near))
      return runPlan(images, this.encoded);
    const kept = memory.keptBy(this, () =>
      scope(() => keep(zeros([memory.slots, this.neighbourSize]).mul_(Number.NaN))),
    );
    return runPlanNear(images, { near, memory: kept, slots, leading }, this.encoded);
  }

  [Symbol.dispose](): void {
    const { constants, numbers, curves } = this.encoded;
    for (const each of [...constants, numbers, curves]) each.dispose();
  }
}
