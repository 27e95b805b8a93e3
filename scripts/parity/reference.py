"""python scripts/parity/reference.py PARITY REFERENCE NETWORK RUN SEED START: the reference's verdicts on one slice.

The reference is run as it is, `run_standard_evaluation` of version `standard` or of one attack alone, on the slice as one
batch. The network is Satin's, its batch norms folded into the convolutions; its logits are compared with Satin's before
anything else. No parameter asks for a gradient, which spares the reference work and changes no verdict.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional

parity, reference, network, run, seed, start = sys.argv[1:]
parity, seed, start = Path(parity), int(seed), int(start)
sys.path.insert(0, reference)
from autoattack import AutoAttack  # noqa: E402

SLICE = 50
LETTERS = {"apgd-ce": "c", "apgd-t": "t", "fab-t": "f", "square": "s"}
settings = json.loads(Path(__file__).with_name("networks.json").read_text())[network]
torch.set_num_threads(int(os.environ.get("PARITY_THREADS", "1")))


def activation(name, weights):
    if name == "relu":
        return lambda _, x: functional.relu(x)
    if name == "silu":
        return lambda _, x: functional.silu(x)
    if name == "smooth-relu":
        alphas = {key[: -len(".r")]: value.square() for key, value in weights.items() if key.endswith(".r")}

        def smooth(place, x):
            positive = functional.relu(x)
            return positive - torch.log1p(alphas[place] * positive) / alphas[place]

        return smooth
    raise ValueError(name)


class ResNet18:
    """Satin's ResNet-18 in evaluation mode, of the arrays of a weights file."""

    def __init__(self, path):
        with safe_open(path, "pt") as file:
            description = json.loads(file.metadata()["model"])
            self.weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        assert description["architecture"] == "resnet18", description
        self.activate = activation(description["activation"], self.weights)
        constant = description["normalise"]
        self.mean, self.std = (torch.tensor(constant[key]).reshape(1, -1, 1, 1) for key in ("mean", "std"))
        self.folded = {}

    def convolve(self, x, convolution, norm, stride=1):
        if convolution not in self.folded:
            weight = self.weights[f"{convolution}.weight"].double()
            scale, bias, mean, var = (
                self.weights[f"{norm}.{part}"].double() for part in ("weight", "bias", "running_mean", "running_var")
            )
            scale = scale / (var + 1e-5).sqrt()
            self.folded[convolution] = (
                (weight * scale.reshape(-1, 1, 1, 1)).float().contiguous(memory_format=FORMAT),
                (bias - mean * scale).float(),
            )
        weight, bias = self.folded[convolution]
        return functional.conv2d(x, weight, bias, stride=stride, padding=weight.shape[-1] // 2)

    def __call__(self, x):
        if "levels" in settings:  # quantised.mjs has the same function
            levels = settings["levels"]
            steps = x * 0
            for level in range(levels):
                steps = steps + (x > (level + 0.5) / levels).float()
            x = steps / levels
        x = ((x - self.mean) / self.std).contiguous(memory_format=FORMAT)
        out = self.activate("act1", self.convolve(x, "conv1", "bn1"))
        for stage in (1, 2, 3, 4):
            for block in (0, 1):
                at = f"layer{stage}.{block}"
                stride = 2 if stage > 1 and block == 0 else 1
                inner = self.activate(f"{at}.act1", self.convolve(out, f"{at}.conv1", f"{at}.bn1", stride))
                if f"{at}.shortcut.0.weight" in self.weights:
                    out = self.convolve(out, f"{at}.shortcut.0", f"{at}.shortcut.1", stride)
                out = self.activate(f"{at}.act2", self.convolve(inner, f"{at}.conv2", f"{at}.bn2") + out)
        return functional.linear(out.mean((2, 3)), self.weights["linear.weight"], self.weights["linear.bias"])


FORMAT = torch.channels_last  # a sixth faster on the machine of the table
with safe_open(parity / "arrays" / f"{network}.safetensors", "pt") as file:
    metadata = file.metadata()
    x, y, expected = (file.get_tensor(name)[start : start + SLICE] for name in ("x", "y", "logits"))
checkpoint = json.loads((parity / "nets" / settings["weights"] / "checkpoints" / "best.json").read_text())
weights = checkpoint["content"]["weights"]
assert weights["digest"] == metadata["weightsDigest"], (weights, metadata)
model = ResNet18(parity / "nets" / settings["weights"] / "checkpoints" / weights["file"])
with torch.no_grad():
    difference = (model(x) - expected).abs().max().item()
assert difference <= 1e-4, f"logits differ by {difference}"

numerator, _, denominator = settings["epsilon"].partition("/")
epsilon = float(numerator) / float(denominator or 1)
options = {"norm": {"linf": "Linf", "l2": "L2", "l1": "L1"}[settings["norm"]], "eps": epsilon, "seed": seed, "device": "cpu"}
attack = AutoAttack(model, **options, version="standard", verbose=False)
if run != "standard":
    attack.attacks_to_run = [run]  # as `run_standard_evaluation_individual` does

# Which attack broke which example is not told; so what each is given and returns is looked at.
with torch.no_grad():
    verdicts = ["." if right else "-" for right in model(x).argmax(1).eq(y).tolist()]
order = iter(attack.attacks_to_run)


def watched(perturb):
    def inner(images, labels):
        name = next(order)
        standing = [place for place, verdict in enumerate(verdicts) if verdict == "."]
        adversarial = perturb(images, labels)
        with torch.no_grad():
            broken = model(adversarial).max(dim=1)[1].ne(labels).tolist()
        for place, gone in zip(standing, broken, strict=True):
            if gone:
                verdicts[place] = LETTERS[name]
        return adversarial

    return inner


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


for part in (attack.apgd, attack.apgd_targeted, attack.fab, attack.square):
    part.perturb = watched(part.perturb)
began = cpu_seconds()
adversarial, predicted = attack.run_standard_evaluation(x, y, bs=SLICE, return_labels=True)
seconds = cpu_seconds() - began
assert [verdict == "." for verdict in verdicts] == predicted.eq(y).tolist()

distance = (adversarial - x).flatten(1).norm(p={"linf": float("inf"), "l2": 2, "l1": 1}[settings["norm"]], dim=1).max().item()
record = {
    "verdicts": "".join(verdicts),
    "cpuSeconds": seconds,
    "commit": subprocess.run(
        ["git", "-C", reference, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip(),
    "torch": torch.__version__,
    "logits": difference,
    "distance": distance,
    "weightsDigest": metadata["weightsDigest"],
    "pixelsDigest": metadata["pixelsDigest"],
}
folder = parity / "jobs" / network
folder.mkdir(parents=True, exist_ok=True)
name = f"reference-{run}-{seed}-{start}"
broken = {str(start + at): adversarial[at].contiguous() for at in range(len(x)) if verdicts[at] in LETTERS.values()}
save_file(broken, folder / f"{name}.safetensors")
part = folder / f"{name}.json.part"
part.write_text(json.dumps(record))
part.rename(folder / f"{name}.json")
