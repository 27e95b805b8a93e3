import type { Graph, Name } from '../graph.js';
import { type Backward, type Constant, constantIn, type Step, type Value, valuesOf } from '../step.js';

/** Batch norm by running statistics, [C] each: (x − mean) / √(variance + ε) · weight + bias. */
export class BatchNorm implements Step {
  readonly inputs: readonly [Value];
  readonly output: Value;
  readonly weight: Constant;
  readonly bias: Constant;
  readonly mean: Constant;
  readonly variance: Constant;
  readonly epsilon: number;

  constructor(
    options: Pick<BatchNorm, 'inputs' | 'output' | 'weight' | 'bias' | 'mean' | 'variance' | 'epsilon'>,
  ) {
    this.inputs = options.inputs;
    this.output = options.output;
    this.weight = options.weight;
    this.bias = options.bias;
    this.mean = options.mean;
    this.variance = options.variance;
    this.epsilon = options.epsilon;
  }

  /** weight / √(variance + ε) and bias − mean · that, in float64, [C] each. */
  affine(): { readonly scale: Float64Array; readonly shift: Float64Array } {
    const [bias, mean, variance] = [valuesOf(this.bias), valuesOf(this.mean), valuesOf(this.variance)];
    const scale = Float64Array.from(
      valuesOf(this.weight),
      (each, channel) => each / Math.sqrt(variance[channel]! + this.epsilon),
    );
    const shift = scale.map((each, channel) => bias[channel]! - mean[channel]! * each);
    return { scale, shift };
  }

  forward(graph: Graph, [x]: readonly [Name]): Name {
    const constants = [this.weight, this.bias, this.mean, this.variance].map((each) =>
      constantIn(graph, each),
    );
    return graph.node('BatchNormalization', [x, ...constants], { epsilon: { real: this.epsilon } });
  }

  backward(graph: Graph, { gradient }: Backward): Name[] {
    const { scale } = this.affine();
    return [graph.node('Mul', [gradient, graph.constant(scale, [1, scale.length, 1, 1])])];
  }
}
