"""Writes test/golden/parity-replay.json: python scripts/parity/replay.py REFERENCE DATA [linf | l1]

The reference's verdicts on a small network. The weights are those of test/golden/parity-replay.safetensors: `./satin train
fashion-mnist-silu --set model.width=0.25`, seed 0, its best checkpoint. The reference (a clone of
github.com/fra31/auto-attack in REFERENCE) runs its standard version on the first test images of Fashion-MNIST (idx files
in DATA), once for each of three seeds: an image whose verdict depends on the reference's own seed says nothing about
another implementation, so only those with one verdict are taken, of each verdict the first few. The network alone is broken
by APGD or Square or not at all; behind pixels rounded to an eighth its gradient is zero, and Square breaks it. Made with
torch 2.13.0 in 13 minutes. In L1 it writes parity-replay-l1.json,
with all images and the verdicts of each seed, which test/slow compares.
"""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional

GOLDEN = Path(__file__).resolve().parents[2] / "test" / "golden"
sys.path.insert(0, str(GOLDEN.parents[1] / "scripts" / "golden"))
sys.path.insert(0, sys.argv[1])
from autoattack import AutoAttack  # noqa: E402
from residual import BlockA, stage  # noqa: E402

DATA = Path(sys.argv[2])
NORM = sys.argv[3] if len(sys.argv) > 3 else "linf"
LEVELS, SEEDS = 8, 3
EPSILON = {"linf": 0.1, "l1": 12.0}[NORM]
EXAMPLES = {"linf": {"plain": 64, "masked": 64}, "l1": {"plain": 40, "masked": 12}}[NORM]
LETTERS = {"apgd-ce": "c", "apgd-t": "t", "fab-t": "f", "square": "s"}
# How many images of each verdict are taken: '.' is robust, '-' misclassified without an attack.
TAKEN = {"plain": {"c": 8, "t": 3, "f": 2, "s": 2, ".": 5, "-": 1}, "masked": {"c": 1, "t": 1, "s": 6, ".": 2}}
torch.set_num_threads(2 if NORM == "linf" else 1)


class ResNet(nn.Module):
    """Satin's ResNet-8 with its normalisation; `levels` rounds the pixels first."""

    def __init__(self, path, levels=None):
        super().__init__()
        with safe_open(path, "pt") as file:
            self.description = json.loads(file.metadata()["model"])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        width = state["conv1.weight"].shape[0]
        self.levels = levels
        self.mean, self.std = (self.description["normalise"][key][0] for key in ("mean", "std"))
        self.conv1 = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = stage(BlockA, width, width, 1, 1, functional.silu)
        self.layer2 = stage(BlockA, width, 2 * width, 1, 2, functional.silu)
        self.layer3 = stage(BlockA, 2 * width, 4 * width, 1, 2, functional.silu)
        self.linear = nn.Linear(4 * width, 10)
        self.load_state_dict(state, strict=False)
        for parameter in self.parameters():
            parameter.requires_grad_(False)

    def forward(self, x):
        if self.levels is not None:  # quantised.mjs has the same function
            steps = x * 0
            for level in range(self.levels):
                steps = steps + (x > (level + 0.5) / self.levels).float()
            x = steps / self.levels
        out = functional.silu(self.bn1(self.conv1((x - self.mean) / self.std)))
        out = self.layer3(self.layer2(self.layer1(out)))
        return self.linear(functional.adaptive_avg_pool2d(out, 1).flatten(1))


def idx(name, header):
    raw = (DATA / name).read_bytes() if (DATA / name).exists() else gzip.decompress((DATA / f"{name}.gz").read_bytes())
    return torch.frombuffer(bytearray(raw[header:]), dtype=torch.uint8)


def verdicts(model, x, y, seed):
    """The letter of each image: which attack broke it first."""
    attack = AutoAttack(model, norm={"linf": "Linf", "l1": "L1"}[NORM], eps=EPSILON, seed=seed, device="cpu", version="standard", verbose=False)
    with torch.no_grad():
        letters = ["." if right else "-" for right in model(x).argmax(1).eq(y).tolist()]
    order = iter(attack.attacks_to_run)

    def watched(perturb):
        def inner(images, labels):
            name = next(order)
            standing = [place for place, letter in enumerate(letters) if letter == "."]
            adversarial = perturb(images, labels)
            with torch.no_grad():
                broken = model(adversarial).argmax(1).ne(labels).tolist()
            for place, gone in zip(standing, broken, strict=True):
                if gone:
                    letters[place] = LETTERS[name]
            return adversarial

        return inner

    for part in (attack.apgd, attack.apgd_targeted, attack.fab, attack.square):
        part.perturb = watched(part.perturb)
    attack.run_standard_evaluation(x, y, bs=len(x))
    return letters


weights = GOLDEN / "parity-replay.safetensors"
pixels = idx("t10k-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)[: max(EXAMPLES.values())]
labels = idx("t10k-labels-idx1-ubyte", 8)[: len(pixels)].long()
x = pixels.float() / 255
networks = {}
for name, levels in (("plain", None), ("masked", LEVELS)):
    model = ResNet(weights, levels).eval()
    count = EXAMPLES[name]
    found = []
    for seed in range(SEEDS):
        found.append(verdicts(model, x[:count], labels[:count], seed))
        print(name, seed, "".join(found[-1]), flush=True)
    left = dict(TAKEN[name])
    chosen = []
    for place in range(count):
        letters = {each[place] for each in found}
        letter = next(iter(letters))
        if len(letters) == 1 and left.get(letter, 0) > 0:
            left[letter] -= 1
            with torch.no_grad():
                logits = model(x[place : place + 1])[0].tolist()
            chosen.append({"id": place, "label": labels[place].item(), "verdict": letter, "logits": logits})
    networks[name] = {"levels": levels, "examples": chosen}
    if NORM == "l1":
        networks[name]["verdicts"] = ["".join(each) for each in found]
ids = sorted({each["id"] for network in networks.values() for each in network["examples"]})
if NORM == "l1":
    ids = range(max(EXAMPLES.values()))
commit = subprocess.run(["git", "-C", sys.argv[1], "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
record = {
    "reference": commit.stdout.strip(),
    "torch": torch.__version__,
    "norm": NORM,
    "epsilon": EPSILON,
    "seeds": SEEDS,
    "pixels": {str(place): pixels[place].reshape(-1).tolist() for place in ids},
    **({"labels": labels[: len(ids)].tolist()} if NORM == "l1" else {}),
    "networks": networks,
}
text = json.dumps(record).replace('{"id"', '\n{"id"').replace('"networks"', '\n"networks"').replace('], "', '],\n"')
(GOLDEN / ("parity-replay.json" if NORM == "linf" else f"parity-replay-{NORM}.json")).write_text(text + "\n")
