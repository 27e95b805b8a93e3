"""Writes test/golden/pgd.json: every iterate of PGD on a small fixed network, in float64, from a given start.

The network is conv2d(2, 3, 3x3, padding 1, bias), SiLU, flatten, linear(48, 3); the loss is cross-entropy.
    step, L-infinity   x' + a sign(g)
    step, L2           x' + a g / ||g||, the norm over one example
    then               projection to the ball around x, then clipping to [0, 1]
with a = 2.5 epsilon / k. The start lies in the ball and in the box already. Some pixels of x are 0 or 1, so the box cuts.

    python scripts/golden/pgd.py
"""

import torch
from torch.nn import functional

from storage import exact, generator, stored, write

random = generator("pgd")
WEIGHTS = {
    "conv.weight": exact((3, 2, 3, 3), random, -1, 1),
    "conv.bias": exact((3,), random, -0.5, 0.5),
    "linear.weight": exact((3, 48), random, -0.25, 0.25),
    "linear.bias": torch.zeros(3, dtype=torch.float64),
}
IMAGES = exact((4, 2, 4, 4), random, 0, 1)
IMAGES[:, 0, 0, :] = 0
IMAGES[:, 1, 3, :] = 1
EPSILONS = {"linf": 8 / 255, "l2": 0.5}


def classify(x):
    weights = {name: tensor.to(x.dtype) for name, tensor in WEIGHTS.items()}
    hidden = functional.silu(functional.conv2d(x, weights["conv.weight"], weights["conv.bias"], padding=1))
    return functional.linear(hidden.flatten(1), weights["linear.weight"], weights["linear.bias"])


# The bias balances the classes, in steps that float32 holds: several labels, and some examples that an attack breaks.
WEIGHTS["linear.bias"] -= (classify(IMAGES).mean(0) * 1024).round() / 1024
LABELS = classify(IMAGES).argmax(1)


def lengths(delta):
    return delta.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)


def project(x, moved, norm, epsilon):
    delta = moved - x
    if norm == "linf":
        delta = delta.clamp(-epsilon, epsilon)
    else:
        delta = delta * (epsilon / lengths(delta)).clamp(max=1)
    return (x + delta).clamp(0, 1)


def descend(x, start, norm, steps):
    """Start and iterates: steps + 1 tensors."""
    epsilon = EPSILONS[norm]
    iterates = [start]
    for _ in range(steps):
        moved = iterates[-1].clone().requires_grad_()
        loss = functional.cross_entropy(classify(moved), LABELS, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, moved)
        direction = gradient.sign() if norm == "linf" else gradient / lengths(gradient)
        iterates.append(project(x, moved.detach() + 2.5 * epsilon / steps * direction, norm, epsilon))
    return iterates


def runs():
    for norm, epsilon in EPSILONS.items():
        noise = exact(tuple(IMAGES.shape), random, -1, 1)
        reach = epsilon * noise if norm == "linf" else 0.9 * epsilon * noise / lengths(noise)
        start = project(IMAGES, IMAGES + reach, norm, epsilon)
        for steps in (1, 3, 10):
            iterates = descend(IMAGES, start, norm, steps)
            for double, single in zip(iterates, descend(IMAGES.float(), start.float(), norm, steps), strict=True):
                # No gradient is so near zero that float32 turns its sign: a float32 engine can be tested too.
                assert (double - single).abs().max() < 1e-5, (norm, steps)
            yield {
                "norm": norm,
                "epsilon": epsilon,
                "steps": steps,
                "stepSize": 2.5 * epsilon / steps,
                "start": stored(start),
                "iterates": [stored(iterate) for iterate in iterates[1:]],
                "misclassified": [(classify(iterate).argmax(1) != LABELS).tolist() for iterate in iterates],
            }


header = {
    "torch": torch.__version__,
    "network": "conv2d(2, 3, 3x3, padding 1, bias), silu, flatten, linear(48, 3)",
    "weights": {name: stored(tensor) for name, tensor in WEIGHTS.items()},
    "images": stored(IMAGES),
    "labels": LABELS.tolist(),
    "cleanLogits": stored(classify(IMAGES)),
}
write("pgd", header, {"runs": list(runs())})
