"""Writes test/golden/torchscript/*.pt and test/golden/torchscript.json: networks that PyTorch saved, and what they answer.

    python scripts/golden/torchscript.py                     the golden files, from torchscript/resnet8.safetensors
    python scripts/golden/torchscript.py WEIGHTS OUT.pt      a resnet of Satin's CIFAR kind, traced, without its normalisation

Made with torch 2.13.0 and safetensors 0.8.0. The weights are Satin's (scripts/golden/torchscript-weights.mjs), so that
the same network is in both. Logits and gradients are float64, of the float32 weights. The records that hold paths of the
machine, for tracebacks, are left out of the files; everything else is as PyTorch wrote it.
"""

import copy
import json
import sys
import zipfile

import torch
from residual import BlockA, stage
from safetensors import safe_open
from storage import FOLDER, exact, generator, stored, write
from torch import nn
from torch.nn import functional

ACTIVATIONS = {"relu": functional.relu, "silu": functional.silu}


class ResNet(nn.Module):
    """The CIFAR network of He et al. (2016): three stages of n blocks."""

    def __init__(self, activation, channels, width, blocks, classes):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = stage(BlockA, width, width, blocks, 1, activation)
        self.layer2 = stage(BlockA, width, 2 * width, blocks, 2, activation)
        self.layer3 = stage(BlockA, 2 * width, 4 * width, blocks, 2, activation)
        self.linear = nn.Linear(4 * width, classes)

    def forward(self, x):
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.layer3(self.layer2(self.layer1(out)))
        return self.linear(functional.adaptive_avg_pool2d(out, 1).flatten(1))


def read(path):
    """The network of a weights file that Satin wrote, and what Satin says of it."""
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["model"])
        state = {name: file.get_tensor(name) for name in file.keys()}
    blocks = {"resnet8": 1, "resnet20": 3}[description["architecture"]]
    width = round(16 * description["width"])
    channels = description["shape"][0]
    model = ResNet(ACTIVATIONS[description["activation"]], channels, width, blocks, len(description["classes"]))
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    return model.eval(), description


if len(sys.argv) > 1:
    model, description = read(sys.argv[1])
    torch.jit.trace(model, torch.rand(2, *description["shape"])).save(sys.argv[2])
    sys.exit()


class Flat(nn.Module):
    """Takes images of 1x28x28 and no others."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(784, 2)

    def forward(self, x):
        return self.linear(x.flatten(1))


class Mean(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.classes = classes

    def forward(self, x):
        return x.mean((1, 2, 3)).unsqueeze(1).expand(-1, self.classes)


class NotANumber(nn.Module):
    def forward(self, x):
        mean = x.mean((1, 2, 3)).unsqueeze(1).expand(-1, 4)
        return (mean - mean) / (mean - mean)


class Raises(nn.Module):
    def forward(self, x):
        if x.shape[1] != 7:
            raise ValueError("seven channels, please\nand nothing else")
        return x.mean((2, 3))


class Pair(nn.Module):
    def forward(self, x):
        return x.mean((2, 3)), x


class TwoInputs(nn.Module):
    def forward(self, x, y):
        return x.mean((2, 3)) + y


class OnACard(nn.Module):
    """What tracing on a graphics card leaves in a graph: tensors that it makes name the card."""

    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.tensor([1.0, 2.0, 3.0, 4.0]))

    def forward(self, x):
        places = torch.arange(4, dtype=torch.float32, device=torch.device("cuda:0"))
        if x.shape[0] > 0:
            places = places + torch.ones(4, device=torch.device("cuda:0"))
        return x.mean((1, 2, 3)).unsqueeze(1) * self.scale + places


class Newer(nn.Module):
    """An operator that libtorch 1.13 does not know."""

    def forward(self, x):
        rows = x.mean((2, 3)).repeat(1, 2)
        return functional.rms_norm(rows, [4])


folder = FOLDER / "torchscript"


def save(module, name):
    path = folder / f"{name}.pt"
    module.save(path)
    clean(path)


def clean(path):
    """Leaves out the records that hold paths of the machine."""
    with zipfile.ZipFile(path) as archive:
        records = [(each.filename, archive.read(each)) for each in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for record, content in records:
            if not record.endswith(".debug_pkl") and b"site-packages" not in content:
                archive.writestr(zipfile.ZipInfo(record), content)


torch.manual_seed(0)
model, description = read(folder / "resnet8.safetensors")
example = torch.rand(2, *description["shape"])
save(torch.jit.trace(model, example), "traced")
save(torch.jit.script(copy.deepcopy(model).train()), "scripted")  # whoever loads it has to leave training mode
save(torch.jit.script(Flat()), "flat-28")
save(torch.jit.script(Mean(1)), "one-class")
save(torch.jit.script(Mean(3)), "three-classes")
save(torch.jit.script(NotANumber()), "nan")
save(torch.jit.script(Raises()), "raises")
save(torch.jit.script(Pair()), "pair")
save(torch.jit.script(TwoInputs()), "two-inputs")
save(torch.jit.script(OnACard()), "on-a-card")
save(torch.jit.script(Newer()), "newer")
torch.save(nn.Linear(2, 2).state_dict(), folder / "state-dict.pt")
torch.save(nn.Linear(2, 2).state_dict(), folder / "state-dict-1.5.pt", _use_new_zipfile_serialization=False)
torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.rand(1, 2),)), folder / "exported.pt2")
clean(folder / "exported.pt2")

cases = []
for name, shape in (("images", (4, *description["shape"])), ("one image", (1, *description["shape"]))):
    images = exact(shape, generator(name), 0, 1)
    labels = torch.arange(shape[0]) % 4
    mean, std = (torch.tensor(description["normalise"][key]).reshape(1, -1, 1, 1).double() for key in ("mean", "std"))
    x = images.clone().requires_grad_()
    logits = model.double()((x - mean) / std)
    (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, labels, reduction="sum"), x)
    cases.append(
        {
            "name": name,
            "images": stored(images),
            "labels": labels.tolist(),
            "logits": stored(logits),
            "gradient": stored(gradient),
        }
    )
write("torchscript", {"torch": torch.__version__}, {"cases": cases})
print(sum(path.stat().st_size for path in folder.iterdir()), "bytes in", folder.name)
