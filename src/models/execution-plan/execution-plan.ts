import { foldBatchNorms } from '../../onnx/fold-batch-norm.js';
import type { Program } from '../../onnx/step.js';
import { type Curve, runPlan } from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { differentiate } from './differentiate.js';
import { type EncodedPlan, encode } from './encode.js';
import { fuse } from './fuse.js';

/**
 * A network in evaluation mode, compiled for the CPU: each thread takes a few images at a time through all fused steps,
 * forward and back to their gradient. Valid while the weights do not change. docs/execution-plan.md
 */
export class ExecutionPlan {
  private constructor(
    /** [C, H, W] of the images. */
    readonly shape: readonly number[],
    readonly encoded: EncodedPlan,
  ) {}

  /**
   * Compiles a network; null if it has a step that plans do not know.
   *
   * @param derivative whose slopes the way back takes in place of those of each activation
   */
  static make(program: Program, derivative?: Curve): ExecutionPlan | null {
    const forward = fuse(foldBatchNorms(program));
    if (forward === null) return null;
    return new ExecutionPlan(forward.shape, encode(forward, differentiate(forward), derivative));
  }

  /** Whether it takes these images. */
  serves(images: Tensor): boolean {
    const { dtype, device, shape } = images;
    return dtype === 'float32' && device === 'cpu' && shape.slice(1).join() === this.shape.join();
  }

  /** Logits [N, classes] of images [N, C, H, W]; differentiable once with respect to the images. */
  classify(images: Tensor): Tensor {
    return runPlan(images, this.encoded);
  }

  [Symbol.dispose](): void {
    for (const constant of this.encoded.constants) constant.dispose();
  }
}
