import { cat } from '../tensor/create.js';
import type { Activation, LearnedCoefficients } from './activation.js';

/** The coefficient of an activation, given in parentheses after the name. */
export interface Coefficient {
  /** Symbol in formulas. */
  readonly symbol: string;
  /** Value if omitted; null if it is then learned. */
  readonly default: number | null;
  /** Allowed range, inclusive. */
  readonly range: readonly [least: number, most: number];
}

/** An activation function parametrised by its coefficient, if it has one. */
export interface Family {
  readonly source: string;
  /** null if the activation has no coefficient to set. */
  readonly coefficient: Coefficient | null;
  /** Learned coefficients, used if none is given. */
  readonly learned?: LearnedCoefficients;
  /**
   * @param a the coefficient; its initial value if it is learned.
   * @param text the coefficient in formulas: the number, or its symbol if it is learned.
   */
  make(a: number, text: string): Omit<Activation, 'name' | 'learned'>;
}

/** Outside this range the function equals its limit in float32. */
const anyPositive = [1e-6, 1e6] as const;

const softplus = (symbol: string, standard: number) =>
  ({
    source: standard === 1 ? 'Dugas et al., 2001; the paper' : 'the paper, Eq. 2 and 3',
    coefficient: { symbol, default: standard, range: anyPositive },
    make: (a) => ({
      title:
        standard === 10 ? `Parametric Softplus (α = ${a})` : a === 1 ? 'Softplus' : `Softplus (β = ${a})`,
      formula: a === 1 ? 'log(1 + exp(x))' : `log(1 + exp(${a}·x)) / ${a}`,
      slope: a === 1 ? 'σ(x)' : `σ(${a}·x)`,
      smoothness: 'C∞',
      curvature: a / 4,
      curve: { kind: 'softplus', a },
    }),
  }) as const satisfies Family;

