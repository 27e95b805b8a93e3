"""The training step of train_step.py with every activation: the rival of `satin bench activations`.

Reads and answers the same requests; "activation" is a name of Satin's table, or "smooth-relu(400)". Each is written as a
user of PyTorch writes it: its own function where there is one, else the formula. SmoothReLU has a coefficient for each
layer, PSiLU and PSSiLU one set for the network.
"""

import torch
from torch import nn
from torch.nn import functional

import train_step
from resnet import ResNet18


def smooth_relu(x, alpha):
    """As in the paper's released code."""
    return functional.relu(x - torch.log(x.abs() * alpha + 1) / alpha)


class SmoothReLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.r = nn.Parameter(torch.tensor([20.0]))

    def forward(self, x):
        return smooth_relu(x, self.r * self.r)


class PSiLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor([1.0]))

    def forward(self, x):
        return x * torch.sigmoid(self.alpha * x)


class PSSiLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor([1.0]))
        self.beta = nn.Parameter(torch.tensor([1e-8]))

    def forward(self, x):
        beta = self.beta.abs()
        return x * (torch.sigmoid(self.alpha.abs() * x) - beta) / (1 - beta)


FUNCTIONS = {
    "relu": functional.relu,
    "leaky-relu": functional.leaky_relu,
    "softplus": functional.softplus,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "gelu-tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "elu": functional.elu,
    "celu": functional.celu,
    "mish": functional.mish,
    "smooth-relu(400)": lambda x: smooth_relu(x, 400.0),
}
SHARED = {"psilu": PSiLU, "pssilu": PSSiLU}  # one module for the network
PLACED = {"smooth-relu": SmoothReLU}  # one for each place


class PlacedBlock(nn.Module):
    """A basic block with an activation of its own in each place."""

    def __init__(self, block, make):
        super().__init__()
        self.block, self.first, self.second = block, make(), make()

    def forward(self, x):
        out = self.first(self.block.bn1(self.block.conv1(x)))
        out = self.block.bn2(self.block.conv2(out))
        return self.second(out + self.block.shortcut(x))


def network(width, activation):
    """The ResNet-18 of the bench with the activation of this name."""
    if activation in FUNCTIONS:
        return ResNet18(width, FUNCTIONS[activation])
    if activation in SHARED:
        return ResNet18(width, SHARED[activation]())
    make = PLACED[activation]
    model = ResNet18(width, None)
    model.activation = make()
    for stage in (model.layer1, model.layer2, model.layer3, model.layer4):
        for place, block in enumerate(stage):
            stage[place] = PlacedBlock(block, make)
    return model


if __name__ == "__main__":
    # The step looks its network up by these names.
    train_step.ACTIVATIONS = {name: name for name in (*FUNCTIONS, *SHARED, *PLACED)}
    train_step.ResNet18 = network
    train_step.main()
