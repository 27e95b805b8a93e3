"""The CIFAR-style ResNet-18 of the step bench and of the golden values, and the ResNet-50 and ResNeXt-50 of ImageNet.

A 3x3 stem without pooling, four stages of two basic blocks with strides 1, 2, 2, 2 and widths w, 2w, 4w, 8w, a
projection (1x1 convolution and batch norm) where the shape changes, global average pooling, one linear layer. The
names in the state dict are those that published CIFAR checkpoints use: conv1, bn1, layerL.B.conv1, shortcut.0, linear.
"""

from torch import nn
from torch.nn import functional


class BasicBlock(nn.Module):
    """out = act(bn2(conv2(act(bn1(conv1(x))))) + shortcut(x))."""

    def __init__(self, in_planes, planes, stride, activation):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, planes, 1, stride=stride, bias=False),
                nn.BatchNorm2d(planes),
            )

    def forward(self, x):
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.activation(out + self.shortcut(x))


class Bottleneck(nn.Module):
    """out = act(bn3(conv3(act(bn2(conv2(act(bn1(conv1(x)))))))) + shortcut(x)); the stride is in the 3x3 convolution.

    With 32 groups that convolution has twice as many channels: ResNeXt-50 32x4d.
    """

    def __init__(self, in_planes, planes, stride, activation, groups):
        super().__init__()
        self.activation = activation
        inner = planes if groups == 1 else 2 * planes
        self.conv1 = nn.Conv2d(in_planes, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != 4 * planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, 4 * planes, 1, stride=stride, bias=False),
                nn.BatchNorm2d(4 * planes),
            )

    def forward(self, x):
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.activation(self.bn2(self.conv2(out)))
        return self.activation(self.bn3(self.conv3(out)) + self.shortcut(x))


class ResNet50(nn.Module):
    """The ResNet-50 of ImageNet: a 7x7 stem of stride 2, max pooling, stages of 3, 4, 6 and 3 bottlenecks."""

    def __init__(self, width, activation, classes=1000, channels=3, groups=1):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        planes = width
        for stage, count in enumerate((3, 4, 6, 3)):
            blocks = []
            for place in range(count):
                stride = 2 if place == 0 and stage > 0 else 1
                blocks.append(Bottleneck(planes, width * 2**stage, stride, activation, groups))
                planes = 4 * width * 2**stage
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(planes, classes)

    def forward(self, x):
        out = self.activation(self.bn1(self.conv1(x)))
        out = functional.max_pool2d(out, 3, stride=2, padding=1)
        out = self.layer4(self.layer3(self.layer2(self.layer1(out))))
        return self.linear(functional.adaptive_avg_pool2d(out, 1).flatten(1))


class ResNet18(nn.Module):
    """Images [N, channels, H, W] in, logits [N, classes] out."""

    def __init__(self, width, activation, classes=10, channels=3):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(channels, width, 3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        planes = width
        for stage in range(4):
            wide = width * 2**stage
            stride = 1 if stage == 0 else 2
            blocks = [BasicBlock(planes, wide, stride, activation), BasicBlock(wide, wide, 1, activation)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            planes = wide
        self.linear = nn.Linear(planes, classes)

    def forward(self, x):
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.layer4(self.layer3(self.layer2(self.layer1(out))))
        out = functional.adaptive_avg_pool2d(out, 1).flatten(1)
        return self.linear(out)