/** All activations by their names in recipes; help texts, validation and docs are generated from this table. */
export const activations = {
  // The non-smooth baseline: the derivative jumps from 0 to 1.
  relu: {
    source: 'Nair and Hinton, 2010',
    coefficient: null,
    make: () => ({
      title: 'ReLU',
      formula: 'max(0, x)',
      slope: '1 for x > 0, 0 else',
      smoothness: 'C⁰',
      curvature: Number.POSITIVE_INFINITY,
      curve: { kind: 'relu' },
    }),
  },
  // Control for smoothness: negative inputs have a gradient, but the derivative is discontinuous like ReLU's.
  'leaky-relu': {
    source: 'Maas, Hannun and Ng, 2013',
    coefficient: { symbol: 's', default: 0.01, range: [1e-6, 0.999] },
    make: (a) => ({
      title: `Leaky ReLU (s = ${a})`,
      formula: `x for x > 0, ${a}·x else`,
      slope: `1 for x > 0, ${a} else`,
      smoothness: 'C⁰',
      curvature: Number.POSITIVE_INFINITY,
      curve: { kind: 'leaky-relu', a },
    }),
  },
  softplus: softplus('β', 1),
  // The same function with the paper's name and coefficient. Surrogate derivative of ReLU in Table 1.
  'parametric-softplus': softplus('α', 10),
  silu: {
    source: 'Hendrycks and Gimpel, 2016; Ramachandran, Zoph and Le, 2017 (Swish); the paper',
    coefficient: null,
    make: () => ({
      title: 'SiLU',
      formula: 'x·σ(x)',
      slope: 'σ(x) + x·σ(x)·(1 − σ(x))',
      smoothness: 'C∞',
      curvature: 0.5,
      curve: { kind: 'silu' },
    }),
  },
  gelu: {
    source: 'Hendrycks and Gimpel, 2016; the paper',
    coefficient: null,
    make: () => ({
      title: 'GELU',
      formula: 'x·Φ(x)',
      slope: 'Φ(x) + x·φ(x)',
      smoothness: 'C∞',
      curvature: Math.sqrt(2 / Math.PI),
      curve: { kind: 'gelu' },
    }),
  },
  // The GELU of the paper's released code.
  'gelu-tanh': {
    source: 'Hendrycks and Gimpel, 2016; the released code of the paper',
    coefficient: null,
    make: () => ({
      title: 'GELU (tanh)',
      formula: 'x·σ(2u), u = √(2/π)·(x + 0.044715·x³)',
      slope: 'σ(2u) + 2x·u′·σ(2u)·(1 − σ(2u))',
      smoothness: 'C∞',
      curvature: Math.sqrt(2 / Math.PI),
      curve: { kind: 'gelu-tanh' },
    }),
  },
  // The derivative jumps from α to 1 unless α = 1.
  elu: {
    source: 'Clevert, Unterthiner and Hochreiter, 2016; the paper, Eq. 4',
    coefficient: { symbol: 'α', default: 1, range: anyPositive },
    make: (a) => ({
      title: a === 1 ? 'ELU' : `ELU (α = ${a})`,
      formula: `x for x > 0, ${a === 1 ? '' : `${a}·`}(exp(x) − 1) else`,
      slope: `1 for x > 0, ${a === 1 ? '' : `${a}·`}exp(x) else`,
      smoothness: a === 1 ? 'C¹' : 'C⁰',
      curvature: a === 1 ? 1 : Number.POSITIVE_INFINITY,
      curve: { kind: 'elu', a },
    }),
  },
  // Smooth for every α, unlike ELU.
  celu: {
    source: 'Barron, 2017; the paper',
    coefficient: { symbol: 'α', default: 1, range: anyPositive },
    make: (a) => ({
      title: a === 1 ? 'CELU' : `CELU (α = ${a})`,
      formula: a === 1 ? 'x for x > 0, exp(x) − 1 else' : `x for x > 0, ${a}·(exp(x/${a}) − 1) else`,
      slope: `1 for x > 0, exp(${a === 1 ? 'x' : `x/${a}`}) else`,
      smoothness: 'C¹',
      curvature: 1 / a,
      curve: { kind: 'celu', a },
    }),
  },
  mish: {
    source: 'Misra, 2019; the released code of the paper',
    coefficient: null,
    make: () => ({
      title: 'Mish',
      formula: 'x·tanh(log(1 + exp(x)))',
      slope: 't + x·σ(x)·(1 − t²), t = tanh(log(1 + exp(x)))',
      smoothness: 'C∞',
      curvature: 0.6442, // at −0.088
      curve: { kind: 'mish' },
    }),
  },
  // Equal to ReLU below 0, so that the paper's gains with it are due to smoothness alone.
  'smooth-relu': {
    source: 'the paper',
    coefficient: { symbol: 'α', default: null, range: anyPositive },
    // α = r² as in the paper's code: non-negative, and initially 400, which is close to ReLU.
    learned: {
      start: 400,
      parameters: { r: 20 },
      sharing: 'layer',
      coefficients: ([r]) => r!.mul(r!),
    },
    make: (a, text) => ({
      title: text === 'α' ? 'SmoothReLU (learned α)' : `SmoothReLU (α = ${a})`,
      formula: `x − log(1 + ${text}·x) / ${text} for x > 0, 0 else`,
      slope: `${text}·x / (1 + ${text}·x) for x > 0, 0 else`,
      smoothness: 'C¹',
      curvature: a,
      curve: { kind: 'smooth-relu', a },
    }),
  },
  psilu: {
    source: 'Dai, Mahloujifar and Mittal, 2021',
    coefficient: { symbol: 'α', default: null, range: anyPositive },
    learned: { start: 1, parameters: { alpha: 1 }, sharing: 'network', coefficients: ([alpha]) => alpha! },
    make: (a, text) => ({
      title: text === 'α' ? 'PSiLU (learned α)' : `PSiLU (α = ${a})`,
      formula: `x·σ(${text}·x)`,
      slope: `σ(${text}·x) + ${text}·x·σ(${text}·x)·(1 − σ(${text}·x))`,
      smoothness: 'C∞',
      curvature: a / 2,
      curve: { kind: 'psilu', a },
    }),
  },
  pssilu: {
    source: 'Dai, Mahloujifar and Mittal, 2021',
    coefficient: null,
    learned: {
      start: 1,
      parameters: { alpha: 1, beta: 1e-8 },
      sharing: 'network',
      coefficients: ([alpha, beta]) => cat([alpha!.abs(), beta!.abs()]),
    },
    make: () => ({
      title: 'PSSiLU',
      formula: 'x·(σ(αx) − β) / (1 − β)',
      slope: '(σ(αx) + αx·σ(αx)·(1 − σ(αx)) − β) / (1 − β)',
      smoothness: 'C∞',
      curvature: 0.5,
      curve: { kind: 'pssilu', a: 1, b: 1e-8 },
    }),
  },
} as const satisfies Record<string, Family>;

export type ActivationName = keyof typeof activations;
