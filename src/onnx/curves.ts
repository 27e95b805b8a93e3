import type { ActivationKind, Curve } from '../tensor/functional.js';
import { Arithmetic, type Term } from './arithmetic.js';
import type { Graph, Name } from './graph.js';

/** An activation in a graph: f(x) and f′(x). */
interface Formula {
  value(m: Arithmetic, x: Name, a: number, b: number): Term;
  slope(m: Arithmetic, x: Name, a: number, b: number): Term;
}

/** Beyond it exp is near the largest or the smallest number of float32; every sigmoid is 0 or 1 long before. */
const far = 88;
/** Likewise for exp(−x²/2). */
const farGaussian = 13;

/** 2·√(2/π) and the cubic coefficient of GELU's approximation. */
const [root, cube] = [2 * Math.sqrt(2 / Math.PI), 0.044715];

/**
 * The formulas of docs/activations.md in float32. What tends to 0 is multiplied by a held number, since infinity times 0
 * is NaN, and since a runtime's sigmoid may stop at 1e-8; differences of nearly equal numbers are rewritten.
 */
const formulas: Readonly<Record<ActivationKind, Formula>> = {
  identity: { value: (_, x) => x, slope: () => 1 },
  relu: { value: (m, x) => m.relu(x), slope: (m, x) => m.ifPositive(x, 1, 0) },
  'leaky-relu': {
    value: (m, x, a) => m.graph.node('LeakyRelu', [x], { alpha: { real: a } }),
    slope: (m, x, a) => m.ifPositive(x, 1, a),
  },
  softplus: {
    value: (m, x, a) => scaled(m, 1 / a, m.softplus(scaled(m, a, x))),
    slope: (m, x, a) => m.sigmoid(scaled(m, a, x)),
  },
  silu: { value: (m, x) => gated(m, x, 1), slope: (m, x) => gatedSlope(m, x, 1) },
  psilu: { value: gated, slope: gatedSlope },
  pssilu: {
    // (x·σ(ax) − b·x) / (1 − b): linear to the left, so only the first product is held
    value: (m, x, a, b) => m.divide(m.subtract(gated(m, x, a), m.multiply(x, b)), 1 - b),
    slope: (m, x, a, b) => m.divide(m.subtract(gatedSlope(m, x, a), b), 1 - b),
  },
  gelu: {
    value: (m, x) => m.multiply(m.largest(x, -farGaussian), gaussianShare(m, x)),
    // Φ(x) + x·φ(x)
    slope(m, x) {
      const h = m.held(x, farGaussian);
      const density = m.multiply(m.exp(m.multiply(h, h, -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return m.add(gaussianShare(m, x), m.multiply(h, density));
    },
  },
  'gelu-tanh': {
    value: (m, x) => m.multiply(m.largest(x, -farGaussian), m.sigmoid(cubic(m, m.held(x, farGaussian)))),
    // σ(2u) + x·(2u)′·σ(2u)·(1 − σ(2u))
    slope(m, x) {
      const h = m.held(x, farGaussian);
      const s = m.sigmoid(cubic(m, h));
      const inner = m.add(m.multiply(h, h, 3 * cube * root), root);
      return m.add(s, m.multiply(h, inner, s, m.subtract(1, s)));
    },
  },
  elu: {
    value: (m, x, a) => m.add(m.relu(x), scaled(m, a, expMinusOne(m, m.least(x, 0)))),
    slope: (m, x, a) => m.ifPositive(x, 1, scaled(m, a, m.exp(m.least(x, 0)))),
  },
  celu: {
    value: (m, x, a) => m.add(m.relu(x), scaled(m, a, expMinusOne(m, scaled(m, 1 / a, m.least(x, 0))))),
    slope: (m, x, a) => m.exp(scaled(m, 1 / a, m.least(x, 0))), // exp(0) = 1 for x > 0
  },
  mish: {
    value: (m, x) => m.multiply(m.largest(x, -far), m.tanh(m.softplus(x))),
    // t + x·σ(x)·(1 − t²), t = tanh(log(1 + exp(x)))
    slope(m, x) {
      const h = m.held(x, far);
      const t = m.tanh(m.softplus(h));
      return m.add(t, m.multiply(h, m.sigmoid(h), m.subtract(1, m.multiply(t, t))));
    },
  },
  'smooth-relu': {
    value: (m, x, a) => m.multiply(m.relu(x), smoothShare(m, smoothArgument(m, x, a))),
    slope(m, x, a) {
      const y = smoothArgument(m, x, a);
      return m.divide(y, m.add(y, 1));
    },
  },
};

/** f(x) */
export function curveValue(graph: Graph, { kind, a = 0, b = 0 }: Curve, x: Name): Name {
  return named(graph, formulas[kind].value(new Arithmetic(graph), x, a, b));
}

/** f′(x); at a jump, the value that libtorch uses. */
export function curveSlope(graph: Graph, { kind, a = 0, b = 0 }: Curve, x: Name): Name {
  return named(graph, formulas[kind].slope(new Arithmetic(graph), x, a, b));
}

function named(graph: Graph, term: Term): Name {
  return typeof term === 'number' ? graph.number(term) : term;
}

/** factor · x, without a node for a factor of 1. */
function scaled(m: Arithmetic, factor: number, x: Name): Name {
  return factor === 1 ? x : m.multiply(x, factor);
}

/** x·σ(ax), where x is held on the side on which σ(ax) tends to 0. */
function gated(m: Arithmetic, x: Name, a: number): Name {
  const gate = m.sigmoid(scaled(m, a, x));
  if (a === 0) return m.multiply(x, gate);
  return m.multiply(a > 0 ? m.largest(x, -far / a) : m.least(x, -far / a), gate);
}

/** σ(h) + h·σ(h)·(1 − σ(h)), h = ax held. */
function gatedSlope(m: Arithmetic, x: Name, a: number): Name {
  const h = m.held(scaled(m, a, x), far);
  const s = m.sigmoid(h);
  return m.add(s, m.multiply(h, s, m.subtract(1, s)));
}

/** Φ(x) = (1 + erf(x / √2)) / 2 */
function gaussianShare(m: Arithmetic, x: Name): Name {
  return m.multiply(m.add(m.erf(m.multiply(x, Math.SQRT1_2)), 1), 0.5);
}

/** 2·√(2/π)·(x + 0.044715·x³) */
function cubic(m: Arithmetic, x: Name): Name {
  return m.multiply(x, m.add(m.multiply(x, x, cube * root), root));
}

/** exp(x) − 1 = tanh(x / 2)·(exp(x) + 1), precise near 0; for x ≤ 0. */
function expMinusOne(m: Arithmetic, x: Name): Name {
  return m.multiply(m.tanh(m.multiply(x, 0.5)), m.add(m.exp(x), 1));
}

/** a·max(x, 0), below infinity. */
function smoothArgument(m: Arithmetic, x: Name, a: number): Name {
  return m.least(scaled(m, a, m.relu(x)), 1e38);
}

/**
 * 1 − log(1 + y) / y. Up to y = 1 by log(1 + y) = 2·(s + s³/3 + s⁵/5 + …) with s = y / (2 + y), which makes it
 * s − (1 − s)·(s²/3 + s⁴/5 + …): nothing cancels.
 */
function smoothShare(m: Arithmetic, y: Name): Name {
  const near = m.least(y, 1);
  const s = m.divide(near, m.add(near, 2));
  const square = m.multiply(s, s);
  const odd = m.polynomial(square, [1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11, 1 / 13, 1 / 15]);
  const series = m.subtract(s, m.multiply(m.subtract(1, s), square, odd));
  const large = m.largest(y, 1);
  const direct = m.subtract(1, m.divide(m.log(m.add(large, 1)), large));
  return m.ifPositive(m.subtract(y, 1), direct, series);
}
