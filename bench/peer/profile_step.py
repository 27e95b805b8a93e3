"""Where the time of the PyTorch step of train_step.py goes: shares of convolution, batch norm, activation, optimiser.

    python bench/peer/profile_step.py --width 16 --activation silu --variant channels-last [--steps 3] [--threads 2]

Prints one line of JSON: milliseconds a step and the share of each kind of operator (self time on the main thread). In a
compiled step batch norm, activation, residual sum and optimiser share generated kernels: together they are `fused`.
"""

import argparse
import json
import time

import torch
from torch.profiler import ProfilerActivity, profile

from train_step import ACTIVATIONS, VARIANTS, setup

# The first kind one of whose words occurs in an operator's name is its kind.
KINDS = {
    "fused": ("CompiledFxGraph",),
    "convolution": ("convolution", "conv2d"),
    "batch norm": ("batch_norm",),
    "optimiser": ("_foreach", "Optimizer"),
    "activation": ("relu", "threshold", "silu", "clamp_min"),
    "linear, pooling, loss": ("addmm", "linear", "mean", "avg_pool", "log_softmax", "nll_loss", "aten::mm", "expand", "div"),
    "attack arithmetic": ("rand", "uniform", "clamp", "sign", "minimum", "maximum"),
    "additions, copies": ("add", "sub", "mul", "copy", "clone", "contiguous", "empty", "zero", "fill", "ones"),
}


def kind_of(name):
    for kind, words in KINDS.items():
        if any(word in name for word in words):
            return kind
    return "rest"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--activation", choices=list(ACTIVATIONS), default="relu")
    parser.add_argument("--variant", choices=VARIANTS, default="channels-last")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3)
    options = vars(parser.parse_args())
    steps = options.pop("steps")
    torch.set_num_interop_threads(1)
    step, _ = setup(options)
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        begun = time.perf_counter()
        step.run(steps)
        seconds = time.perf_counter() - begun
    totals = {}
    for event in recorded.key_averages():
        kind = kind_of(event.key)
        totals[kind] = totals.get(kind, 0) + event.self_cpu_time_total
    whole = sum(totals.values())
    shares = {kind: round(total / whole, 3) for kind, total in sorted(totals.items(), key=lambda pair: -pair[1])}
    print(json.dumps({**options, "millisecondsPerStep": round(1000 * seconds / steps, 1), "shares": shares}))


if __name__ == "__main__":
    main()
