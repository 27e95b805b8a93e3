"""Writes test/golden/activations.json: each activation's value, slope and slopes of its coefficients, computed with 50 digits.

Points and coefficients are exact in float32. At a kink the slope is the left one, which gradients take. At infinity stand
limits; numbers that JSON cannot write are strings. Also tells how far PyTorch's own operators are off in float32.

    python scripts/golden/activations.py
"""

import random

import mpmath
import numpy
import torch
from mpmath import mp, mpf
from torch.nn import functional

from storage import write

mp.dps = 50
INFINITY = mpf("inf")


def single(value):
    return mpf(float(numpy.float32(value)))


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def cubic(x):
    return 2 * mp.sqrt(2 / mp.pi) * (x + mpf("0.044715") * x**3)


def cubic_slope(x):
    return 2 * mp.sqrt(2 / mp.pi) * (1 + 3 * mpf("0.044715") * x**2)


def gate(x):
    return mp.tanh(mp.log1p(mp.exp(x)))


class Function:
    """f(x, a, b), f' and the slopes of a and b; `high` and `low` are all of these at the infinities."""

    def __init__(self, value, slope, coefficients=(), high=None, low=None, kink=False):
        self.value, self.slope, self.coefficients, self.kink = value, slope, coefficients, kink
        self.limits = {INFINITY: high, -INFINITY: low}

    def at(self, x, a, b):
        if mp.isnan(x):
            return [x] * (2 + len(self.coefficients))
        if mp.isinf(x):
            return [mpf(each) for each in self.limits[x](a, b)]
        result = [each(x, a, b) for each in (self.value, self.slope, *self.coefficients)]
        if not (self.kink and x == 0):
            self.check(x, a, b, result)
        return result

    def check(self, x, a, b, result):
        """The slopes are those of the value: numerical derivatives with more digits."""
        with mp.workdps(120):
            numerical = [mp.diff(lambda t: self.value(t, a, b), x, h=mpf(10) ** -60)]
            numerical += [mp.diff(lambda t: self.value(x, t, b), a, h=mpf(10) ** -60)][: len(self.coefficients)]
            numerical += [mp.diff(lambda t: self.value(x, a, t), b, h=mpf(10) ** -60)][: len(self.coefficients) - 1]
        for closed, found in zip(result[1:], numerical):
            assert abs(closed - found) <= mpf(10) ** -30 * (1 + abs(found)), (x, a, b, closed, found)


