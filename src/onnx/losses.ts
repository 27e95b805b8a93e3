import { Arithmetic } from './arithmetic.js';
import type { Graph, Name } from './graph.js';

/** A loss in a graph: of each example, [N], and its gradient with respect to the logits, [N, classes]. */
type Loss = (graph: Graph, logits: Name, labels: Name) => { readonly loss: Name; readonly gradient: Name };

/**
 * The losses of white-box attacks, which increase them. Labels are distributions over the classes, [N, classes], in float32:
 * 1 for the class of the image and 0 for the others.
 *
 *     cross-entropy   −Σ_c labels_c · log softmax(z)_c         gradient: softmax(z) − labels
 *     margin          max_{i≠y} z_i − z_y                      gradient: 1 for the largest other class, −1 for y
 */
export const losses = {
  'cross-entropy'(graph, logits, labels) {
    const m = new Arithmetic(graph);
    const products = m.multiply(labels, graph.node('LogSoftmax', [logits], { axis: 1 }));
    return {
      loss: m.subtract(0, sumOfClasses(graph, products, { keeps: false })),
      gradient: m.subtract(graph.node('Softmax', [logits], { axis: 1 }), labels),
    };
  },
  margin(graph, logits, labels) {
    const m = new Arithmetic(graph);
    const others = m.ifPositive(labels, -3e38, logits);
    const most = graph.node('ReduceMax', [others, graph.integers([1])], { keepdims: 1 });
    const isMost = graph.node('Where', [
      graph.node('Equal', [others, most]),
      graph.number(1),
      graph.number(0),
    ]);
    // Equal logits share the gradient.
    const share = m.divide(isMost, sumOfClasses(graph, isMost, { keeps: true }));
    const own = sumOfClasses(graph, m.multiply(labels, logits), { keeps: false });
    return {
      loss: m.subtract(graph.node('Squeeze', [most, graph.integers([1])]), own),
      gradient: m.subtract(share, labels),
    };
  },
} as const satisfies Readonly<{ [name: string]: Loss }>;

export type LossName = keyof typeof losses;

export const lossNames = Object.keys(losses) as readonly LossName[];

function sumOfClasses(graph: Graph, x: Name, { keeps }: { readonly keeps: boolean }): Name {
  return graph.node('ReduceSum', [x, graph.integers([1])], { keepdims: keeps ? 1 : 0 });
}
