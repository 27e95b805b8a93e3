"""Writes test/golden/small.safetensors with the reference implementation of the format.

    pip install torch safetensors
    python scripts/golden/safetensors_file.py            write the golden file
    python scripts/golden/safetensors_file.py FILE       print what the reference implementation reads from FILE
"""

import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

if len(sys.argv) > 1:
    with safe_open(sys.argv[1], framework="pt") as file:
        print(file.metadata())
        for name in file.keys():
            tensor = file.get_tensor(name)
            print(name, tensor.dtype, tuple(tensor.shape), tensor.flatten().tolist())
else:
    save_file(
        {
            "conv.weight": torch.arange(6, dtype=torch.float32).reshape(1, 2, 3) / 4,
            "wide": torch.tensor([1.5, -2.5], dtype=torch.float64),
            "steps": torch.tensor(2**40 + 1, dtype=torch.int64),
            "ids": torch.tensor([[1], [-2]], dtype=torch.int32),
            "bytes": torch.tensor([1, 2, 255], dtype=torch.uint8),
            "empty": torch.zeros(0, 3),
        },
        Path(__file__).parents[2] / "test/golden/small.safetensors",
        metadata={"kind": "golden", "text": "ε = 8/255"},
    )
