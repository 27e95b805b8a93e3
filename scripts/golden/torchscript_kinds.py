"""Writes test/golden/torchscript-kinds/*.pt and test/golden/attention.json: small networks of the kinds that a loader of
TorchScript has to tell apart, and what PyTorch says of those with attention.

    python scripts/golden/torchscript_kinds.py

Made with torch 2.13.0. Logits and gradients are float64, of the float32 weights.
"""

import math
import os
import tempfile
import warnings
import zipfile

import torch
from storage import FOLDER, exact, generator, stored, write
from torch import nn
from torch.nn import functional

folder = FOLDER / "torchscript-kinds"
folder.mkdir(exist_ok=True)
torch.manual_seed(0)


def save(module, name):
    path = folder / f"{name}.pt"
    module.save(path)
    with zipfile.ZipFile(path) as archive:
        records = [(each.filename, archive.read(each)) for each in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for record, content in records:
            if not record.endswith(".debug_pkl") and b"site-packages" not in content:
                archive.writestr(zipfile.ZipInfo(record), content)


class Net(nn.Module):
    """A smooth network of four classes for images [N, 2, 8, 8]."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 8, 3, padding=1, bias=False)
        self.linear = nn.Linear(8, 4, bias=False)

    def forward(self, x):
        features = functional.silu(4 * self.conv(x - 0.5))[:, :, 1:-1, 1:-1].amax((2, 3))
        return 5 * self.linear(features - features.mean(1, keepdim=True))


net = Net().eval()
example = torch.rand(2, 2, 8, 8)


class WritesFile(nn.Module):
    def forward(self, x):
        written = torch.from_file("written-by-a-model", shared=True, size=4)
        return x.mean((2, 3)).repeat(1, 2) + written


class Prints(nn.Module):
    def forward(self, x):
        print("hello")
        return x.mean((2, 3)).repeat(1, 2)


class Deep(nn.Module):
    """The call is in a function, in a branch."""

    def forward(self, x):
        return deep(x)


@torch.jit.script
def deep(x):
    if x.shape[0] > 1000:
        torch.ops.aten.save(x, "deep")
    return x.mean((2, 3)).repeat(1, 2)


class Warns(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = net

    def forward(self, x):
        warnings.warn("a warning of the model")
        return self.net(x)


class OnLoad(nn.Module):
    """Runs code while it is loaded."""

    def __init__(self):
        super().__init__()
        self.scale = 1.0
        self.training = False

    def forward(self, x):
        return x.mean((2, 3)).repeat(1, 2) * self.scale

    @torch.jit.export
    def __getstate__(self):
        return self.scale, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[float, bool]):
        self.scale = state[0]
        self.training = state[1]


class Writes(nn.Module):
    """Writes into the images it gets."""

    def __init__(self):
        super().__init__()
        self.net = net

    def forward(self, x):
        x.sub_(0.5).mul_(2)
        return self.net(x)


class Typed(nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.net = net
        self.dtype = dtype

    def forward(self, x):
        return self.net(x).to(self.dtype)


class Complex(nn.Module):
    def forward(self, x):
        z = x.mean((2, 3)).repeat(1, 2)
        return torch.complex(z, z)


class Sparse(nn.Module):
    def forward(self, x):
        return x.mean((2, 3)).repeat(1, 2).to_sparse()


class Masked(nn.Module):
    """One class can never be chosen."""

    def __init__(self):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x).masked_fill(torch.tensor([False, False, False, True]), -math.inf)


class Unknown(nn.Module):
    """NaN for bright images; the gradient is NaN everywhere, by the product with NaN."""

    def __init__(self):
        super().__init__()
        self.net = net

    def forward(self, x):
        z = self.net(x)
        return torch.where((x.mean((1, 2, 3)) > 0.6).unsqueeze(1), z * math.nan, z)


class Baked(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x.reshape(8, 2, 8, 8))


class Detached(nn.Module):
    """Of grey images [N, 1, 8, 8]: bright ones are class 1. It has no gradient."""

    def forward(self, x):
        z = 20 * (x.mean((1, 2, 3)) - 0.5)
        return torch.stack([-z, z], 1).detach()


class Encoder(nn.Module):
    """Images [N, 2, 8, 8] as four tokens of 32 numbers, through PyTorch's own encoder layer."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(32, 2, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        tokens = x.reshape(-1, 4, 32)
        return self.head(self.layer(tokens).mean(1))


class Attention(nn.Module):
    """The operator itself, in each of its forms."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(32, 96)
        self.head = nn.Linear(32, 4)
        self.register_buffer("mask", torch.tensor([[True, True, False, False], [False] * 4, [True] * 4, [False, True, True, True]]))
        self.register_buffer("bias", torch.randn(4, 4))

    def forward(self, x):
        tokens = x.reshape(-1, 4, 32)
        q, k, v = self.qkv(tokens).reshape(-1, 4, 3, 4, 8).permute(2, 0, 3, 1, 4).unbind(0)  # [N, heads, 4, 8]
        attend = functional.scaled_dot_product_attention
        out = attend(q, k, v) + attend(q, k, v, attn_mask=self.mask) + attend(q, k, v, attn_mask=self.bias, scale=0.7)
        out = out + attend(q, k, v, is_causal=True) + attend(q, k[:, :2], v[:, :2], enable_gqa=True)
        return self.head(out.transpose(1, 2).reshape(-1, 4, 32).mean(1))


where = os.getcwd()
with tempfile.TemporaryDirectory() as temporary:
    os.chdir(temporary)  # where the example of WritesFile writes
    save(torch.jit.script(WritesFile()), "writes-file")
    os.chdir(where)
save(torch.jit.script(Prints()), "prints")
save(torch.jit.script(Deep()), "deep")
save(torch.jit.script(Warns()), "warns")
save(torch.jit.script(OnLoad()), "on-load")
save(torch.jit.script(Writes()), "writes")
save(torch.jit.trace(net, example), "net")
for name, dtype in (("half", torch.float16), ("bfloat", torch.bfloat16), ("long", torch.int64), ("bool", torch.bool)):
    save(torch.jit.trace(Typed(dtype), example), name)
save(torch.jit.script(Complex()), "complex")
save(torch.jit.script(Sparse()), "sparse")
save(torch.jit.trace(Masked(), example), "masked")
save(torch.jit.trace(Unknown(), example), "unknown")
save(torch.jit.trace(Baked(), torch.rand(8, 2, 8, 8)), "baked")
save(torch.jit.optimize_for_inference(torch.jit.script(net)), "optimised")

encoder = Encoder().eval()
attention = Attention().eval()
with torch.no_grad():
    save(torch.jit.trace(encoder, example, check_trace=False), "fast-path")
torch.backends.mha.set_fastpath_enabled(False)
with torch.no_grad():
    save(torch.jit.trace(encoder, example), "encoder")
save(torch.jit.trace(attention, example), "attention")

save(torch.jit.trace(Detached(), torch.rand(2, 1, 8, 8)), "detached")

cases = []
for name, module in (("encoder", encoder), ("attention", attention)):
    images = exact((4, 2, 8, 8), generator(name), 0, 1)
    labels = torch.arange(4)
    x = images.clone().requires_grad_()
    logits = module.double()(x)
    (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, labels, reduction="sum"), x)
    cases.append({"name": name, "images": stored(images), "logits": stored(logits), "gradient": stored(gradient)})
write("attention", {"torch": torch.__version__}, {"cases": cases})
print(sum(path.stat().st_size for path in folder.iterdir()), "bytes in", folder.name)
