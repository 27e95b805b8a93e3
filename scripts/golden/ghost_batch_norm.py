"""Writes test/golden/ghost-batch-norm.json: SiLU(batch norm(x) + residual) of a batch that is split into groups.

Each group goes through PyTorch's batch norm as a batch of its own, and the outputs are put together again. The running
statistics are the mean of what each group makes of those before. Gradients are of the sum of upstream times output.

    python scripts/golden/ghost_batch_norm.py
"""

import torch
from torch.nn import functional

from storage import exact, generator, stored, write

MOMENTUM, EPSILON = 0.1, 1e-5
SHAPE = (6, 3, 2, 4)


def case(group, random):
    x, residual = (exact(SHAPE, random).requires_grad_() for _ in range(2))
    upstream = exact(SHAPE, random)
    weight, bias = exact((3,), random, 0, 2).requires_grad_(), exact((3,), random).requires_grad_()
    mean, variance = exact((3,), random), exact((3,), random, 0, 2)
    outputs, means, variances = [], [], []
    for part, beside in zip(x.split(group), residual.split(group), strict=True):
        own_mean, own_variance = mean.clone(), variance.clone()
        normed = functional.batch_norm(part, own_mean, own_variance, weight, bias, True, MOMENTUM, EPSILON)
        outputs.append(functional.silu(normed + beside))
        means.append(own_mean)
        variances.append(own_variance)
    output = torch.cat(outputs)
    inputs = {"x": x, "residual": residual, "weight": weight, "bias": bias}
    slopes = torch.autograd.grad((output * upstream).sum(), list(inputs.values()))
    return {
        "group": group,
        "upstream": stored(upstream),
        **{name: stored(tensor) for name, tensor in inputs.items()},
        "mean": stored(mean),
        "variance": stored(variance),
        "output": stored(output),
        "slopes": {name: stored(slope) for name, slope in zip(inputs, slopes, strict=True)},
        "meanAfter": stored(torch.stack(means).mean(0)),
        "varianceAfter": stored(torch.stack(variances).mean(0)),
    }


random = generator("ghost batch norm")
write("ghost-batch-norm", {"torch": torch.__version__}, {"cases": [case(group, random) for group in (1, 2, 3, 6)]})
