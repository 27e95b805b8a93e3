"""Writes test/golden/adam.json: ten steps of Adam, AdamW, and both with clipped gradients, in float64.

The network is that of sgd.py: linear(3, 4), tanh, linear(4, 2) under mean cross-entropy. Weight decay applies to tensors
of more than one dimension. The learning rate changes from step to step. Clipping is torch.nn.utils.clip_grad_norm_; its
limit lies between the norms of the steps, so that some are scaled and some are not. Each case keeps its first and its
last step.

    python scripts/golden/adam.py
"""

import torch
from torch import nn
from torch.nn import functional

from storage import exact, generator, stored, write

RATES = [0.1, 0.1, 0.2, 0.05, 0.0125, 0.1, 0.3, 0.02, 0.01, 0.1]
BETAS, EPSILON = (0.9, 0.99), 1e-6

random = generator("adam")
X, LABELS = exact((5, 3), random), torch.tensor([0, 1, 1, 0, 1])
INITIAL = [exact(shape, random, -1, 1) for shape in [(4, 3), (4,), (2, 4), (2,)]]


def everything(tensors):
    return {name: stored(tensor) for name, tensor in tensors.items()}


def case(name, rule, decay, limit):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    named = dict(model.named_parameters())
    with torch.no_grad():
        for parameter, value in zip(named.values(), INITIAL):
            parameter.copy_(value)
    optimizer = rule(
        [
            {"params": [p for p in named.values() if p.dim() > 1], "weight_decay": decay},
            {"params": [p for p in named.values() if p.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=RATES[0],
        betas=BETAS,
        eps=EPSILON,
    )
    steps = []
    for rate in RATES:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(X), LABELS)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(named.values(), limit or float("inf"))
        gradients = everything({name: p.grad for name, p in named.items()})
        optimizer.step()
        steps.append(
            {
                "loss": loss.item(),
                "norm": norm.item(),
                "gradients": gradients,
                "parameters": everything(named),
                "mean": everything({name: optimizer.state[p]["exp_avg"] for name, p in named.items()}),
                "square": everything({name: optimizer.state[p]["exp_avg_sq"] for name, p in named.items()}),
            }
        )
    norms = [step["norm"] for step in steps]
    if limit is not None:
        assert min(norms) < limit < max(norms), (limit, norms)
    return {
        "name": name,
        "decoupled": rule is torch.optim.AdamW,
        "weightDecay": decay,
        "clipNorm": limit,
        "norms": norms,
        "first": steps[0],
        "last": steps[-1],
    }


header = {
    "torch": torch.__version__,
    "network": "linear(3, 4), tanh, linear(4, 2), mean cross-entropy",
    "beta1": BETAS[0],
    "beta2": BETAS[1],
    "epsilon": EPSILON,
    "learningRates": RATES,
    "images": stored(X),
    "labels": LABELS.tolist(),
    "initial": dict(zip(["0.weight", "0.bias", "2.weight", "2.bias"], map(stored, INITIAL))),
}
cases = [
    case("Adam", torch.optim.Adam, 0.0, None),
    case("Adam with a penalty", torch.optim.Adam, 0.05, None),
    case("AdamW", torch.optim.AdamW, 0.05, None),
    case("AdamW of clipped gradients", torch.optim.AdamW, 0.05, 0.5),
]
write("adam", header, {"cases": cases})
