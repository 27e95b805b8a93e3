/**
 * Errors of float32 activations, for docs/activations.md: Satin's kernels, the reference implementation composed of libtorch
 * operators (other devices, traced models), and libtorch's own functions. The float64 kernels, which the tests compare with
 * 50-digit references, serve as the exact values. `node scripts/activation-errors.mjs` prints a Markdown table.
 *
 * The error is |actual − exact| over the largest of |exact|, 0.1, and |x| / 10 where |x| > 1: 1e-6 means 1e-6 relative or
 * 1e-7 absolute. It is the larger of those of f and f′. The tail is −5 to −1; its error is that of f, over |exact| alone.
 */
import { activationNames, parseActivation } from '../dist/src/activations/parse.js';
import { engineInfo } from '../dist/src/engine/engine-info.js';
import { tensor } from '../dist/src/tensor/create.js';
import { activate, activationArgument } from '../dist/src/tensor/functional.js';
import { gradient } from '../dist/src/tensor/gradient.js';
import { operator } from '../dist/src/tensor/operator.js';
import { scope } from '../dist/src/tensor/scope.js';
import { one } from '../dist/src/tensor/tensor.js';

const own = (name, ...values) => {
  const call = operator(`aten::${name}`);
  return (x) => one(call, x.handle, ...values);
};

/** libtorch's functions, or the straightforward formula where it has none. */
const libtorch = {
  relu: own('relu'),
  'leaky-relu': own('leaky_relu', 0.01),
  softplus: own('softplus'),
  'parametric-softplus': own('softplus', 10),
  silu: own('silu'),
  gelu: own('gelu'),
  'gelu-tanh': own('gelu', 'tanh'),
  elu: own('elu'),
  celu: own('celu'),
  mish: own('mish'),
  // the paper's code
  'smooth-relu': (x) => own('relu')(x.sub(x.abs().mul(400).add(1).log().div(400))),
  psilu: (x) => x.mul(x.sigmoid()),
  pssilu: (x) => x.mul(x.sigmoid().sub(1e-8)).div(1 - 1e-8),
};

const composed = operator('satin::activate_composed');
const reference = (curve) => (x) => one(composed, x.handle, undefined, activationArgument(curve));

/** The points of the tests, and 2,000 between 1e-8 and 1e4 on either side. */
const listed = [0, 1e-8, 1e-4, 1, 5, 10, 20, 100, 1e4];
const between = Array.from({ length: 2000 }, (_, index) => 10 ** (-8 + (12 * index) / 1999));
const finite = [...listed, ...between].flatMap((x) => [x, -x]).map(Math.fround);
const tail = finite.filter((x) => x >= -5 && x <= -1);
const ends = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** f(x) and f′(x) of each x. */
function both(body, at, dtype) {
  return scope(() => {
    const x = tensor(Float64Array.from(at), [at.length]).to(dtype).detach().requireGrad_();
    const y = body(x);
    return { value: y.numbers(), slope: gradient(y.sum(), x).numbers() };
  });
}

/** Positions and sizes of the errors, largest first; NaN counts as the largest. */
function errorsOf(got, right, { at, sizeOf }) {
  const errors = at.map((x, index) => ({
    x,
    error: Math.abs(got[index] - right[index]) / sizeOf(x, right[index]),
  }));
  return errors.sort((a, b) => (Number.isNaN(a.error) ? -1 : Number.isNaN(b.error) ? 1 : b.error - a.error));
}
const judged = (x, right) => Math.max(Math.abs(right), 0.1, Math.abs(x) > 1 ? Math.abs(x) / 10 : 0);
const relative = (_, right) => (right === 0 ? 1 : Math.abs(right));

const symbol = (of) => (of === 'value' ? 'f' : 'f′');

/** The largest error and NaNs at infinity; the largest relative error where f approaches 0. */
function cellsOf(body, exact) {
  const got = {
    finite: both(body, finite, 'float32'),
    tail: both(body, tail, 'float32'),
    ends: both(body, ends, 'float32'),
  };
  const worst = ['value', 'slope']
    .map((of) => ({ of, ...errorsOf(got.finite[of], exact.finite[of], { at: finite, sizeOf: judged })[0] }))
    .sort((a, b) => b.error - a.error)[0];
  const where = worst.error > 1e-6 ? ` (${symbol(worst.of)} at ${worst.x.toPrecision(2)})` : '';
  const [far] = errorsOf(got.tail.value, exact.tail.value, { at: tail, sizeOf: relative });
  const wrong = ['value', 'slope'].flatMap((of) =>
    ends.flatMap((x, index) => {
      const [is, should] = [got.ends[of][index], exact.ends[of][index]];
      const holds = is === should || Math.abs(is - should) <= 1e-7;
      return holds ? [] : [`${symbol(of)}(${x < 0 ? '−∞' : '∞'}) = ${is}`];
    }),
  );
  return [[`${worst.error.toExponential(1)}${where}`, ...wrong].join(', '), far.error.toExponential(1)];
}

function row(name) {
  const { curve } = parseActivation(name);
  const kernel = (x) => activate(x, { curve });
  const exact = {
    finite: both(kernel, finite, 'float64'),
    tail: both(kernel, tail, 'float64'),
    ends: both(kernel, ends, 'float64'),
  };
  const cells = [kernel, reference(curve), libtorch[name]].flatMap((body) => cellsOf(body, exact));
  return `| \`${name}\` | ${cells.join(' | ')} |`;
}

const { libtorch: version, capability } = engineInfo();
const head = ['', ...['kernel', 'composed', 'libtorch'].flatMap((each) => [each, 'tail'])];
const lines = [head.join(' | '), head.map(() => '---').join(' | ')].map((line) => `| ${line} |`);
process.stdout.write(
  `libtorch ${version}, ${capability}\n\n${[...lines, ...activationNames.map(row)].join('\n')}\n`,
);
