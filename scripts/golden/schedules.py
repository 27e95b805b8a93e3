"""Writes test/golden/schedules.json: learning rates before each step, and at the end of the last.

With e = step / stepsPerEpoch, peak the learning rate, W the warm-up and E the length, both in epochs:
    warm-up    peak e / W while e < W
    constant   peak
    step       peak factor^n, n the number of milestones that are at most e
    cosine     final + (peak - final) (1 + cos(pi (e - W) / (E - W))) / 2
    one-cycle  peak + (final - peak) (e - W) / (E - W); with final 0 this is PyTorch's CyclicLR from 0, one period

The formulas are checked against PyTorch's own schedulers, which have no warm-up and count in steps.

    python scripts/golden/schedules.py
"""

import math

import torch
from torch.optim import lr_scheduler

from storage import write


def rate(schedule, epochs, e):
    peak, warmup = schedule["learningRate"], schedule["warmup"]
    if e < warmup:
        return peak * e / warmup
    done = (e - warmup) / (epochs - warmup)
    match schedule["name"]:
        case "constant":
            return peak
        case "step":
            return peak * schedule["factor"] ** sum(milestone <= e for milestone in schedule["milestones"])
        case "cosine":
            return schedule["final"] + (peak - schedule["final"]) * (1 + math.cos(math.pi * done)) / 2
        case "one-cycle":
            return peak + (schedule["final"] - peak) * done


def case(epochs, steps_per_epoch, **schedule):
    total = epochs * steps_per_epoch
    rates = [rate(schedule, epochs, step / steps_per_epoch) for step in range(total + 1)]
    return {"epochs": epochs, "stepsPerEpoch": steps_per_epoch, "schedule": schedule, "learningRates": rates}


def pytorch(item, build):
    """The learning rates that a scheduler of PyTorch gives for the same number of steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=item["schedule"]["learningRate"], momentum=0.9)
    scheduler = build(optimizer)
    rates = []
    for _ in item["learningRates"]:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


CASES = [
    case(4, 5, name="step", learningRate=0.1, warmup=0, milestones=[2, 3], factor=0.1),
    case(4, 5, name="cosine", learningRate=0.1, warmup=0, final=0.001),
    case(6, 4, name="one-cycle", learningRate=0.2, warmup=3, final=0),
    case(3, 3, name="constant", learningRate=0.05, warmup=0),
    case(3, 4, name="constant", learningRate=0.05, warmup=0.5),
    case(4, 5, name="step", learningRate=0.1, warmup=1, milestones=[2, 3.5], factor=0.5),
    case(4, 5, name="cosine", learningRate=0.1, warmup=0.75, final=0),
    case(4, 5, name="cosine", learningRate=0.1, warmup=1, final=0.01),
    case(5, 4, name="one-cycle", learningRate=0.2, warmup=1.5, final=0.02),
    case(1, 1, name="cosine", learningRate=0.1, warmup=0, final=0),
]
ORACLES = [
    lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [10, 15], gamma=0.1),
    lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=0.001),
    lambda optimizer: lr_scheduler.CyclicLR(optimizer, 0, 0.2, step_size_up=12, step_size_down=12, cycle_momentum=False),
]
for item, build in zip(CASES, ORACLES, strict=False):
    for ours, theirs in zip(item["learningRates"], pytorch(item, build), strict=True):
        assert abs(ours - theirs) < 1e-12, (item["schedule"], ours, theirs)
write("schedules", {"torch": torch.__version__}, {"cases": CASES})
