"""Writes test/golden/network-outputs.json: logits and input gradients of large networks, as torchvision's, timm's and
RobustBench's code computes them in PyTorch, in evaluation mode.

Weights and images are not stored: both sides draw them from a hash. With u(k, i) in [-1, 1) from the 32-bit hash of the
flat index i and the tensor's place k among the floating tensors of the state dict (`HASH`), all rounded to float32:

    weights of convolutions and linear layers   u sqrt(6 / fan-in)
    weights and biases of batch norms           gain + 0.25 u and 0.1 u, running means 0.1 u, running variances 1 + 0.5 u
    other biases                                0.1 u
    pixels, with k = 1000                       0.5 + 0.5 u

The gain is such that the images decide the logits, in networks of many layers too.

The results are float64; `float32Deviation` is how far PyTorch's own float32 is from them, over the largest value.

    python scripts/golden/network_outputs.py

needs torchvision, timm and robustbench.
"""

import copy
import importlib.metadata

import numpy
import timm.models.efficientnet as efficientnet
import torch
import torchvision.models.resnet as torchvision_resnet
from robustbench.model_zoo.architectures.resnet import PreActBlockV2, PreActResNet
from robustbench.model_zoo.architectures.wide_resnet import WideResNet
from torch import nn
from torch.nn import functional

from storage import write

CLASSES = 10
HASH = "h = i + 0x9e3779b9 k; h = (h ^ h>>16) 0x85ebca6b; h = (h ^ h>>13) 0xc2b2ae35; h ^= h>>16; u = h / 2^31 - 1"


def draw(k, count):
    with numpy.errstate(over="ignore"):
        h = numpy.arange(count, dtype=numpy.uint32) + numpy.uint32(k * 0x9E3779B9 & 0xFFFFFFFF)
        h = (h ^ (h >> 16)) * numpy.uint32(0x85EBCA6B)
        h = (h ^ (h >> 13)) * numpy.uint32(0xC2B2AE35)
        h ^= h >> 16
    return torch.from_numpy(h.astype(numpy.float64) / 2**31 - 1)


def fill(model, gain):
    floating = [(name, tensor) for name, tensor in model.state_dict().items() if tensor.is_floating_point()]
    for k, (name, tensor) in enumerate(floating):
        u = draw(k, tensor.numel()).reshape(tensor.shape)
        owner, _, kind = name.rpartition(".")
        is_norm = isinstance(model.get_submodule(owner), nn.BatchNorm2d)
        if kind == "running_var":
            values = 1 + 0.5 * u
        elif kind == "weight" and is_norm:
            values = gain + 0.25 * u
        elif kind == "weight":
            values = u * (6 / tensor[0].numel()) ** 0.5
        else:
            values = 0.1 * u
        tensor.copy_(values.float())


def measure(model, x, labels, dtype):
    model = copy.deepcopy(model).to(dtype)
    x = x.to(dtype).requires_grad_()
    logits = model(x)
    return logits.detach(), torch.autograd.grad(functional.cross_entropy(logits, labels), x)[0]


def deviation(double, single):
    return ((single.double() - double).abs().max() / double.abs().max()).item()


def entry(name, activation, gain, images, side, model, **setting):
    model.eval()
    with torch.no_grad():
        fill(model, gain)
    shape = [images, 3, side, side]
    x = (0.5 + 0.5 * draw(1000, images * 3 * side * side)).float().reshape(shape)
    labels = torch.tensor([3, 7][:images])
    logits, gradient = measure(model, x, labels, torch.float64)
    single = measure(model, x, labels, torch.float32)
    flat = gradient.flatten()
    positions = [(7 + 383 * j) % flat.numel() for j in range(32)]
    result = {
        "name": name,
        "activation": activation,
        **setting,
        "gain": gain,
        "images": images,
        "side": side,
        "labels": labels.tolist(),
        "logits": logits.tolist(),
        "gradient": {
            "largest": flat.abs().max().item(),
            "norm": flat.norm().item(),
            "positions": positions,
            "values": flat[positions].tolist(),
        },
        "float32Deviation": {"logits": deviation(logits, single[0]), "gradient": deviation(gradient, single[1])},
    }
    print(name, result["float32Deviation"], result["gradient"]["largest"], *(row[:3] for row in result["logits"]))
    return result


Bottleneck = torchvision_resnet.Bottleneck
networks = [
    entry("resnet50", "relu", 1, 2, 64, torchvision_resnet.ResNet(Bottleneck, [3, 4, 6, 3], num_classes=CLASSES)),
    entry("resnext50-32x4d", "relu", 1, 2, 64,
          torchvision_resnet.ResNet(Bottleneck, [3, 4, 6, 3], num_classes=CLASSES, groups=32, width_per_group=4)),
    entry("wideresnet28-10", "relu", 1, 1, 32, WideResNet(depth=28, widen_factor=10)),
    entry("preact-resnet18", "relu", 1, 2, 32,
          PreActResNet(PreActBlockV2, [2, 2, 2, 2], bn_before_fc=True, out_shortcut=True)),
    entry("efficientnet-b0", "silu", 1.1, 2, 64, efficientnet.efficientnet_b0(num_classes=CLASSES)),
    *(
        entry("efficientnet-b0", "silu", 1.1, 1, side, efficientnet.tf_efficientnet_b0(num_classes=CLASSES),
              padding="same", normEpsilon=1e-3)
        for side in (64, 65)
    ),
]  # fmt: skip
versions = {name: importlib.metadata.version(name) for name in ("torch", "torchvision", "timm")}
write("network-outputs", {**versions, "robustbench": "78fcc9e", "hash": HASH}, {"networks": networks})
