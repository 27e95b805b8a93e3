import type { Curve } from '../../tensor/functional.js';
import { Arithmetic } from '../arithmetic.js';
import { curveSlope, curveValue } from '../curves.js';
import type { Graph, Name } from '../graph.js';
import type { Backward, Step, Value } from '../step.js';

/** An activation function. */
export class Activation implements Step {
  constructor(
    readonly inputs: readonly [Value],
    readonly output: Value,
    /** Its curve at this time: coefficients may be learned. */
    readonly readCurve: () => Curve,
  ) {}

  forward(graph: Graph, [x]: readonly [Name]): Name {
    return curveValue(graph, this.readCurve(), x);
  }

  backward(graph: Graph, { inputs: [x], gradient }: Backward): Name[] {
    return [graph.node('Mul', [gradient, curveSlope(graph, this.readCurve(), x!)])];
  }
}

/** σ(x) = 1 / (1 + exp(−x)) */
export class Sigmoid implements Step {
  constructor(
    readonly inputs: readonly [Value],
    readonly output: Value,
  ) {}

  forward(graph: Graph, [x]: readonly [Name]): Name {
    return graph.node('Sigmoid', [x]);
  }

  /** g · σ(x) · (1 − σ(x)) */
  backward(graph: Graph, { output, gradient }: Backward): Name[] {
    const m = new Arithmetic(graph);
    return [m.multiply(gradient, output, m.subtract(1, output))];
  }
}

/** a + b, both of the same shape. */
export class Sum implements Step {
  constructor(
    readonly inputs: readonly [Value, Value],
    readonly output: Value,
  ) {}

  forward(graph: Graph, [a, b]: readonly [Name, Name]): Name {
    return graph.node('Add', [a, b]);
  }

  backward(_: Graph, { gradient }: Backward): Name[] {
    return [gradient, gradient];
  }
}

/** x · gate: x [N, C, H, W], gate [N, C, 1, 1]. */
export class ChannelProduct implements Step {
  constructor(
    readonly inputs: readonly [x: Value, gate: Value],
    readonly output: Value,
  ) {}

  forward(graph: Graph, [x, gate]: readonly [Name, Name]): Name {
    return graph.node('Mul', [x, gate]);
  }

  backward(graph: Graph, { inputs: [x, gate], gradient }: Backward): Name[] {
    const products = graph.node('Mul', [gradient, x!]);
    return [
      graph.node('Mul', [gradient, gate!]),
      graph.node('ReduceSum', [products, graph.integers([2, 3])], { keepdims: 1 }),
    ];
  }
}
