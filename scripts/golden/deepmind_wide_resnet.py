"""Writes test/golden/deepmind-wide-resnet.json: logits and input gradients of wide residual networks as DeepMind pads
and names them.

Written from the description of the network (google-deepmind/deepmind-research, adversarial_robustness/pytorch, and
RobustBench's DMWideResNet): pre-activation blocks; a 3x3 convolution of stride 2 pads one row and column at the end
only, as TensorFlow's SAME does; a projection shortcut takes the activated input. Weights are not stored: both sides
compute them by the formula in `fill`, in float64, rounded to float32. Results are float64.

    python scripts/golden/deepmind_wide_resnet.py
"""

import torch
from storage import write
from torch import nn
from torch.nn import functional

CHANNELS = [1, 6, 12, 24]  # WRN-28-10 at 0.0375 of its width
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride = stride
        self.batchnorm_0 = nn.BatchNorm2d(inputs)
        self.conv_0 = nn.Conv2d(inputs, outputs, 3, stride, bias=False)
        self.batchnorm_1 = nn.BatchNorm2d(outputs)
        self.conv_1 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x):
        activated = functional.silu(self.batchnorm_0(x))
        padding = (1, 1, 1, 1) if self.stride == 1 else (0, 1, 0, 1)
        inner = functional.silu(self.batchnorm_1(self.conv_0(functional.pad(activated, padding))))
        return self.conv_1(inner) + (x if self.shortcut is None else self.shortcut(activated))


class Group(nn.Module):
    def __init__(self, count, inputs, outputs, stride):
        super().__init__()
        blocks = [Block(inputs, outputs, stride)] + [Block(outputs, outputs, 1) for _ in range(count - 1)]
        self.block = nn.Sequential(*blocks)

    def forward(self, x):
        return self.block(x)


class WideResNet(nn.Module):
    def __init__(self, depth, channels):
        super().__init__()
        count = (depth - 4) // 6
        stem, *stages = channels
        self.init_conv = nn.Conv2d(3, stem, 3, padding=1, bias=False)
        inputs = [stem, *stages[:-1]]
        groups = zip(inputs, stages, (1, 2, 2), strict=True)
        self.layer = nn.Sequential(*(Group(count, *group) for group in groups))
        self.batchnorm = nn.BatchNorm2d(stages[-1])
        self.logits = nn.Linear(stages[-1], 10)

    def forward(self, x):
        mean, std = (torch.tensor(each, dtype=x.dtype).view(3, 1, 1) for each in (MEAN, STD))
        out = self.layer(self.init_conv((x - mean) / std))
        return self.logits(functional.silu(self.batchnorm(out)).mean((2, 3)))


def fill(model):
    """f(sin(0.7 i + k)), i the flat index, k the position in the list of arrays; see the test."""
    arrays = []
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        wave = torch.sin(0.7 * torch.arange(tensor.numel(), dtype=torch.float64) + len(arrays))
        kind = name.rpartition(".")[2]
        if kind == "running_var":
            values = 1 + 0.5 * wave.abs()
        elif kind == "weight" and tensor.dim() == 1:
            values = 1 + 0.1 * wave
        elif kind == "weight":
            values = wave / tensor[0].numel() ** 0.5
        else:
            values = 0.1 * wave
        tensor.copy_(values.float().reshape(tensor.shape))
        arrays.append({"name": name, "shape": list(tensor.shape)})
    return arrays


networks = []
for size in (32, 28):
    model = WideResNet(28, CHANNELS).double().eval()
    with torch.no_grad():
        arrays = fill(model)
    count = 2 * 3 * size * size
    x = (0.5 + 0.5 * torch.sin(0.3 * torch.arange(count, dtype=torch.float64))).float().double()
    x = x.reshape(2, 3, size, size).requires_grad_()
    logits = model(x)
    loss = functional.cross_entropy(logits, torch.tensor([3, 7]))
    (gradient,) = torch.autograd.grad(loss, x)
    networks.append({"size": size, "logits": logits.tolist(), "gradient": gradient.reshape(-1)[::97].tolist()})

header = {"torch": torch.__version__, "every": 97}
write("deepmind-wide-resnet", header, {"arrays": arrays, "networks": networks})
