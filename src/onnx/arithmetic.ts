import type { Graph, Name } from './graph.js';

/** A value of the graph, or a number. */
export type Term = Name | number;

/** Elementwise arithmetic in a graph, so that a formula reads like one: `m.multiply(x, m.sigmoid(x))`. */
export class Arithmetic {
  constructor(readonly graph: Graph) {}

  add = (...terms: readonly Term[]): Name => this.#fold('Add', terms);
  multiply = (...terms: readonly Term[]): Name => this.#fold('Mul', terms);
  subtract = (a: Term, b: Term): Name => this.#node('Sub', a, b);
  divide = (a: Term, b: Term): Name => this.#node('Div', a, b);
  least = (a: Term, b: Term): Name => this.#node('Min', a, b);
  largest = (a: Term, b: Term): Name => this.#node('Max', a, b);

  /** a where `condition` > 0, b elsewhere. */
  ifPositive = (condition: Term, a: Term, b: Term): Name =>
    this.#node('Where', this.#node('Greater', condition, 0), a, b);

  exp = (x: Term): Name => this.#node('Exp', x);
  log = (x: Term): Name => this.#node('Log', x);
  erf = (x: Term): Name => this.#node('Erf', x);
  tanh = (x: Term): Name => this.#node('Tanh', x);
  relu = (x: Term): Name => this.#node('Relu', x);
  sigmoid = (x: Term): Name => this.#node('Sigmoid', x);
  softplus = (x: Term): Name => this.#node('Softplus', x);

  /** x within [−limit, limit] */
  held = (x: Term, limit: number): Name => this.least(this.largest(x, -limit), limit);

  /** c₀ + c₁·x + c₂·x² + … */
  polynomial(x: Term, coefficients: readonly number[]): Term {
    return coefficients.reduceRight<Term>(
      (sum, coefficient) => (sum === 0 ? coefficient : this.add(coefficient, this.multiply(x, sum))),
      0,
    );
  }

  #fold(type: string, [first = 0, ...terms]: readonly Term[]): Name {
    return this.#name(terms.reduce((sum, term) => this.#node(type, sum, term), first));
  }

  #node(type: string, ...terms: readonly Term[]): Name {
    return this.graph.node(
      type,
      terms.map((term) => this.#name(term)),
    );
  }

  #name(term: Term): Name {
    return typeof term === 'number' ? this.graph.number(term) : term;
  }
}
