"""One adversarial training step in PyTorch, or one pass of an attack: the rival of `satin bench train-step` and `attack-pass`.

A long-lived worker, so that two sides can alternate within one run. It reads one request a line from standard input
and answers each with one line of JSON on standard output:

    setup {"width": 16, "activation": "silu", "variant": "compile-channels-last", "batch": 128, "threads": 2}
        -> {"ready": true, "torch": "2.13.0", "parameters": 701466, "loss": 2.4, "setupSeconds": 60.0, ...}
           after compilation and warm-up, which are in no later figure. More fields, with their defaults: "device": "cpu" or
           "cuda"; "precision": "float32", "tf32" or "bfloat16" (autocast); "attackSteps": 1; "network": "resnet18", or
           on 3x224x224 with 1000 classes "resnet50", "resnext50-32x4d" and "efficientnet-b0", which is torchvision's: of width 64
           with SiLU; "work": "step", or "attack-pass": the loss's gradient with
           respect to the images alone, batch norm in evaluation mode and folded into the convolutions. On CUDA cuDNN chooses its fastest algorithms, as a user
           who wants speed lets it, and no step waits for the card.
    run 10
        -> {"steps": 10, "seconds": 4.1, "attackSeconds": 1.6, "updateSeconds": 2.5, "imagesPerSecond": 312.2, "loss": 2.3}
    memory
        -> {"peakMegabytes": 510.2}
           the peak of resident memory so far, above what was resident when torch was loaded and no network made
    anything wrong
        -> {"error": "..."}, and the worker goes on

The step: a uniform random start in the ball and the box; the gradient of the loss with respect to the input alone, batch
norm in evaluation mode, no weight gradients; a sign step, projection; then forward and backward in training mode and SGD
(Nesterov momentum 0.9, weight decay 5e-4, foreach). Variants: eager, channels-last, compile, compile-channels-last.
"""

import json
import os
import sys
import time
from functools import partial

import torch
from torch.fx.experimental.optimization import fuse
from torch.nn import functional

from resnet import ResNet18, ResNet50

VARIANTS = ("eager", "channels-last", "compile", "compile-channels-last")
ACTIVATIONS = {"relu": functional.relu, "silu": functional.silu}
EPSILON = 8 / 255  # radius of the L-infinity ball, in pixels of [0, 1]
STEP_SIZE = 10 / 255  # 1.25 epsilon: one step reaches the far side of the ball from most starts
LEARNING_RATE = 0.01  # low: the data are noise, and gradients that vanish would bring slow denormal numbers
BATCHES = 8  # batches of noise that the steps go round
WARM_UP_STEPS = 3


def efficientnet_b0(width, activation, classes):
    from torchvision import models

    if width != 64 or activation is not functional.silu:
        raise ValueError("Expected width 64 and silu, as torchvision's EfficientNet has them.")
    return models.efficientnet_b0(num_classes=classes)


NETWORKS = {  # with the size of images and the classes
    "resnet18": (ResNet18, 32, 10),
    "resnet50": (ResNet50, 224, 1000),
    "resnext50-32x4d": (partial(ResNet50, groups=32), 224, 1000),
    "efficientnet-b0": (efficientnet_b0, 224, 1000),
}
PRECISIONS = ("float32", "tf32", "bfloat16")
WORK = ("step", "attack-pass")
DEFAULTS = {"device": "cpu", "precision": "float32", "attackSteps": 1, "network": "resnet18", "work": "step"}


def random_start(x):
    """A uniform point of the ball around x, cut to the box."""
    return (x + EPSILON * (2 * torch.rand_like(x) - 1)).clamp(0, 1)


def ascend(x, start, gradient, step_size=STEP_SIZE):
    """One sign step from `start`, projected to the ball around x and to the box."""
    stepped = start + step_size * gradient.sign()
    return torch.minimum(torch.maximum(stepped, x - EPSILON), x + EPSILON).clamp(0, 1)


