"""How golden values are made and stored: exact inputs, float64 results, JSON that a diff can show.

A tensor is {"shape": [...], "values": [...]} in row-major order. Inputs are odd multiples of 1/2048, so they are exact
in float32 and in JSON, distinct within a tensor, and never zero. Results are float64, written so that they read back
to the same bits.
"""

import json
import zlib
from pathlib import Path

import torch

FOLDER = Path(__file__).resolve().parents[2] / "test" / "golden"


def generator(name):
    """A generator seeded by a name, so that a new case leaves the others as they are."""
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def exact(shape, random, low=-2, high=2):
    """A float64 tensor of distinct odd multiples of 1/2048 between low and high."""
    count = 1
    for size in shape:
        count *= size
    start = round(low * 1024)
    steps = round(high * 1024) - start
    chosen = torch.randperm(steps, generator=random)[:count]
    return ((chosen + start).double() + 0.5).div(1024).reshape(shape)


def stored(tensor):
    """The JSON form of a tensor; booleans become 0 and 1."""
    kind = {torch.float64: "float", torch.int64: "int64", torch.bool: "bool"}[tensor.dtype]
    values = tensor.detach().reshape(-1)
    if kind == "bool":
        values = values.long()
    record = {"shape": list(tensor.shape), "values": values.tolist()}
    return record if kind == "float" else {"dtype": kind, **record}


def write(name, header, lists):
    """Writes test/golden/NAME.json: the header's fields, then each list with one line an item."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in header.items()]
    for key, items in lists.items():
        rows = ",\n".join("    " + json.dumps(item, allow_nan=False) for item in items)
        lines.append(f"  {json.dumps(key)}: [\n{rows}\n  ]")
    path = FOLDER / f"{name}.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path.name}: {', '.join(f'{len(items)} {key}' for key, items in lists.items())}, {path.stat().st_size} bytes")
