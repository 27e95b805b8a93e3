"""The residual networks of the golden values that the step bench does not have, named as published checkpoints name them.

ResNet of depth 6n + 2: He et al. 2016 for CIFAR, shortcut option A (every second pixel, zero channels on both sides, no weights).
PreActResNet-18: per block bn1, conv1, bn2, conv2 and, where the shape changes, shortcut.0, a 1x1 convolution of
act(bn1(x)). A batch norm called `bn` and the activation come before the pooling (Rice et al. 2020; RobustBench's
PreActBlockV2 with bn_before_fc).
"""

from torch import nn
from torch.nn import functional


class BlockA(nn.Module):
    """out = act(bn2(conv2(act(bn1(conv1(x))))) + subsampled and zero-padded x)."""

    def __init__(self, in_planes, planes, stride, activation):
        super().__init__()
        self.activation, self.stride, self.padding = activation, stride, (planes - in_planes) // 2
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)

    def forward(self, x):
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        shortcut = functional.pad(shortcut, (0, 0, 0, 0, self.padding, self.padding))
        return self.activation(out + shortcut)


class PreActBlock(nn.Module):
    """out = conv2(act(bn2(conv1(a)))) + shortcut, where a = act(bn1(x)); the shortcut is x, or a 1x1 convolution of a."""

    def __init__(self, in_planes, planes, stride, activation):
        super().__init__()
        self.activation = activation
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=1, padding=1, bias=False)
        self.projects = stride != 1 or in_planes != planes
        if self.projects:
            self.shortcut = nn.Sequential(nn.Conv2d(in_planes, planes, 1, stride=stride, bias=False))

    def forward(self, x):
        activated = self.activation(self.bn1(x))
        shortcut = self.shortcut(activated) if self.projects else x
        out = self.conv1(activated)
        return self.conv2(self.activation(self.bn2(out))) + shortcut


def stage(block, in_planes, planes, count, stride, activation):
    first = block(in_planes, planes, stride, activation)
    return nn.Sequential(first, *(block(planes, planes, 1, activation) for _ in range(count - 1)))


class CifarResNet(nn.Module):
    """ResNet of depth 6 blocks + 2."""

    def __init__(self, activation, width=16, classes=10, blocks=3):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(3, width, 3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = stage(BlockA, width, width, blocks, 1, activation)
        self.layer2 = stage(BlockA, width, 2 * width, blocks, 2, activation)
        self.layer3 = stage(BlockA, 2 * width, 4 * width, blocks, 2, activation)
        self.linear = nn.Linear(4 * width, classes)

    def forward(self, x):
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.layer3(self.layer2(self.layer1(out)))
        return self.linear(functional.adaptive_avg_pool2d(out, 1).flatten(1))


class PreActResNet18(nn.Module):
    def __init__(self, activation, width, classes=10):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(3, width, 3, stride=1, padding=1, bias=False)
        self.layer1 = stage(PreActBlock, width, width, 2, 1, activation)
        self.layer2 = stage(PreActBlock, width, 2 * width, 2, 2, activation)
        self.layer3 = stage(PreActBlock, 2 * width, 4 * width, 2, 2, activation)
        self.layer4 = stage(PreActBlock, 4 * width, 8 * width, 2, 2, activation)
        self.bn = nn.BatchNorm2d(8 * width)
        self.linear = nn.Linear(8 * width, classes)

    def forward(self, x):
        out = self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(x)))))
        out = self.activation(self.bn(out))
        return self.linear(functional.adaptive_avg_pool2d(out, 1).flatten(1))
