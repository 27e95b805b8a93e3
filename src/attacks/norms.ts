import { zeros } from '../tensor/create.js';
import { type NoiseKey, noise } from '../tensor/noise.js';
import { handleOf, type Tensor } from '../tensor/tensor.js';
import type { NormName } from '../user-input/norm-name.js';
import { requireArgument } from '../user-input/require-argument.js';
import { halvingRule } from './halving-rule.js';
import { projectInL1 } from './l1-projection.js';
import type { Norm, RandomStartOptions } from './norm.js';
import { sparseDirection } from './sparse-direction.js';
import { sparsityRule } from './sparsity-rule.js';

export type { NormName } from '../user-input/norm-name.js';
export type { Norm, RandomStartOptions };

const pixels = [1, 2, 3] as const;

const linf: Norm = {
  name: 'linf',
  randomStart(x, { epsilon, key, ids, clip = true }) {
    const uniform = draw('uniform', x, key, ids); // in [0, 1)
    const point = x.add(uniform.mul(2 * epsilon).sub(epsilon));
    return clip ? point.clamp(0, 1) : point;
  },
  edgeStart(x, { epsilon, key, ids }) {
    const drawn = draw('uniform', x, key, ids).mul(2).sub(1); // in [−1, 1)
    return x.add(drawn.div(this.length(drawn)).mul(epsilon)).clamp(0, 1);
  },
  apgdStart: (x, options) => linf.edgeStart(x, options),
  direction: (gradient) => gradient.sign(),
  stepRule: halvingRule((gradient) => linf.direction(gradient)),
  length: (step) => step.abs().max(pixels, true),
  dualLength: (gradient) => gradient.abs().sum(pixels, true),
  project: (candidate, x, epsilon) => candidate.minimum(x.add(epsilon)).maximum(x.sub(epsilon)).clamp(0, 1),
  distance: (a, b) => difference(a, b).abs().max(pixels).numbers(),
  allowed: (epsilon) => epsilon + 1e-6,
};

const l2: Norm = {
  name: 'l2',
  randomStart(x, { epsilon, key, ids, clip = true }) {
    const direction = this.direction(draw('normal', x, key, ids));
    // The volume of the ball grows as r^d, so the d-th root makes the point uniform.
    const dimensions = x.size / Math.max(1, x.dimension(0));
    const radius = noise('uniform', {
      key: { ...key, stream: 'startRadius' },
      ids,
      shape: [1, 1, 1],
      dtype: 'float64',
      device: x.device,
    })
      .pow(1 / dimensions)
      .mul(epsilon)
      .to(x.dtype); // [N, 1, 1, 1]
    const point = x.add(direction.mul(radius));
    return clip ? this.project(point, x, epsilon) : point;
  },
  edgeStart(x, { epsilon, key, ids }) {
    return x.add(this.direction(draw('normal', x, key, ids)).mul(epsilon)).clamp(0, 1);
  },
  apgdStart: (x, options) => l2.edgeStart(x, options),
  length: (step) => step.l2Norm(pixels, true),
  dualLength: (gradient) => gradient.l2Norm(pixels, true),
  stepRule: halvingRule((gradient) => l2.direction(gradient)),
  direction(gradient) {
    // Divide by the largest entry first so that the squares of a tiny gradient do not underflow. The norm of a nonzero
    // gradient is then at least 1.
    const known = gradient.nanToNum();
    const largest = known.abs().max(pixels, true); // [N, 1, 1, 1]
    const scaled = known.div(largest.add(largest.eq(0).to(known.dtype)));
    return scaled.div(scaled.l2Norm(pixels, true).clamp(1, Number.POSITIVE_INFINITY));
  },
  project(candidate, x, epsilon) {
    const step = candidate.sub(x);
    const norm = step.l2Norm(pixels, true); // [N, 1, 1, 1]
    const factor = norm.clamp(epsilon, Number.POSITIVE_INFINITY).pow(-1).mul(epsilon);
    return x.add(epsilon === 0 ? step.mul(0) : step.mul(factor)).clamp(0, 1);
  },
  distance: (a, b) => difference(a, b).l2Norm(pixels).numbers(),
  allowed: (epsilon) => epsilon * (1 + 1e-5),
};

