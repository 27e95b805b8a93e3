"""Writes test/golden/networks.json: logits, loss and gradients of small residual networks, as PyTorch computes them.

Weights and images are not stored: both sides compute them by the formula in the file's header, in float64, rounded to
float32. The results are float64; `float32Deviation` is how far PyTorch's own float32 is from them (largest difference
over largest value), which shows what tolerance a test may ask for.

    python scripts/golden/networks.py
"""

import copy
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from residual import CifarResNet, PreActResNet18
from storage import write

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "peer"))
from resnet import ResNet18  # noqa: E402

LABELS = [3, 7]
FORMULA = {
    "value": "w[i] = f(sin(0.7 i + k)), i the flat index, k the position among the floating tensors of the state dict; "
    "computed in float64, rounded to float32",
    "convolution and linear weight": "sin / sqrt(fanIn)",
    "linear bias": "0.1 sin",
    "batch norm": "weight 1 + 0.1 sin, bias 0.1 sin, running_mean 0.1 sin, running_var 1 + 0.5 |sin|",
    "images": "x[i] = 0.5 + 0.5 sin(0.3 i), shape [2, 3, 32, 32], rounded to float32",
}


def floating(model):
    return [(name, tensor) for name, tensor in model.state_dict().items() if tensor.is_floating_point()]


def fill(model):
    """Sets every weight and running statistic by the formula."""
    for k, (name, tensor) in enumerate(floating(model)):
        wave = torch.sin(0.7 * torch.arange(tensor.numel(), dtype=torch.float64) + k).reshape(tensor.shape)
        owner, _, kind = name.rpartition(".")
        if kind == "running_var":
            values = 1 + 0.5 * wave.abs()
        elif kind == "weight" and isinstance(model.get_submodule(owner), nn.BatchNorm2d):
            values = 1 + 0.1 * wave
        elif kind == "weight":
            values = wave / tensor[0].numel() ** 0.5
        else:
            values = 0.1 * wave
        tensor.copy_(values.float())


def measure(model, dtype, training):
    """Logits, loss and gradients of a copy of the model in `dtype`, and its batch-norm statistics afterwards."""
    model = copy.deepcopy(model).to(dtype).train(training)
    count = 2 * 3 * 32 * 32
    x = (0.5 + 0.5 * torch.sin(0.3 * torch.arange(count, dtype=torch.float64))).float().to(dtype)
    x = x.reshape(2, 3, 32, 32).requires_grad_()
    logits = model(x)
    loss = functional.cross_entropy(logits, torch.tensor(LABELS))
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradient, *rest = torch.autograd.grad(loss, [x, *parameters])
    statistics = {name: tensor for name, tensor in floating(model) if ".running_" in f".{name}"}
    return logits.detach(), loss.detach(), gradient, dict(zip(names, rest, strict=True)), statistics


def deviation(double, single):
    return ((single.double() - double).abs().max() / double.abs().max()).item()


def summary(model, training):
    logits, loss, gradient, gradients, statistics = measure(model, torch.float64, training)
    single = measure(model, torch.float32, training)
    flat = gradient.flatten()
    positions = [(7 + 383 * j) % flat.numel() for j in range(16)]
    result = {
        "logits": logits.tolist(),
        "loss": loss.item(),
        "inputGradient": {
            "sum": flat.sum().item(),
            "absoluteSum": flat.abs().sum().item(),
            "first": flat[:16].tolist(),
            "positions": positions,
            "atPositions": flat[positions].tolist(),
        },
        "float32Deviation": {
            "logits": deviation(logits, single[0]),
            "inputGradient": deviation(gradient, single[2]),
            "parameterGradients": max(deviation(gradients[name], single[3][name]) for name in gradients),
        },
        "parameterGradients": {
            name: {"sum": value.sum().item(), "norm": value.norm().item()} for name, value in gradients.items()
        },
    }
    if training:
        result["statisticsAfter"] = {name: {"sum": value.sum().item()} for name, value in statistics.items()}
    return result


def network(name, widthFactor, build):
    for activation in (functional.relu, functional.silu):
        model = build(activation)
        with torch.no_grad():
            fill(model)
        yield {
            "name": name,
            "activation": activation.__name__,
            "widthFactor": widthFactor,
            "parameterCount": sum(parameter.numel() for parameter in model.parameters()),
            "state": [{"name": key, "shape": list(value.shape)} for key, value in model.state_dict().items()],
            "evaluation": summary(model, training=False),
            "training": summary(model, training=True),
        }


networks = [
    *network("resnet20", 1, CifarResNet),
    *network("resnet18", 0.25, lambda activation: ResNet18(16, activation)),
    *network("preact-resnet18", 0.25, lambda activation: PreActResNet18(activation, 16)),
]
for item in networks:
    print(item["name"], item["activation"], item["parameterCount"], item["evaluation"]["float32Deviation"],
          item["training"]["float32Deviation"])  # fmt: skip
write("networks", {"torch": torch.__version__, "formula": FORMULA, "labels": LABELS}, {"networks": networks})
