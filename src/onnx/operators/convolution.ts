import type { Graph, Name } from '../graph.js';
import { type Backward, type Constant, constantIn, type Step, type Value } from '../step.js';

/** Padding of height and width. */
export interface Pads {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const noPads: Pads = { top: 0, left: 0, bottom: 0, right: 0 };

/** In ONNX's order. */
export const padList = ({ top, left, bottom, right }: Pads): number[] => [top, left, bottom, right];

/** A convolution with square kernels: x [N, I, H, W], weight [O, I / groups, K, K], bias [O]. */
export class Convolution implements Step {
  readonly inputs: readonly [Value];
  readonly output: Value;
  readonly weight: Constant;
  readonly bias: Constant | null;
  readonly stride: number;
  readonly pads: Pads;
  readonly groups: number;

  constructor(
    readonly options: Pick<
      Convolution,
      'inputs' | 'output' | 'weight' | 'bias' | 'stride' | 'pads' | 'groups'
    >,
  ) {
    this.inputs = options.inputs;
    this.output = options.output;
    this.weight = options.weight;
    this.bias = options.bias;
    this.stride = options.stride;
    this.pads = options.pads;
    this.groups = options.groups;
  }

  forward(graph: Graph, [x]: readonly [Name]): Name {
    const bias = this.bias === null ? [] : [constantIn(graph, this.bias)];
    const { stride, groups, pads } = this;
    return graph.node('Conv', [x, this.#weightIn(graph), ...bias], {
      kernel_shape: this.#kernel,
      strides: [stride, stride],
      pads: padList(pads),
      group: groups,
    });
  }

  /** With stride 1 a convolution with turned weights, which runtimes compute faster than a transposed one. */
  backward(graph: Graph, { gradient }: Backward): Name[] {
    const { stride, groups, pads } = this;
    const [height, width] = this.#kernel;
    if (stride === 1) {
      const turnedPads = {
        top: height - 1 - pads.top,
        left: width - 1 - pads.left,
        bottom: height - 1 - pads.bottom,
        right: width - 1 - pads.right,
      };
      return [
        graph.node('Conv', [gradient, this.#turnedWeight(graph)], {
          kernel_shape: this.#kernel,
          pads: padList(turnedPads),
          group: groups,
        }),
      ];
    }
    // Rows and columns at the end that no window reaches.
    const rest = (axis: 1 | 2, size: number, before: number, after: number) =>
      this.inputs[0].shape[axis]! + before + after - ((this.output.shape[axis]! - 1) * stride + size);
    return [
      graph.node('ConvTranspose', [gradient, this.#weightIn(graph)], {
        kernel_shape: this.#kernel,
        strides: [stride, stride],
        pads: padList(pads),
        output_padding: [rest(1, height, pads.top, pads.bottom), rest(2, width, pads.left, pads.right)],
        group: groups,
      }),
    ];
  }

  get #kernel(): readonly [height: number, width: number] {
    return [this.weight.shape[2]!, this.weight.shape[3]!];
  }

  /** The weights once in a file, though the forward and the backward pass use them. */
  #weightIn(graph: Graph): Name {
    return graph.sharedBy(this, () => constantIn(graph, this.weight));
  }

  /**
   * [O, I / groups, K, K] → [I, O / groups, K, K], rotated by 180°: nodes of constants, which runtimes compute once, when they
   * load the file.
   */
  #turnedWeight(graph: Graph): Name {
    const { groups } = this;
    const [outputs, inGroup, height, width] = this.weight.shape as [number, number, number, number];
    const outGroup = outputs / groups;
    let turned = this.#weightIn(graph);
    if (groups === 1) turned = graph.node('Transpose', [turned], { perm: [1, 0, 2, 3] });
    else if (inGroup !== 1 || outGroup !== 1) {
      const grouped = [turned, graph.integers([groups, outGroup, inGroup, height, width])];
      const swapped = graph.node('Transpose', [graph.node('Reshape', grouped)], { perm: [0, 2, 1, 3, 4] });
      turned = graph.node('Reshape', [swapped, graph.integers([groups * inGroup, outGroup, height, width])]);
    }
    if (height === 1 && width === 1) return turned;
    // Backwards from the last element to before the first.
    const [starts, ends, axes, steps] = [
      [-1, -1],
      [-height - 1, -width - 1],
      [2, 3],
      [-1, -1],
    ];
    return graph.node('Slice', [turned, ...[starts, ends, axes, steps].map((each) => graph.integers(each!))]);
  }
}
