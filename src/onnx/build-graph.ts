import { Graph, type Name } from './graph.js';
import { type LossName, losses } from './losses.js';
import type { Program, Value } from './step.js';

/** `logits` [N, classes] of `images` [N, C, H, W]. */
export function forwardGraph(program: Program): Graph {
  const graph = new Graph('satin');
  const names = addForward(graph, program);
  graph.output('logits', names.get(program.logits)!, program.logits.shape);
  return graph;
}

/**
 * `logits`, the `loss` [N] of each image, and its `gradient` with respect to the images, [N, C, H, W]; of `images` and
 * `labels` [N, classes]. Reverse-mode differentiation of the program, step by step.
 */
export function inputGradientGraph(program: Program, lossName: LossName): Graph {
  const { images, steps, logits } = program;
  const graph = new Graph(`satin-${lossName}`);
  const names = addForward(graph, program);
  const labels = graph.input('labels', logits.shape);
  const { loss, gradient } = losses[lossName](graph, names.get(logits)!, labels);
  const gradients = new Map<Value, Name>([[logits, gradient]]);
  for (const step of [...steps].reverse()) {
    const parts = step.backward(graph, {
      inputs: step.inputs.map((input) => names.get(input)!),
      output: names.get(step.output)!,
      gradient: gradients.get(step.output)!,
    });
    for (const [index, input] of step.inputs.entries()) {
      const other = gradients.get(input);
      const part = parts[index]!;
      gradients.set(input, other === undefined ? part : graph.node('Add', [other, part]));
    }
  }
  graph.output('logits', names.get(logits)!, logits.shape);
  graph.output('loss', loss, []);
  graph.output('gradient', gradients.get(images)!, images.shape);
  return graph;
}

function addForward(graph: Graph, { images, steps }: Program): ReadonlyMap<Value, Name> {
  const names = new Map<Value, Name>([[images, graph.input('images', images.shape)]]);
  for (const step of steps) {
    const inputs = step.inputs.map((input) => names.get(input)!);
    names.set(step.output, step.forward(graph, inputs));
  }
  return names;
}
