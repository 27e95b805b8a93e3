"""Writes test/golden/state-dicts/: files of torch.save, whole and hostile, that test/weights/state-dict.test.ts reads.

    python scripts/golden/state_dicts.py                      the golden files, from tiny.safetensors
    python scripts/golden/state_dicts.py save A.safetensors B.pt       a state dict in today's format, B.pt.old in the one before
    python scripts/golden/state_dicts.py compare A.safetensors B.pt    whether the two hold the same bits under the same names
    python scripts/golden/state_dicts.py run SCRIPT.pt IMAGES.safetensors OUT.safetensors    what a TorchScript file answers

Made with torch 2.13.0, numpy 2.4.6 and safetensors 0.8.0. tiny.safetensors is Satin's (state-dict-weights.mjs).
"""

import collections
import io
import os
import sys
import zipfile

import numpy
import torch
from safetensors.torch import load_file, save_file
from storage import FOLDER, write
from torch import nn


def compare(one, other):
    """The names of what differs in name, dtype, shape or a single bit."""
    names = sorted(set(one) | set(other))
    bits = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}

    def same(a, b):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        kind = bits[a.element_size()]
        return torch.equal(a.contiguous().view(kind), b.contiguous().view(kind))

    return [name for name in names if name not in one or name not in other or not same(one[name], other[name])]


if len(sys.argv) > 1:
    mode, *paths = sys.argv[1:]
    if mode == "save":
        state = load_file(paths[0])
        torch.save(state, paths[1])
        torch.save(state, paths[1] + ".old", _use_new_zipfile_serialization=False)
    if mode == "compare":
        read = load_file if paths[1].endswith(".safetensors") else lambda path: torch.load(path, weights_only=True)
        state, other = load_file(paths[0]), read(paths[1])
        print(len(state), "arrays,", len(compare(state, other)), "differ")
    if mode == "run":
        script = torch.jit.load(paths[0])
        assert not script.training and not any(module.training for module in script.modules())
        with torch.no_grad():
            logits = {name: script(images) for name, images in load_file(paths[1]).items()}
        save_file(logits, paths[2])
    sys.exit()

folder = FOLDER / "state-dicts"
tiny = load_file(folder / "tiny.safetensors")
normalise = {"mean": [0.5, 0.4375, 0.375], "std": [0.25, 0.25, 0.5]}


def save(value, name, old=False):
    torch.save(value, folder / f"{name}.pt", _use_new_zipfile_serialization=not old)


def prefixed(prefix, state):
    return collections.OrderedDict((prefix + name, tensor) for name, tensor in state.items())


# Every kind of array that a state dict may show, and the numbers in it.
base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 8
shared = torch.arange(6, dtype=torch.float32)
kinds = collections.OrderedDict(
    plain=base,
    transposed=base.transpose(0, 2),
    strided=base[:, ::2, 1:3],
    channels_last=torch.arange(16, dtype=torch.float32).reshape(1, 2, 2, 4).contiguous(memory_format=torch.channels_last),
    first=shared[:2],
    rest=shared[2:],
    expanded=shared[1:2].expand(1, 1),
    parameter=nn.Parameter(torch.tensor([1.5, -2.5])),
    scalar=torch.tensor(2**40 + 1),
    empty=torch.zeros(0, 3),
    double=torch.tensor([0.1, -1e300], dtype=torch.float64),
    half=torch.tensor([1.5, -65504, 2**-24, 2**-14, 0.0, float("inf")], dtype=torch.float16),
    bfloat=torch.tensor([1.5, -3e38, 1e-40, float("-inf")], dtype=torch.bfloat16),
    long=torch.tensor([[1, -2], [3, 4]]).t(),
    int=torch.tensor([7, -8], dtype=torch.int32),
    short=torch.tensor([7, -8], dtype=torch.int16),
    char=torch.tensor([7, -8], dtype=torch.int8),
    byte=torch.tensor([7, 200], dtype=torch.uint8),
    bool=torch.tensor([True, False]),
)
save(kinds, "kinds")
save(kinds, "kinds-old", old=True)


