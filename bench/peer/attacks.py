"""Attacks of others in PyTorch: the rival of `satin bench autoattack` and `satin bench pgd`.

A long-lived worker, so that two sides can alternate within one run. It reads one request a line from standard input and
answers each with one line of JSON on standard output:

    setup {"file": "shared.safetensors", "width": 16, "activation": "silu", "mean": null, "std": null, "norm": "linf",
           "epsilon": 0.03, "threads": 2, "device": "cpu", "reference": "auto-attack"}
        -> {"ready": true}
           the file holds the weights under their PyTorch names, and "images" (float32) and "labels" (int64)
    configure {"batch": 100, "channelsLast": true, "frozen": true}
        -> {"ready": true}
    logits 8
        -> {"logits": [[...], ...]}
    attack {"attack": "apgd-ce", "rows": [0, 2], "share": 1}
        -> {"seconds": 1.2, "forwards": 202, "backwards": 200, "broken": [2]}
           a share below 1 runs that part of each attack's steps; passes count images

`reference` is a checkout of github.com/fra31/auto-attack; pgd-50 and pgd-200-step0.25, a step of a quarter of epsilon, are those
of the package torchattacks, which takes every step, also where the name ends in -cycles. Frozen weights ask
for no gradient, which a user's network does unless told otherwise.
"""

import json
import re
import struct
import sys
import time

import numpy
import torch
from torch import nn

import activations
from resnet import ResNet18

DTYPES = {"F32": numpy.float32, "I64": numpy.int64}


def read_safetensors(path):
    """The arrays of a file in the safetensors format."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    arrays = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            numbers = numpy.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]])
            arrays[name] = torch.from_numpy(numbers.reshape(entry["shape"]).copy())
    return arrays


class Counted(nn.Module):
    """Normalisation, then the network; counts the images that go forward and backward."""

    def __init__(self, network, mean, std, device):
        super().__init__()
        self.network = network.to(device)
        each = lambda numbers: torch.tensor(numbers, device=device).view(1, -1, 1, 1)  # noqa: E731
        self.normalise = None if mean is None else (each(mean), each(std))
        self.forwards = self.backwards = 0
        self.channels_last = False

    def count_backward(self, gradient):
        self.backwards += gradient.shape[0]

    def forward(self, x):
        self.forwards += x.shape[0]
        if x.requires_grad:
            x.register_hook(self.count_backward)
        if self.normalise is not None:
            x = (x - self.normalise[0]) / self.normalise[1]
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        return self.network(x)


class Attacker:
    """A network with the images that it is attacked on, and the attacks."""

    def __init__(self, settings):
        torch.set_num_threads(settings["threads"])
        self.device = torch.device(settings["device"])
        # As Satin computes: float32 that is float32. What is fastest within that, cuDNN may choose.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        arrays = read_safetensors(settings["file"])
        self.images, self.labels = arrays.pop("images").to(self.device), arrays.pop("labels").to(self.device)
        network = ResNet18(
            settings["width"],
            activations.FUNCTIONS[settings["activation"]],
            classes=arrays["linear.weight"].shape[0],
            channels=self.images.shape[1],
        )
        network.load_state_dict(arrays, strict=True)
        self.model = Counted(network, settings["mean"], settings["std"], self.device).eval()
        self.norm, self.epsilon = settings["norm"], settings["epsilon"]
        self.batch = 250
        self.suite = None
        if settings["reference"] is not None:
            sys.path.insert(0, settings["reference"])
            from autoattack import AutoAttack

            self.suite = AutoAttack(
                self.model, norm={"linf": "Linf", "l2": "L2"}[self.norm], eps=self.epsilon, seed=0, device=self.device, verbose=False
            )

    def configure(self, settings):
        """Batch size, memory format, and whether the weights ask for gradients."""
        self.batch = settings["batch"]
        self.model.channels_last = settings["channelsLast"]
        memory_format = torch.channels_last if settings["channelsLast"] else torch.contiguous_format
        self.model.network.to(memory_format=memory_format)
        for parameter in self.model.parameters():
            parameter.requires_grad_(not settings["frozen"])

    def perturb(self, attack, share, x, y):
        """Adversarial candidates of one batch, by the settings of the reference's standard version."""

        def steps(whole):
            return max(1, round(whole * share))

        constant = re.fullmatch(r"pgd-(\d+)(?:-step([\d.]+))?(?:-cycles)?", attack)
        if constant is not None:
            import torchattacks

            count, quota = int(constant[1]), constant[2]
            alpha = self.epsilon * (2.5 / count if quota is None else float(quota))
            kind = {"linf": torchattacks.PGD, "l2": torchattacks.PGDL2}[self.norm]
            return kind(self.model, eps=self.epsilon, alpha=alpha, steps=steps(count), random_start=True)(x, y)
        if attack == "apgd-ce":
            chosen = self.suite.apgd
            chosen.loss, chosen.n_iter = "ce", steps(100)
        elif attack == "apgd-t":
            chosen = self.suite.apgd_targeted
            chosen.n_iter = steps(100)
        elif attack == "fab-t":
            chosen = self.suite.fab
            chosen.targeted, chosen.n_restarts, chosen.n_iter = True, 1, steps(100)
        elif attack == "square":
            chosen = self.suite.square
            chosen.n_queries = steps(5000)
        else:
            raise ValueError(f"Expected pgd-STEPS, apgd-ce, apgd-t, fab-t or square for attack but received {attack}.")
        chosen.seed = 0
        return chosen.perturb(x, y)

    def attack(self, request):
        """Runs one attack on the images in `rows`."""
        rows = torch.tensor(request["rows"], dtype=torch.int64, device=self.device)
        self.model.forwards = self.model.backwards = 0
        broken = []
        begun = time.perf_counter()
        for part in rows.split(self.batch) if len(rows) > 0 else ():
            x, y = self.images[part], self.labels[part]
            candidates = self.perturb(request["attack"], request["share"], x, y)
            with torch.no_grad():
                wrong = self.model(candidates).argmax(1) != y
            broken += part[wrong].tolist()
        return {
            "seconds": time.perf_counter() - begun,
            "forwards": self.model.forwards,
            "backwards": self.model.backwards,
            "broken": broken,
        }


def answer(line, attacker):
    """Carries out one request; answers the attacker that is now current and the reply."""
    command, _, rest = line.strip().partition(" ")
    if command == "setup":
        return Attacker(json.loads(rest)), {"ready": True}
    if attacker is None:
        raise ValueError(f"Expected a setup before {command} but received none.")
    if command == "configure":
        attacker.configure(json.loads(rest))
        return attacker, {"ready": True}
    if command == "logits":
        with torch.no_grad():
            return attacker, {"logits": attacker.model(attacker.images[: int(rest)]).tolist()}
    if command == "attack":
        return attacker, attacker.attack(json.loads(rest))
    raise ValueError(f"Expected setup, configure, logits or attack for the request but received {command!r}.")


def main():
    torch.set_num_interop_threads(1)
    answers, sys.stdout = sys.stdout, sys.stderr  # the reference prints warnings
    attacker = None
    for line in sys.stdin:
        try:
            attacker, reply = answer(line, attacker)
        except Exception as error:  # the other side must read what went wrong, whatever it was
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
