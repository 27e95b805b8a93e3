"""Writes test/golden/state-dict-kinds/*.pt: the weights of state-dicts/tiny.safetensors in forms that PyTorch's safe loader
takes, and under names that say nothing.

    python scripts/golden/state_dict_kinds.py

Made with torch 2.13.0 and safetensors 0.8.0.
"""

import pickle

import torch
from safetensors.torch import load_file
from storage import FOLDER

folder = FOLDER / "state-dict-kinds"
folder.mkdir(exist_ok=True)
state = load_file(FOLDER / "state-dicts" / "tiny.safetensors")
zeros = {**state, "linear.bias": torch.zeros(1).expand(3)}


def save(name, value, **options):
    torch.save(value, folder / f"{name}.pt", **options)


save("set", {"state_dict": state, "seen": {1, 2}})
save("expanded", zeros)
save("unknown-wrappers", {"last": state, "best": {"of": state}, "optimizer": {"state": {0: {"step": torch.zeros(1)}}}})
save("unknown-beside-tensors", {"net_state": state, "rng": torch.zeros(8, dtype=torch.uint8), "loss": torch.zeros(())})
for protocol in (3, 4, 5):
    save(f"legacy-{protocol}", state, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
assert pickle.DEFAULT_PROTOCOL >= 4
print(sum(path.stat().st_size for path in folder.iterdir()), "bytes in", folder.name)