/** The share of the pixels that a step of PGD moves in L1: SLIDE's (Tramèr and Boneh, 2019). */
const movedShare = 0.01;

const l1: Norm = {
  name: 'l1',
  randomStart(x, { epsilon, key, ids, clip = true }) {
    // d numbers of Laplace's distribution, divided by the sum of their sizes and one more of the exponential distribution, are
    // uniform in the ball (Barthe et al., 2005).
    const uniform = draw('uniform', x, key, ids).mul(2).sub(1); // in [−1, 1)
    const laplace = uniform.sign().mul(exponential(uniform.abs()));
    const one = noise('uniform', {
      key: { ...key, stream: 'startRadius' },
      ids,
      shape: [1, 1, 1],
      dtype: x.dtype,
      device: x.device,
    });
    const point = x.add(laplace.div(this.length(laplace).add(exponential(one))).mul(epsilon));
    return clip ? projectInL1(point, x, epsilon) : point;
  },
  edgeStart(x, { epsilon, key, ids }) {
    const drawn = draw('normal', x, key, ids);
    return x.add(drawn.div(this.length(drawn)).mul(epsilon)).clamp(0, 1);
  },
  apgdStart: (x, { epsilon, key, ids }) => projectInL1(x.add(draw('normal', x, key, ids)), x, epsilon),
  direction: (gradient) =>
    sparseDirection(
      gradient,
      zeros([gradient.dimension(0)], gradient.dtype, gradient.device).add(movedShare),
    ),
  stepRule: sparsityRule,
  length: (step) => step.abs().sum(pixels, true),
  dualLength: (gradient) => gradient.abs().max(pixels, true),
  project: projectInL1,
  distance: (a, b) => difference(a, b).abs().sum(pixels).numbers(),
  allowed: (epsilon) => epsilon * (1 + 1e-5),
};

export const norms: Readonly<Record<NormName, Norm>> = {
  linf: guarded(linf),
  l2: guarded(l2),
  l1: guarded(l1),
};

/** A norm whose operations refuse what is no tensor, by the name of the argument. */
function guarded(norm: Norm): Norm {
  return {
    ...norm,
    randomStart(x, options) {
      handleOf(x, 'x of randomStart');
      requireArgument(options, 'options', 'randomStart');
      return norm.randomStart(x, options);
    },
    edgeStart(x, options) {
      handleOf(x, 'x of edgeStart');
      requireArgument(options, 'options', 'edgeStart');
      return norm.edgeStart(x, options);
    },
    apgdStart(x, options) {
      handleOf(x, 'x of apgdStart');
      requireArgument(options, 'options', 'apgdStart');
      return norm.apgdStart(x, options);
    },
    direction(gradient) {
      handleOf(gradient, 'the gradient of direction');
      return norm.direction(gradient);
    },
    project(candidate, x, epsilon) {
      handleOf(candidate, 'the candidate of project');
      handleOf(x, 'x of project');
      requireArgument(epsilon, 'number', 'epsilon of project');
      return norm.project(candidate, x, epsilon);
    },
    length(step) {
      handleOf(step, 'the step of length');
      return norm.length(step);
    },
    dualLength(gradient) {
      handleOf(gradient, 'the gradient of dualLength');
      return norm.dualLength(gradient);
    },
    distance(a, b) {
      handleOf(a, 'a of distance');
      handleOf(b, 'b of distance');
      return norm.distance(a, b);
    },
  };
}

/** −log(1 − u) of u in [0, 1], with what float32 holds below 1 in place of 1. */
function exponential(uniform: Tensor): Tensor {
  return uniform
    .neg()
    .add(1)
    .clamp(2 ** -25, 1)
    .log()
    .neg();
}

function draw(distribution: 'uniform' | 'normal', x: Tensor, key: NoiseKey, ids: ArrayLike<number>): Tensor {
  return noise(distribution, { key, ids, shape: x.shape.slice(1), dtype: x.dtype, device: x.device });
}

function difference(a: Tensor, b: Tensor): Tensor {
  return a.to('float64').sub(b.to('float64'));
}