class Step:
    """A network with its optimiser and data, and the two halves of a training step."""

    def __init__(self, width, activation, variant, batch, device, precision, attackSteps, network, work):
        torch.manual_seed(0)
        self.device, self.attack_steps = torch.device(device), attackSteps
        self.step_size = STEP_SIZE if attackSteps == 1 else 2.5 * EPSILON / attackSteps
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"
        torch.backends.cudnn.benchmark = True
        self.cast = precision == "bfloat16"
        make, size, classes = NETWORKS[network]
        self.memory_format = torch.channels_last if variant.endswith("channels-last") else torch.contiguous_format
        self.model = make(width, ACTIVATIONS[activation], classes)
        self.is_pass = work == "attack-pass"
        if self.is_pass:
            self.model = fuse(self.model.eval()).requires_grad_(False)
        self.model = self.model.to(self.device, memory_format=self.memory_format)
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.SGD(
            self.parameters, lr=LEARNING_RATE, momentum=0.9, nesterov=True, weight_decay=5e-4, foreach=True
        )
        self.batches = [
            (
                torch.rand(batch, 3, size, size).to(self.device).contiguous(memory_format=self.memory_format),
                torch.randint(classes, (batch,)).to(self.device),
            )
            for _ in range(BATCHES)
        ]
        self.taken = 0
        compiled = variant.startswith("compile")
        self.loss = self.plain_loss
        self.attack = self.eager_gradient if self.is_pass else self.eager_attack
        self.apply = self.optimizer.step
        if compiled:
            # The attack, its gradient included, is one graph; so are forward, backward and the optimiser's step.
            torch._dynamo.reset()
            self.loss = torch.compile(self.plain_loss, fullgraph=True)
            self.attack = torch.compile(self.functional_gradient if self.is_pass else self.functional_attack, fullgraph=True)
            self.apply = torch.compile(self.optimizer.step)

    def plain_loss(self, x, y):
        if not self.cast:
            return functional.cross_entropy(self.model(x), y)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            return functional.cross_entropy(self.model(x).float(), y)

    def eager_attack(self, x, y):
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        point = random_start(x)
        for _ in range(self.attack_steps):
            point = point.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.plain_loss(point, y), point)
            point = ascend(x, point.detach(), gradient, self.step_size)
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        return point

    def eager_gradient(self, x, y):
        point = x.detach().requires_grad_()
        return torch.autograd.grad(self.plain_loss(point, y), point)[0]

    def functional_gradient(self, x, y):
        return torch.func.grad(self.plain_loss)(x, y)

    def functional_attack(self, x, y):
        point = random_start(x)
        for _ in range(self.attack_steps):
            point = ascend(x, point, torch.func.grad(self.plain_loss)(point, y), self.step_size)
        return point

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def attack_batch(self, x, y):
        self.model.eval()
        if self.attack in (self.eager_attack, self.eager_gradient):
            return self.attack(x, y)
        with torch.no_grad():  # keeps weight gradients out of the compiled graph; torch.func.grad is not affected
            return self.attack(x, y)

    def update(self, x, y):
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(x, y)
        loss.backward()
        self.apply()
        return loss

    def run(self, steps):
        """Takes `steps` steps; answers what each half took, in seconds, and the last loss."""
        attack_seconds = update_seconds = 0.0
        self.wait()
        begun = time.perf_counter()
        for _ in range(steps):
            x, y = self.batches[self.taken % BATCHES]
            self.taken += 1
            before = time.perf_counter()
            adversarial = self.attack_batch(x, y)
            between = time.perf_counter()
            loss = adversarial.sum() if self.is_pass else self.update(adversarial, y)
            if self.device.type == "cpu":
                loss = loss.item()
            update_seconds += time.perf_counter() - between
            attack_seconds += between - before
        self.wait()
        seconds = time.perf_counter() - begun
        return {
            "steps": steps,
            "seconds": seconds,
            "attackSeconds": attack_seconds,
            "updateSeconds": update_seconds,
            "imagesPerSecond": steps * self.batches[0][0].shape[0] / seconds,
            "loss": float(loss),
        }


def setup(settings):
    """Builds the step that `settings` describes, compiles it, warms it up; answers it and a description."""
    needed = {"width", "activation", "variant", "batch", "threads"}
    if not isinstance(settings, dict) or not needed <= set(settings) or not set(settings) <= needed | set(DEFAULTS):
        raise ValueError(f"Expected the fields {sorted(needed)} for setup, and of {sorted(DEFAULTS)}, but received {settings}.")
    settings = {**DEFAULTS, **settings}
    for name, known in (("network", NETWORKS), ("precision", PRECISIONS), ("device", ("cpu", "cuda")), ("work", WORK)):
        if settings[name] not in known:
            raise ValueError(f"Expected one of {list(known)} for {name} but received {settings[name]}.")
    if settings["activation"] not in ACTIVATIONS:
        raise ValueError(f"Expected one of {list(ACTIVATIONS)} for activation but received {settings['activation']}.")
    if settings["variant"] not in VARIANTS:
        raise ValueError(f"Expected one of {list(VARIANTS)} for variant but received {settings['variant']}.")
    for name in ("width", "batch", "threads", "attackSteps"):
        if type(settings[name]) is not int or settings[name] < 1:
            raise ValueError(f"Expected a positive whole number for {name} but received {settings[name]}.")
    torch.set_num_threads(settings["threads"])
    begun = time.perf_counter()
    step = Step(**{name: value for name, value in settings.items() if name != "threads"})
    warm = step.run(WARM_UP_STEPS)
    described = {
        "ready": True,
        "torch": torch.__version__,
        **settings,
        "threads": torch.get_num_threads(),
        "parameters": sum(parameter.numel() for parameter in step.parameters),
        "loss": warm["loss"],
        "setupSeconds": time.perf_counter() - begun,
    }
    return step, described


def account(name):
    """A line of the kernel's account of this process, VmRSS or VmHWM, in MB."""
    with open("/proc/self/status") as status:
        (line,) = [line for line in status if line.startswith(name + ":")]
    return int(line.split()[1]) * 1024 / 1e6


def answer(line, step, idle):
    """Carries out one request; answers the step that is now current and the reply."""
    command, _, rest = line.strip().partition(" ")
    if command == "setup":
        return setup(json.loads(rest))
    if command == "run":
        if step is None:
            raise ValueError("Expected a setup before run but received none.")
        steps = int(rest)
        if steps < 1:
            raise ValueError(f"Expected a positive whole number of steps for run but received {rest}.")
        return step, step.run(steps)
    if command == "memory":
        return step, {"peakMegabytes": account("VmHWM") - idle}
    raise ValueError(f"Expected setup, run or memory for the request but received {command!r}.")


def main():
    torch.set_num_interop_threads(1)
    step = None
    idle = account("VmRSS") if os.path.exists("/proc/self/status") else 0.0
    for line in sys.stdin:
        try:
            step, reply = answer(line, step, idle)
        except Exception as error:  # the other side must read what went wrong, whatever it was
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
