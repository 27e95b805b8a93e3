import type { Graph, Name } from '../graph.js';
import { type Backward, type Constant, constantIn, type Step, type Value } from '../step.js';

/** x · weightᵀ + bias: x [N, I], weight [O, I], bias [O]. */
export class Linear implements Step {
  constructor(
    readonly inputs: readonly [Value],
    readonly output: Value,
    readonly weight: Constant,
    readonly bias: Constant,
  ) {}

  forward(graph: Graph, [x]: readonly [Name]): Name {
    return graph.node('Gemm', [x, this.#weightIn(graph), constantIn(graph, this.bias)], { transB: 1 });
  }

  /** g · weight */
  backward(graph: Graph, { gradient }: Backward): Name[] {
    return [graph.node('MatMul', [gradient, this.#weightIn(graph)])];
  }

  #weightIn(graph: Graph): Name {
    return graph.sharedBy(this, () => constantIn(graph, this.weight));
  }
}
