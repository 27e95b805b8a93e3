import { tensor } from '../tensor/create.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Graph, Name } from './graph.js';

/** A value of a network: the images, or what a step computes of them. */
export interface Value {
  /** Without the batch. */
  readonly shape: readonly number[];
}

/** Names in a graph at the time of the backward pass. */
export interface Backward {
  readonly inputs: readonly Name[];
  readonly output: Name;
  /** Of the loss with respect to the output. */
  readonly gradient: Name;
}

/** One operator of a network in evaluation mode: its nodes, and the nodes of its gradient. */
export interface Step {
  readonly inputs: readonly Value[];
  readonly output: Value;
  /** Adds the operator, and returns its output. */
  forward(graph: Graph, inputs: readonly Name[]): Name;
  /** Adds its vector-Jacobian product, and returns the gradient of each input. */
  backward(graph: Graph, at: Backward): readonly Name[];
}

/** A network as steps in order: from images [N, C, H, W] to logits [N, classes]. */
export interface Program {
  readonly images: Value;
  readonly steps: readonly Step[];
  readonly logits: Value;
}

/** A constant of the network. */
export interface Constant {
  readonly shape: readonly number[];
  /** In the state dict, for the names in the file. */
  readonly name: string;
  /** Its values at this time: a tensor in float32 on the CPU, which may share memory with the network's. */
  read(): Tensor;
}

/** A constant with these values. */
export function fixedConstant(
  values: Float32Array,
  { shape, name }: Pick<Constant, 'shape' | 'name'>,
): Constant {
  return { shape, name, read: () => tensor(values, shape) };
}

/** The values of a constant at this time, row-major. */
export function valuesOf(constant: Constant): Float32Array {
  return scope(() => constant.read().data() as Float32Array);
}

/** Adds a constant of the network to a graph. */
export function constantIn(graph: Graph, constant: Constant): Name {
  return graph.constant(valuesOf(constant), constant.shape, constant.name);
}