FUNCTIONS = {
    "identity": Function(lambda x, a, b: x, lambda x, a, b: mpf(1), (), lambda a, b: ("inf", 1), lambda a, b: ("-inf", 1)),
    "relu": Function(
        lambda x, a, b: max(x, mpf(0)),
        lambda x, a, b: mpf(x > 0),
        high=lambda a, b: ("inf", 1),
        low=lambda a, b: (0, 0),
        kink=True,
    ),
    "silu": Function(
        lambda x, a, b: x * sigmoid(x),
        lambda x, a, b: sigmoid(x) + x * sigmoid(x) * sigmoid(-x),
        high=lambda a, b: ("inf", 1),
        low=lambda a, b: (0, 0),
    ),
    "leaky-relu": Function(
        lambda x, a, b: x if x > 0 else a * x,
        lambda x, a, b: mpf(1) if x > 0 else a,
        (lambda x, a, b: min(x, mpf(0)),),
        lambda a, b: ("inf", 1, 0),
        lambda a, b: ("-inf", a, "-inf"),
        kink=True,
    ),
    "softplus": Function(
        lambda x, a, b: mp.log1p(mp.exp(a * x)) / a,
        lambda x, a, b: sigmoid(a * x),
        (lambda x, a, b: x * sigmoid(a * x) / a - mp.log1p(mp.exp(a * x)) / a**2,),
        lambda a, b: ("inf", 1, 0),
        lambda a, b: (0, 0, 0),
    ),
    "gelu": Function(
        lambda x, a, b: x * mp.erfc(-x / mp.sqrt(2)) / 2,
        lambda x, a, b: mp.erfc(-x / mp.sqrt(2)) / 2 + x * mp.npdf(x),
        high=lambda a, b: ("inf", 1),
        low=lambda a, b: (0, 0),
    ),
    "gelu-tanh": Function(
        lambda x, a, b: x * sigmoid(cubic(x)),
        lambda x, a, b: sigmoid(cubic(x)) + x * sigmoid(cubic(x)) * sigmoid(-cubic(x)) * cubic_slope(x),
        high=lambda a, b: ("inf", 1),
        low=lambda a, b: (0, 0),
    ),
    "elu": Function(
        lambda x, a, b: x if x > 0 else a * mp.expm1(x),
        lambda x, a, b: mpf(1) if x > 0 else a * mp.exp(x),
        (lambda x, a, b: mp.expm1(min(x, mpf(0))),),
        lambda a, b: ("inf", 1, 0),
        lambda a, b: (-a, 0, -1),
        kink=True,
    ),
    "celu": Function(
        lambda x, a, b: x if x > 0 else a * mp.expm1(x / a),
        lambda x, a, b: mp.exp(min(x, mpf(0)) / a),
        (lambda x, a, b: mp.expm1(min(x, mpf(0)) / a) - min(x, mpf(0)) / a * mp.exp(min(x, mpf(0)) / a),),
        lambda a, b: ("inf", 1, 0),
        lambda a, b: (-a, 0, -1),
        kink=True,
    ),
    "mish": Function(
        lambda x, a, b: x * gate(x),
        lambda x, a, b: gate(x) + x * sigmoid(x) * mp.sech(mp.log1p(mp.exp(x))) ** 2,
        high=lambda a, b: ("inf", 1),
        low=lambda a, b: (0, 0),
    ),
    "smooth-relu": Function(
        lambda x, a, b: x - mp.log1p(a * x) / a if x > 0 else mpf(0),
        lambda x, a, b: a * x / (1 + a * x) if x > 0 else mpf(0),
        (lambda x, a, b: mp.log1p(a * x) / a**2 - x / (a * (1 + a * x)) if x > 0 else mpf(0),),
        lambda a, b: ("inf", 1, "inf"),
        lambda a, b: (0, 0, 0),
        kink=True,
    ),
    "psilu": Function(
        lambda x, a, b: x * sigmoid(a * x),
        lambda x, a, b: sigmoid(a * x) + a * x * sigmoid(a * x) * sigmoid(-a * x),
        (lambda x, a, b: x**2 * sigmoid(a * x) * sigmoid(-a * x),),
        lambda a, b: ("inf", 1, 0),
        lambda a, b: (0, 0, 0),
    ),
    "pssilu": Function(
        lambda x, a, b: x * (sigmoid(a * x) - b) / (1 - b),
        lambda x, a, b: (sigmoid(a * x) + a * x * sigmoid(a * x) * sigmoid(-a * x) - b) / (1 - b),
        (
            lambda x, a, b: x**2 * sigmoid(a * x) * sigmoid(-a * x) / (1 - b),
            lambda x, a, b: x * (sigmoid(a * x) - 1) / (1 - b) ** 2,
        ),
        lambda a, b: ("inf", 1, 0, 0),
        lambda a, b: ("inf", -b / (1 - b), 0, "inf") if b > 0 else (0, 0, 0, "inf"),
    ),
}

# kind, a, b
CASES = [
    ("identity", 0, 0),
    ("relu", 0, 0),
    ("silu", 0, 0),
    ("leaky-relu", 0.01, 0),
    ("leaky-relu", 0.25, 0),
    ("softplus", 1, 0),
    ("softplus", 10, 0),
    ("softplus", 0.5, 0),
    ("gelu", 0, 0),
    ("gelu-tanh", 0, 0),
    ("elu", 1, 0),
    ("elu", 1.7, 0),
    ("celu", 1, 0),
    ("celu", 2, 0),
    ("mish", 0, 0),
    ("smooth-relu", 400, 0),
    ("smooth-relu", 1, 0),
    ("smooth-relu", 1e4, 0),
    ("psilu", 1, 0),
    ("psilu", 2.5, 0),
    ("pssilu", 1, 1e-8),
    ("pssilu", 1.5, 0.25),
    ("pssilu", 1, 0),
]

