"""Writes test/golden/network-counts.json: parameters, multiplications and names of every network of Satin, as the libraries
have them that the networks come from.

MACs are those of convolutions and linear layers for one image: numbers of the output times weights for each. They are
counted by hooks as a forward pass goes, on PyTorch's meta device, which computes nothing. `state` is the SHA-256 of the
lines `name [shape]` of the state dict, in its order.

    python scripts/golden/network_counts.py

needs torchvision, timm and robustbench.
"""

import hashlib
import importlib.metadata

import timm.models.efficientnet as efficientnet
import torch
import torchvision.models.resnet as torchvision_resnet
from robustbench.model_zoo.architectures.resnet import BasicBlock, PreActBlockV2, PreActResNet, ResNet
from robustbench.model_zoo.architectures.wide_resnet import WideResNet
from torch import nn

from residual import CifarResNet
from storage import write

Bottleneck, Basic = torchvision_resnet.Bottleneck, torchvision_resnet.BasicBlock


def imagenet(block, layers, **options):
    return lambda: torchvision_resnet.ResNet(block, layers, **options)


def scaled(name, channels=None, depth=None):
    """timm's own function where it has one, else its generator."""
    if channels is None:
        return lambda: getattr(efficientnet, name)()
    return lambda: efficientnet._gen_efficientnet(name, channel_multiplier=channels, depth_multiplier=depth)


resnext = {"groups": 32}
FIFTY, DEEP = [3, 4, 6, 3], [3, 8, 36, 3]
NETWORKS = [
    *((f"resnet{6 * n + 2}", "He et al., 2016, 4.2", [32], lambda n=n: CifarResNet(torch.relu, blocks=n)) for n in (1, 3, 5, 9)),
    ("resnet18", "robustbench", [32], lambda: ResNet(BasicBlock, [2, 2, 2, 2])),
    ("preact-resnet18", "robustbench", [32],
     lambda: PreActResNet(PreActBlockV2, [2, 2, 2, 2], bn_before_fc=True, out_shortcut=True)),
    *((f"wideresnet{d}-{w}", "robustbench", [32], lambda d=d, w=w: WideResNet(depth=d, widen_factor=w))
      for d, w in ((28, 10), (34, 10), (34, 20), (70, 16))),
    ("resnet18-imagenet", "torchvision", [224], imagenet(Basic, [2, 2, 2, 2])),
    ("resnet34", "torchvision", [224], imagenet(Basic, FIFTY)),
    ("resnet50", "torchvision", [224, 299, 380], imagenet(Bottleneck, FIFTY)),
    ("resnet101", "torchvision", [224], imagenet(Bottleneck, [3, 4, 23, 3])),
    ("resnet152", "torchvision", [224], imagenet(Bottleneck, DEEP)),
    ("resnext50-32x4d", "torchvision", [224], imagenet(Bottleneck, FIFTY, **resnext, width_per_group=4)),
    ("resnext50-32x8d", "torchvision", [224], imagenet(Bottleneck, FIFTY, **resnext, width_per_group=8)),
    ("resnext152-32x8d", "torchvision", [224, 380], imagenet(Bottleneck, DEEP, **resnext, width_per_group=8)),
    *((f"efficientnet-b{k}", "timm", [size], scaled(f"efficientnet_b{k}"))
      for k, size in enumerate((224, 240, 260, 300, 380, 456, 528, 600))),
    ("efficientnet-l1", "timm", [600], scaled("efficientnet_l1", 3.9, 3.7)),
    ("efficientnet-l2", "timm", [800], scaled("efficientnet_l2")),
]  # fmt: skip


def macs(model, size):
    total = 0

    def count(layer, _, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    hooks = [
        layer.register_forward_hook(count) for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))
    ]
    model(torch.empty(1, 3, size, size, device="meta"))
    for hook in hooks:
        hook.remove()
    return total


def entry(name, source, sizes, build):
    with torch.device("meta"), torch.no_grad():
        model = build().eval()
        lines = "".join(f"{key} {list(value.shape)}\n" for key, value in model.state_dict().items())
        return {
            "name": name,
            "source": source,
            "classes": list(model.parameters())[-1].numel(),
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "tensors": len(model.state_dict()),
            "state": hashlib.sha256(lines.encode()).hexdigest(),
            "macs": {str(size): macs(model, size) for size in sizes},
        }


versions = {name: importlib.metadata.version(name) for name in ("torch", "torchvision", "timm")}
networks = []
for item in NETWORKS:
    networks.append(entry(*item))
    print(networks[-1])
write("network-counts", {**versions, "robustbench": "78fcc9e"}, {"networks": networks})
