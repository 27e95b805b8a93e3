import { Arithmetic } from '../arithmetic.js';
import type { Graph, Name } from '../graph.js';
import type { Backward, Step, Value } from '../step.js';
import { noPads, type Pads, padList } from './convolution.js';

/** The mean over height and width: [N, C, H, W] → [N, C], or [N, C, 1, 1]. */
export class SpatialMean implements Step {
  constructor(
    readonly inputs: readonly [Value],
    readonly output: Value,
  ) {}

  forward(graph: Graph, [x]: readonly [Name]): Name {
    const keepdims = this.output.shape.length === 3 ? 1 : 0;
    return graph.node('ReduceMean', [x, graph.integers([2, 3])], { keepdims });
  }

  /** g / (H · W) everywhere. */
  backward(graph: Graph, { gradient }: Backward): Name[] {
    const [, height, width] = this.inputs[0].shape as [number, number, number];
    const size = height * width;
    const share = graph.constant(new Float32Array(size).fill(1 / size), [1, 1, height, width]);
    const column =
      this.output.shape.length === 3 ? gradient : graph.node('Unsqueeze', [gradient, graph.integers([2, 3])]);
    return [graph.node('Mul', [column, share])];
  }
}

/** The maximum of square windows, [N, C, H, W] → [N, C, H′, W′]; padded with −∞. */
export class MaxPool implements Step {
  constructor(
    readonly inputs: readonly [Value],
    readonly output: Value,
    readonly window: { readonly kernel: number; readonly stride: number; readonly pads: Pads },
  ) {}

  forward(graph: Graph, [x]: readonly [Name]): Name {
    const { kernel, stride, pads } = this.window;
    return graph.node('MaxPool', [x], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: padList(pads),
    });
  }

  /**
   * Each window's gradient goes to its first largest pixel, as in libtorch. For each place k in the window, x_k are the
   * pixels there, one for each window: those that equal the maximum, and that no earlier place claims, get the gradient.
   * A transposed convolution with a single 1 at k puts it back among the pixels.
   */
  backward(graph: Graph, { inputs: [x], output, gradient }: Backward): Name[] {
    const m = new Arithmetic(graph);
    const { kernel, stride, pads } = this.window;
    const [channels, height, width] = this.inputs[0].shape as [number, number, number];
    const [, rows, columns] = this.output.shape as [number, number, number];
    const padded = padWith(graph, x!, pads, -3e38);
    const [paddedHeight, paddedWidth] = [height + pads.top + pads.bottom, width + pads.left + pads.right];
    let free = m.ifPositive(output, 1, 1); // 1 where no place claims the maximum yet
    let sum: Name | null = null;
    for (let place = 0; place < kernel * kernel; place++) {
      const [row, column] = [Math.floor(place / kernel), place % kernel];
      const pixels = graph.node('Slice', [
        padded,
        graph.integers([row, column]),
        graph.integers([row + (rows - 1) * stride + 1, column + (columns - 1) * stride + 1]),
        graph.integers([2, 3]),
        graph.integers([stride, stride]),
      ]);
      const claimed = graph.node('Where', [graph.node('Equal', [pixels, output]), free, graph.number(0)]);
      free = m.subtract(free, claimed);
      const single = new Float32Array(channels * kernel * kernel);
      for (let channel = 0; channel < channels; channel++) single[channel * kernel * kernel + place] = 1;
      const put = graph.node(
        'ConvTranspose',
        [m.multiply(gradient, claimed), graph.constant(single, [channels, 1, kernel, kernel])],
        {
          kernel_shape: [kernel, kernel],
          strides: [stride, stride],
          output_padding: [
            paddedHeight - ((rows - 1) * stride + kernel),
            paddedWidth - ((columns - 1) * stride + kernel),
          ],
          group: channels,
        },
      );
      sum = sum === null ? put : m.add(sum, put);
    }
    const [bottom, right] = [pads.top + height, pads.left + width];
    return [
      graph.node('Slice', [
        sum!,
        graph.integers([pads.top, pads.left]),
        graph.integers([bottom, right]),
        graph.integers([2, 3]),
      ]),
    ];
  }
}

function padWith(graph: Graph, x: Name, pads: Pads, value: number): Name {
  if (padList(pads).join() === padList(noPads).join()) return x;
  const { top, left, bottom, right } = pads;
  return graph.node('Pad', [x, graph.integers([0, 0, top, left, 0, 0, bottom, right]), graph.number(value)]);
}
