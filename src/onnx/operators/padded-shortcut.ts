import type { Graph, Name } from '../graph.js';
import type { Backward, Step, Value } from '../step.js';

/** Every `stride`-th row or column: `axis` 2 or 3 of [N, C, H, W]. */
export class Subsample implements Step {
  constructor(
    readonly inputs: readonly [Value],
    readonly output: Value,
    readonly axis: 2 | 3,
    readonly stride: number,
  ) {}

  forward(graph: Graph, [x]: readonly [Name]): Name {
    const { axis, stride } = this;
    const size = this.inputs[0].shape[axis - 1]!;
    return graph.node('Slice', [x, ...[0, size, axis, stride].map((each) => graph.integers([each]))]);
  }

  /** g with zeros in between: the rest of a transposed convolution whose kernel is a single 1. */
  backward(graph: Graph, { gradient }: Backward): Name[] {
    const channels = this.output.shape[0]!;
    const rest = (this.inputs[0].shape[this.axis - 1]! - 1) % this.stride;
    const along = (value: number, other: number) => (this.axis === 2 ? [value, other] : [other, value]);
    return [
      graph.node(
        'ConvTranspose',
        [gradient, graph.constant(new Float32Array(channels).fill(1), [channels, 1, 1, 1])],
        {
          kernel_shape: [1, 1],
          strides: along(this.stride, 1),
          output_padding: along(rest, 0),
          group: channels,
        },
      ),
    ];
  }
}

/** Channels of zeros before and after those of x [N, C, H, W]. */
export class ChannelPad implements Step {
  constructor(
    readonly inputs: readonly [Value],
    readonly output: Value,
    readonly before: number,
    readonly after: number,
  ) {}

  forward(graph: Graph, [x]: readonly [Name]): Name {
    return graph.node('Pad', [x, graph.integers([0, this.before, 0, 0, 0, this.after, 0, 0])]);
  }

  backward(graph: Graph, { gradient }: Backward): Name[] {
    const end = this.before + this.inputs[0].shape[0]!;
    return [graph.node('Slice', [gradient, ...[this.before, end, 1].map((each) => graph.integers([each]))])];
  }
}
