import { where, zerosLike } from '../tensor/create.js';
import { operator } from '../tensor/operator.js';
import { one } from '../tensor/tensor.js';
import type { Activation } from './activation.js';

/** One family: a name, its coefficient where it has one, and how to make the function from it. */
export interface Family {
  readonly source: string;
  /** Its coefficient's name and default; null where it has none. */
  readonly coefficient: {
    readonly name: string;
    readonly default: number;
    readonly positive: boolean;
  } | null;
  make(coefficient: number): Omit<Activation, 'name'>;
}

/** Every activation, by the name that recipes use. The only list: help, validation and docs are made from it. */
export const activations = {
  // max(0, x); its derivative jumps from 0 to 1
  relu: {
    source: 'Nair and Hinton, 2010',
    coefficient: null,
    make: () => ({
      title: 'ReLU',
      formula: 'max(0, x)',
      fused: 'relu',
      forward: (x) => one(relu, x.handle),
      derivative: (x) => x.greater(0).to(x.dtype),
    }),
  },
  // x for x ≥ 0, s·x below; the control for smoothness, since its derivative jumps too
  'leaky-relu': {
    source: 'Maas, Hannun and Ng, 2013',
    coefficient: { name: 'slope', default: 0.01, positive: false },
    make: (slope) => ({
      title: `Leaky ReLU (slope ${slope})`,
      formula: `x for x > 0, ${slope}·x else`,
      forward: (x) => one(leakyRelu, x.handle, slope),
      derivative: (x) =>
        x
          .greater(0)
          .to(x.dtype)
          .mul(1 - slope)
          .add(slope),
    }),
  },
  // log(1 + exp(βx)) / β; derivative sigmoid(βx). The paper's parametric Softplus is softplus(10).
  softplus: {
    source: 'Dugas et al., 2001; paper, Eq. 2 and 3',
    coefficient: { name: 'beta', default: 1, positive: true },
    make: (beta) => ({
      title: beta === 1 ? 'Softplus' : `Softplus (β = ${beta})`,
      formula: beta === 1 ? 'log(1 + exp(x))' : `log(1 + exp(${beta}·x)) / ${beta}`,
      forward: (x) => one(softplus, x.handle, beta, 20),
      derivative: (x) => x.mul(beta).sigmoid(),
    }),
  },
  // x·sigmoid(x); derivative s + x·s·(1 − s)
  silu: {
    source: 'Hendrycks and Gimpel, 2016; Ramachandran, Zoph and Le, 2017 (Swish)',
    coefficient: null,
    make: () => ({
      title: 'SiLU',
      formula: 'x · sigmoid(x)',
      fused: 'silu',
      forward: (x) => one(silu, x.handle),
      derivative: (x) => {
        const s = x.sigmoid();
        return s.add(x.mul(s).mul(s.neg().add(1)));
      },
    }),
  },
  // x·Φ(x); derivative Φ(x) + x·φ(x)
  gelu: {
    source: 'Hendrycks and Gimpel, 2016',
    coefficient: null,
    make: () => ({
      title: 'GELU',
      formula: 'x · Φ(x)',
      forward: (x) => one(gelu, x.handle),
      derivative: (x) => {
        const distribution = one(erfc, x.mul(-Math.SQRT1_2).handle).mul(0.5);
        const density = x
          .mul(x)
          .mul(-0.5)
          .exp()
          .mul(1 / Math.sqrt(2 * Math.PI));
        return distribution.add(x.mul(density));
      },
    }),
  },
  // x for x ≥ 0, α·(exp(x) − 1) below; smooth for α = 1 alone
  elu: {
    source: 'Clevert, Unterthiner and Hochreiter, 2016; paper, Eq. 4',
    coefficient: { name: 'alpha', default: 1, positive: true },
    make: (alpha) => ({
      title: alpha === 1 ? 'ELU' : `ELU (α = ${alpha})`,
      formula: `x for x > 0, ${alpha === 1 ? '' : `${alpha}·`}(exp(x) − 1) else`,
      forward: (x) => one(elu, x.handle, alpha),
      derivative: (x) => where(x.greater(0), zerosLike(x).add(1), x.minimum(zerosLike(x)).exp().mul(alpha)),
    }),
  },
} as const satisfies Record<string, Family>;

export type ActivationName = keyof typeof activations;

const relu = operator('aten::relu');
const leakyRelu = operator('aten::leaky_relu');
const softplus = operator('aten::softplus');
const silu = operator('aten::silu');
const gelu = operator('aten::gelu');
const erfc = operator('aten::erfc');
const elu = operator('aten::elu');