# How PyTorch computes the same; None where it has no operator.
LIBTORCH = {
    "relu": lambda x, a: functional.relu(x),
    "silu": lambda x, a: functional.silu(x),
    "leaky-relu": lambda x, a: functional.leaky_relu(x, a),
    "softplus": lambda x, a: functional.softplus(x, a),
    "gelu": lambda x, a: functional.gelu(x),
    "gelu-tanh": lambda x, a: functional.gelu(x, approximate="tanh"),
    "elu": lambda x, a: functional.elu(x, a),
    "celu": lambda x, a: functional.celu(x, a),
    "mish": lambda x, a: functional.mish(x),
    "smooth-relu": lambda x, a: torch.relu(x) - torch.log1p(a * torch.relu(x)) / a,
    "psilu": lambda x, a: x * torch.sigmoid(a * x),
}


def points():
    """Those where something could go wrong, and 60 at random."""
    chosen = [mpf(0)]
    for size in (1e-8, 1e-4, 1, 5, 10, 20, 100, 1e4):
        chosen += [single(size), single(-size)]
    chosen += [INFINITY, -INFINITY, mpf("nan")]
    source = random.Random(3)
    chosen += [single(source.uniform(-6, 6)) for _ in range(30)]
    chosen += [single(source.uniform(-30, 30)) for _ in range(15)]
    chosen += [single(source.choice((-1, 1)) * 10 ** source.uniform(-6, 3)) for _ in range(15)]
    return chosen


def written(value):
    if mp.isnan(value):
        return "NaN"
    if mp.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def libtorch_errors(name, a, where, values, slopes):
    """Prints the largest errors of PyTorch's operator in float32, with the point, and where it gives NaN."""
    x = torch.tensor([float(each) for each in where], dtype=torch.float32, requires_grad=True)
    y = LIBTORCH[name](x, float(a))
    (slope,) = torch.autograd.grad(y.sum(), x)
    said = []
    for title, actual, expected in (("value", y, values), ("slope", slope, slopes)):
        worst, nan = (0, None, 0), []
        for point, is_, should in zip(where, actual.tolist(), expected):
            if is_ != is_ and not mp.isnan(should):
                nan.append(mp.nstr(point, 6))
            elif not (mp.isinf(should) or mp.isnan(should) or abs(should) < mpf(10) ** -8):
                error = abs(mpf(is_) - should)
                worst = max(worst, (error / abs(should), point, error), key=lambda each: each[0])
        relative, point, absolute = worst
        at = "" if point is None else f" at {mp.nstr(point, 6)} (absolute {mp.nstr(absolute, 2)})"
        said.append(f"{title} {mp.nstr(mpf(relative), 2)}{at}" + (f", NaN at {', '.join(nan)}" if nan else ""))
    print(f"{name} {mp.nstr(a, 6)}: {'; '.join(said)}")


def main():
    where = points()
    cases = []
    print(f"PyTorch {torch.__version__} in float32, largest relative error where the result is above 1e-8:")
    for name, a, b in CASES:
        a, b = single(a), single(b)
        with mp.workdps(120):
            rows = [FUNCTIONS[name].at(x, a, b) for x in where]
        columns = [list(column) for column in zip(*rows)]
        if name in LIBTORCH:
            libtorch_errors(name, a, where, columns[0], columns[1])
        value, slope, *coefficients = [[written(each) for each in column] for column in columns]
        if name == "identity":  # 1 everywhere, at NaN too
            slope = [1.0] * len(where)
        case = {"kind": name, "a": float(a), "b": float(b), "value": value, "slope": slope, "coefficients": coefficients}
        cases.append(case)
    header = {"mpmath": mpmath.__version__, "digits": 50, "points": [written(x) for x in where]}
    write("activations", header, {"cases": cases})


main()