def values(tensor):
    return [str(value) if isinstance(value, int) else float(value).hex() for value in tensor.flatten().tolist()]


write(
    "state-dicts",
    {"torch": torch.__version__},
    {"kinds": [{"name": name, "shape": list(each.shape), "values": values(each.detach())} for name, each in kinds.items()]},
)

# One network in the forms in which it is met.
save(collections.OrderedDict(tiny), "tiny")
save(tiny, "tiny-old", old=True)
aside = {
    "epoch": 3,
    "arch": "resnet8",
    "best": numpy.float64(0.5),
    "size": torch.Size([3, 8, 8]),
    "dtype": torch.float32,
    "device": torch.device("cpu"),
    "scheduler": {"milestones": collections.Counter([1, 2])},
    "history": [0.25, None, True, -7, 2**70, (1, 2, 3, 4)],
}
buffers = {f"normalize.{name}": torch.tensor(each).reshape(1, 3, 1, 1) for name, each in normalise.items()}
save({**aside, "state_dict": prefixed("module.", {**buffers, **prefixed("model.", tiny)})}, "wrapped")
save({"model": {"weight": torch.zeros(2)}, "ema": {"module": {"weight": torch.ones(2)}, "decay": 0.9}}, "two")
counters = [name for name in tiny if name.endswith("num_batches_tracked")]
save({name: tensor for name, tensor in tiny.items() if name not in counters}, "no-counters")
save({name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in tiny.items()}, "double")
save({name: tensor.bfloat16() if tensor.is_floating_point() else tensor for name, tensor in tiny.items()}, "bfloat")


def archive(name, change, compression=zipfile.ZIP_STORED):
    """The records of a small state dict, changed, as a zip archive of Python's."""
    buffer = io.BytesIO()
    torch.save(collections.OrderedDict(weight=torch.arange(4, dtype=torch.float32)), buffer)
    with zipfile.ZipFile(buffer) as source:
        records = {each: source.read(each) for each in source.namelist() if not each.startswith("archive/.")}
    change(records)
    with zipfile.ZipFile(folder / f"{name}.pt", "w", compression) as target:
        for record, content in records.items():
            target.writestr(zipfile.ZipInfo(record), content, compression)


class Attack:
    """What a hostile pickle holds: a call of whatever its author likes."""

    def __reduce__(self):
        return os.system, ("touch pwned",)


def pickled(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    with zipfile.ZipFile(buffer) as source:
        return source.read("archive/data.pkl")


archive("stored", lambda records: None)
archive("big-endian", lambda records: records.update({"archive/byteorder": b"big"}))
archive("compressed", lambda records: None, zipfile.ZIP_DEFLATED)
archive("short-array", lambda records: records.update({"archive/data/0": records["archive/data/0"][:-4]}))
archive("no-array", lambda records: records.pop("archive/data/0"))
archive("attack", lambda records: records.update({"archive/data.pkl": pickled({"weight": Attack()})}))
archive("opcode", lambda records: records.update({"archive/data.pkl": b"\x80\x02I1\n."}))
archive("endless", lambda records: records.update({"archive/data.pkl": b"\x80\x02" + b"]" * 30 + b"."}))
archive("underflow", lambda records: records.update({"archive/data.pkl": b"\x80\x02((R."}))
archive("ring", lambda records: records.update({"archive/data.pkl": b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s."}))
archive(
    "bomb",
    lambda records: records.update(
        {"archive/data.pkl": pickled(collections.OrderedDict(weight=torch.zeros(1).expand(10**6, 10**6)))}
    ),
)
save(nn.Linear(2, 2), "module")
torch.save({"weight": Attack()}, folder / "attack-old.pt", _use_new_zipfile_serialization=False)

# The directory entries of an archive above 4 GB, in a small one.
zipfile.ZIP64_LIMIT = -1
archive("zip64", lambda records: None)
print(sum(path.stat().st_size for path in folder.iterdir()), "bytes in", folder.name)
