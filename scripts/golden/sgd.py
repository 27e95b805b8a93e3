"""Writes test/golden/sgd.json: five steps of SGD with Nesterov momentum on a small network, in float64.

The network is linear(3, 4), tanh, linear(4, 2) under mean cross-entropy. Weight decay applies to tensors of more than
one dimension, so to the weights and not to the biases. The learning rate changes between steps, which tells apart a
momentum buffer of gradients (PyTorch's) from one of steps.

    g' = g + decay w;  v = momentum v + g' (v = g' in the first step);  w = w - rate (g' + momentum v)

    python scripts/golden/sgd.py
"""

import torch
from torch import nn
from torch.nn import functional

from storage import exact, generator, stored, write

RATES = [0.1, 0.1, 0.2, 0.05, 0.0125]
MOMENTUM, WEIGHT_DECAY = 0.9, 0.01


def everything(tensors):
    return {name: stored(tensor) for name, tensor in tensors.items()}


random = generator("sgd")
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
named = dict(model.named_parameters())
with torch.no_grad():
    for parameter in named.values():
        parameter.copy_(exact(tuple(parameter.shape), random, -1, 1))
x, labels = exact((5, 3), random), torch.tensor([0, 1, 1, 0, 1])
initial = everything(named)

optimizer = torch.optim.SGD(
    [
        {"params": [p for p in named.values() if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in named.values() if p.dim() <= 1], "weight_decay": 0.0},
    ],
    lr=RATES[0],
    momentum=MOMENTUM,
    nesterov=True,
)
steps = []
for rate in RATES:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss = functional.cross_entropy(model(x), labels)
    loss.backward()
    optimizer.step()
    steps.append(
        {
            "learningRate": rate,
            "loss": loss.item(),
            "gradients": everything({name: p.grad for name, p in named.items()}),
            "parameters": everything(named),
            "momentum": everything({name: optimizer.state[p]["momentum_buffer"] for name, p in named.items()}),
        }
    )

header = {
    "torch": torch.__version__,
    "network": "linear(3, 4), tanh, linear(4, 2), mean cross-entropy",
    "momentum": MOMENTUM,
    "nesterov": True,
    "weightDecay": WEIGHT_DECAY,
    "decayed": [name for name, parameter in named.items() if parameter.dim() > 1],
    "images": stored(x),
    "labels": labels.tolist(),
    "initial": initial,
}
write("sgd", header, {"steps": steps})
