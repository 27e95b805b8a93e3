"""Writes test/golden/schedules.json: learning rates before each step, and at the end of the last.

With e = step / stepsPerEpoch, peak the learning rate, W the warm-up and E the length, both in epochs:
    warm-up    first + (peak - first) e / W while e < W, first the rate it starts from; none if first is not below peak
    constant   peak
    step       peak factor^n, n the number of milestones that are at most e
    cosine     final + (peak - final) (1 + cos(pi (e - W) / (E - W))) / 2
    one-cycle  peak + (final - peak) (e - W) / (E - W); with final 0 this is PyTorch's CyclicLR from 0, one period

The formulas are checked against PyTorch's own schedulers, which count in steps.

    python scripts/golden/schedules.py
"""

import math

import torch
from torch.optim import lr_scheduler

from storage import write


def rate(schedule, epochs, e):
    peak, warmup, first = schedule["learningRate"], schedule["warmup"], schedule.get("warmupFrom", 0)
    if first >= peak:
        warmup = 0
    if e < warmup:
        return first + (peak - first) * e / warmup
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
    # the released code's (ResNet/main.py): from 0.1 to 0.1 per 256 images over 5 epochs by step, none where that is 0.1
    case(8, 4, name="step", learningRate=0.4, warmup=5, warmupFrom=0.1, milestones=[6, 7], factor=0.1),
    case(8, 4, name="step", learningRate=0.1, warmup=5, warmupFrom=0.1, milestones=[6, 7], factor=0.1),
    case(6, 4, name="one-cycle", learningRate=0.2, warmup=3, warmupFrom=0.02, final=0.02),
    case(4, 5, name="cosine", learningRate=0.1, warmup=1, warmupFrom=0.3, final=0),
]
MILESTONES = [24, 28]
ORACLES = {  # by case
    0: lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [10, 15], gamma=0.1),
    1: lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=0.001),
    2: lambda optimizer: lr_scheduler.CyclicLR(
        optimizer, 0, 0.2, step_size_up=12, step_size_down=12, cycle_momentum=False
    ),
    10: lambda optimizer: lr_scheduler.ChainedScheduler(
        [
            lr_scheduler.LinearLR(optimizer, start_factor=0.25, end_factor=1, total_iters=20),
            lr_scheduler.MultiStepLR(optimizer, MILESTONES, gamma=0.1),
        ]
    ),
    11: lambda optimizer: lr_scheduler.MultiStepLR(optimizer, MILESTONES, gamma=0.1),
    12: lambda optimizer: lr_scheduler.CyclicLR(
        optimizer, 0.02, 0.2, step_size_up=12, step_size_down=12, cycle_momentum=False
    ),
    13: lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 20),
}
for which, build in ORACLES.items():
    item = CASES[which]
    for ours, theirs in zip(item["learningRates"], pytorch(item, build), strict=True):
        assert abs(ours - theirs) < 1e-12, (item["schedule"], ours, theirs)
write("schedules", {"torch": torch.__version__}, {"cases": CASES})
