import type { Graph, Name } from '../graph.js';
import { type Backward, type Constant, constantIn, type Step, type Value } from '../step.js';

/** x · factor, or x + term, or x − term, or x / divisor, with a constant that broadcasts: [1, C, 1, 1] or a number. */
export class ConstantArithmetic implements Step {
  constructor(
    readonly inputs: readonly [Value],
    readonly output: Value,
    readonly type: 'Add' | 'Sub' | 'Mul' | 'Div',
    readonly constant: Constant,
  ) {}

  forward(graph: Graph, [x]: readonly [Name]): Name {
    return graph.node(this.type, [x, this.#constantIn(graph)]);
  }

  backward(graph: Graph, { gradient }: Backward): Name[] {
    if (this.type === 'Add' || this.type === 'Sub') return [gradient];
    return [graph.node(this.type, [gradient, this.#constantIn(graph)])];
  }

  #constantIn(graph: Graph): Name {
    return graph.sharedBy(this, () => constantIn(graph, this.constant));
  }
}
