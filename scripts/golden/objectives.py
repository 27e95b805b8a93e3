"""Writes test/golden/objectives.json: ten steps of every training objective on a small network, in float64.

The network is a ResNet-8 for CIFAR (He et al. 2016, option A) of one, two and four channels with batch norm; the
optimiser SGD with Nesterov momentum, and decay on tensors of more than one dimension. Every objective is written from
its definition. Each case tells the loss and all gradients of the first step, the loss of every step, and weights and
running statistics at the end. Noise is Satin's own (philox.py), so that both begin at the same points.

What is fixed where definitions leave it open:
    the attack runs on a copy of the network, so that it moves no running statistics
    TRADES and MART run the clean images and then the adversarial ones, once each, in training mode
    GradAlign's passes and AWP's proxy move no running statistics
    class weights are those of PyTorch's cross-entropy, and the same weighted mean in every other term of a loss but
        GradAlign's; the attack has none
    GradAlign at the attack's start takes the gradient of the start's noise through the clamp to the box
        (tml-epfl/understanding-fast-adv-training, train.py: `grad` of the branch `fgsm`)

    python scripts/golden/objectives.py
"""

import copy
import math

import torch
from torch import nn
from torch.nn import functional

from philox import draw
from storage import exact, generator, stored, write

SEED, BATCHES, BATCH, STEPS = 7, 2, 6, 10
RATE, MOMENTUM, DECAY = 0.1, 0.9, 5e-4
EPSILON = 0.05
random = generator("objectives")
IMAGES = exact((BATCHES * BATCH, 2, 8, 8), random, 0, 2) / 2
IMAGES[:, 0, 0, :] = 0  # the box cuts here
IMAGES[:, 1, 7, :] = 1
LABELS = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3])


class Substitute(torch.autograd.Function):
    """ReLU's value with the derivative of Parametric Softplus, the sigmoid of 10 x (Table 1 of the paper)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, slope):
        return slope * torch.sigmoid(10 * ctx.saved_tensors[0])


ACTIVATIONS = {"silu": functional.silu, "relu": functional.relu}


class Block(nn.Module):
    def __init__(self, net, inputs, outputs, stride):
        super().__init__()
        self.net, self.stride = [net], stride  # in a list: no submodule
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        before = (outputs - inputs) // 2
        self.padding = (0, 0, 0, 0, before, outputs - inputs - before)

    def forward(self, x):
        activation = self.net[0].activation
        inner = self.bn2(self.conv2(activation(self.bn1(self.conv1(x)))))
        return activation(inner + functional.pad(x[:, :, :: self.stride, :: self.stride], self.padding))


class ResNet8(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(2, 1, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(1)
        self.layer1 = nn.Sequential(Block(self, 1, 1, 1))
        self.layer2 = nn.Sequential(Block(self, 1, 2, 2))
        self.layer3 = nn.Sequential(Block(self, 2, 4, 2))
        self.linear = nn.Linear(4, 4)

    def __deepcopy__(self, _):
        other = ResNet8(self.activation).double()
        other.load_state_dict(self.state_dict())
        return other

    def forward(self, x):
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.layer3(self.layer2(self.layer1(out)))
        return self.linear(out.mean((2, 3)))


INITIAL = ResNet8(functional.silu).double()
with torch.no_grad():
    for name, parameter in INITIAL.named_parameters():
        norm = parameter.dim() == 1 and "bn" in name and name.endswith("weight")
        parameter.copy_(exact(tuple(parameter.shape), random, -1, 1) * (0.25 if norm else 0.75) + (1 if norm else 0))


class Place:
    def __init__(self, step, replays):
        self.step, self.replays = step, replays
        self.per_epoch = BATCHES * replays
        self.epoch = 1 + step // self.per_epoch
        first = step // replays % BATCHES * BATCH
        self.ids = range(first, first + BATCH)
        self.x, self.y = IMAGES[first : first + BATCH], LABELS[first : first + BATCH]

    def ramp(self, epochs):
        return min(1, (self.step + 1) / max(1, epochs * self.per_epoch))

    def noise(self, distribution, stream):
        return draw(distribution, self.ids, (2, 8, 8), seed=SEED, stream=stream, epoch=self.epoch)


def begin(spec, place, epsilon):
    x, kind = place.x, spec["kind"]
    if kind == "sat":
        coin = draw("uniform", [0], (1,), seed=SEED, stream="cleanStart", step=place.step).item()
        if coin < spec["clean"]:
            return x
    if kind in ("uniform", "sat"):
        point = x + (2 * place.noise("uniform", "trainingAttack") - 1) * epsilon
        return point if kind == "sat" and not spec["clip"] else point.clamp(0, 1)
    if kind == "normal":
        return x + spec["deviation"] * place.noise("normal", "trainingAttack")
    return x


def perturb(model, spec, place):
    """PGD in L-infinity on a copy of the model."""
    x, y = place.x, place.y
    ramp = place.ramp(spec.get("epsilonWarmup", 0))
    epsilon = spec["epsilon"] * ramp
    length = spec["stepSize"] * ramp * place.ramp(spec.get("stepWarmup", 0))
    copied = copy.deepcopy(model).train(spec["batchNorm"] == "train")
    if "derivative" in spec:
        copied.activation = Substitute.apply
    point = begin(spec["start"], place, epsilon)
    for _ in range(spec["steps"]):
        moved = point.detach().clone().requires_grad_()
        if spec.get("loss") == "kl":
            clean = copied(x).softmax(1).detach()
            loss = functional.kl_div(copied(moved).log_softmax(1), clean, reduction="sum")
        else:
            loss = functional.cross_entropy(copied(moved), y)
        (slope,) = torch.autograd.grad(loss, moved)
        point = moved.detach() + length * slope.sign()
        point = torch.max(torch.min(point, x + epsilon), x - epsilon).clamp(0, 1)
    return point.detach()


def weights_of(spec):
    return torch.tensor(spec["classWeights"], dtype=torch.float64) if "classWeights" in spec else None


def mean(each, y, spec):
    weights = weights_of(spec)
    return each.mean() if weights is None else (weights[y] * each).sum() / weights[y].sum()


def weighted(logits, y, spec):
    smoothing = spec.get("labelSmoothing", 0)
    return functional.cross_entropy(logits, y, weight=weights_of(spec), label_smoothing=smoothing)


def cross_entropy(model, x, adversarial, y, spec):
    return weighted(model(adversarial), y, spec)


def trades(model, x, adversarial, y, spec):
    clean, robust = model(x), model(adversarial)
    divergence = functional.kl_div(robust.log_softmax(1), clean.log_softmax(1), reduction="none", log_target=True)
    return weighted(clean, y, spec) + spec["beta"] * mean(divergence.sum(1), y, spec)


def mart(model, x, adversarial, y, spec, tiny=0.0):
    """The authors' formula; their code adds 1e-12 to the probabilities in logarithms (`tiny`)."""
    clean, logits = model(x).softmax(1), model(adversarial)
    robust = logits.softmax(1)
    top = robust.argsort(1)[:, -2:]
    rival = torch.where(top[:, 1] == y, top[:, 0], top[:, 1])
    margin = functional.nll_loss((1.0001 - robust + tiny).log(), rival, reduction="none")
    boosted = weighted(logits, y, spec) + mean(margin, y, spec)
    divergence = (clean * (clean.log() - (robust + tiny).log())).sum(1)
    doubt = 1.0000001 - clean.gather(1, y.unsqueeze(1)).squeeze(1)
    return boosted + spec["beta"] * mean(divergence * doubt, y, spec)


LOSSES = {"ce": cross_entropy, "trades": trades, "mart": mart}


def keep_statistics(model, keep):
    """Batch statistics in batch norm all the same, but the running ones stay."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = not keep


def grad_align(model, place, spec, epsilon):
    def slope(x, attached, noise=None):
        clamps = noise is not None
        delta = (noise if clamps else torch.zeros_like(x)).clone().requires_grad_()
        loss = functional.cross_entropy(model((x + delta).clamp(0, 1) if clamps else x + delta), place.y)
        (result,) = torch.autograd.grad(loss, delta, create_graph=attached)
        return result

    noise = (2 * place.noise("uniform", "gradAlign") - 1) * epsilon
    keep_statistics(model, True)
    begun = (2 * place.noise("uniform", "trainingAttack") - 1) * epsilon if spec.get("at") == "start" else None
    here, there = slope(place.x, not spec["detach"], begun), slope(place.x + noise, True)
    keep_statistics(model, False)
    cosine = functional.cosine_similarity(here.flatten(1), there.flatten(1), dim=1, eps=0)
    return spec["weight"] * (1 - cosine).mean()


def weight_move(model, loss, gamma):
    """One SGD step of a copy on the negated loss, scaled to the weights (csdongxian/AWP, utils_awp.py)."""
    proxy = copy.deepcopy(model).train()
    proxy.activation = model.activation
    optimizer = torch.optim.SGD(proxy.parameters(), lr=0.01)
    (-loss(proxy)).backward()
    optimizer.step()
    moves = {}
    for (name, old), new in zip(model.named_parameters(), proxy.parameters(), strict=True):
        if old.dim() > 1:
            difference = (new - old).detach()
            moves[name] = gamma * old.detach().norm() / (difference.norm() + 1e-20) * difference
    return moves


def move(model, moves, sign):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in moves:
                parameter.add_(sign * moves[name])


def free_step(model, place, spec, noise):
    """Loss with its graph down to the weights, and the noise of the next step."""
    ramp = place.ramp(spec.get("epsilonWarmup", 0))
    epsilon = spec["epsilon"] * ramp
    noise = noise.clone().requires_grad_()
    logits = model((place.x + noise).clamp(0, 1))
    loss = weighted(logits, place.y, spec)
    loss.backward()
    with torch.no_grad():
        return loss, (noise + spec["stepSize"] * ramp * noise.grad.sign()).clamp(-epsilon, epsilon)


def gradient_norm(model, place, spec):
    """The authors' loss, with respect to pixels: the dual norm of the input's gradient is what epsilon can add to the loss."""
    x = place.x.clone().requires_grad_()
    loss = weighted(model(x), place.y, spec)
    (slope,) = torch.autograd.grad(loss, x, create_graph=True)
    weights = weights_of(spec)
    total = len(x) if weights is None else weights[place.y].sum()
    slope = total * slope.flatten(1)
    norms = slope.abs().sum(1) if spec["norm"] == "linf" else slope.pow(2).sum(1).sqrt()
    warmup = spec["warmup"] * place.per_epoch
    ramp = 1 if warmup == 0 else min(1, place.step / warmup)
    return spec["crossEntropy"] * loss + spec["penalty"] * ramp * spec["epsilon"] * norms.sum() / total


def run(spec):
    model = copy.deepcopy(INITIAL).train()
    model.activation = ACTIVATIONS[spec.get("activation", "silu")]
    named = dict(model.named_parameters())
    optimizer = torch.optim.SGD(
        [
            {"params": [p for p in named.values() if p.dim() > 1], "weight_decay": DECAY},
            {"params": [p for p in named.values() if p.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=RATE,
        momentum=MOMENTUM,
        nesterov=True,
    )
    usual = model.activation
    weighting = {key: spec[key] for key in ("classWeights",) if key in spec}
    noise = torch.zeros(BATCH, 2, 8, 8, dtype=torch.float64)
    losses, first, extra = [], None, {}
    for step in range(STEPS):
        place = Place(step, spec.get("replays", 1))
        optimizer.zero_grad()
        moves = {}
        if spec["objective"] == "free":
            loss, noise = free_step(model, place, spec, noise)
        elif spec["objective"] == "gradientNorm":
            loss = gradient_norm(model, place, spec)
            loss.backward()
        else:
            model.activation = usual
            attack = spec.get("attack")
            adversarial = place.x if attack is None else perturb(model, attack, place)
            if "derivative" in spec:
                model.activation = Substitute.apply

            def objective(network, place=place, adversarial=adversarial):
                kind = {"name": "ce", **spec.get("loss", {}), **weighting}
                return LOSSES[kind["name"]](network, place.x, adversarial, place.y, kind)

            if step == 0 and spec.get("loss", {}).get("name") == "mart":
                other = mart(copy.deepcopy(model), place.x, adversarial, place.y, spec["loss"], tiny=1e-12)
                extra["lossOfTheAuthors"] = other.item()
            if "awp" in spec and step >= spec["awp"]["warmup"] * place.per_epoch:
                moves = weight_move(model, objective, spec["awp"]["gamma"])
                move(model, moves, 1)
            loss = objective(model)
            if "gradAlign" in spec:
                loss = loss + grad_align(
                    model, place, spec["gradAlign"], attack["epsilon"] * place.ramp(attack.get("epsilonWarmup", 0))
                )
            loss.backward()
        losses.append(loss.item())
        if first is None:
            first = {name: stored(p.grad) for name, p in named.items()}
        optimizer.step()
        move(model, moves, -1)
    final = {k: stored(v) for k, v in model.state_dict().items() if v.is_floating_point()}
    return {**spec, **extra, "losses": losses, "gradients": first, "final": final}


def pgd(**changes):
    usual = {"epsilon": EPSILON, "steps": 2, "stepSize": 0.04, "start": {"kind": "uniform"}, "batchNorm": "eval"}
    return {**usual, **changes}


FAST = pgd(steps=1, stepSize=1.25 * EPSILON)
NEAR = pgd(stepSize=0.03, start={"kind": "normal", "deviation": 0.001})
KL = {**NEAR, "loss": "kl"}
TRADES = {"name": "trades", "beta": 6}
WEIGHTS = [0.5, 2.0, 1.25, 0.75]
SMOOTH = {"name": "ce", "labelSmoothing": 0.1}


def sat(clean, clip=False):
    return pgd(steps=1, stepSize=EPSILON, start={"kind": "sat", "clean": clean, "clip": clip})


def adversarial(name, attack, **rest):
    return {"name": name, "objective": "adversarial", "attack": attack, **rest}


CASES = [
    {"name": "clean", "objective": "clean"},
    {"name": "clean, label smoothing", "objective": "clean", "loss": SMOOTH},
    adversarial("PGD-2", pgd()),
    adversarial("PGD-2, batch norm of the batch in the attack, label smoothing",
                pgd(start={"kind": "image"}, batchNorm="train"), loss=SMOOTH),
    adversarial("Fast", FAST),
    adversarial("SAT from noise", sat(0), loss=SMOOTH),
    adversarial("SAT from clipped noise", sat(0, clip=True), loss=SMOOTH),
    adversarial("SAT from the images", sat(1), loss=SMOOTH),
    adversarial("SAT from either", sat(0.5), loss=SMOOTH),
    adversarial("TRADES", KL, loss=TRADES),
    adversarial("TRADES, label smoothing", KL, loss={**TRADES, "labelSmoothing": 0.1}),
    adversarial("MART", NEAR, loss={"name": "mart", "beta": 5}),
    {"name": "Free", "objective": "free", "replays": 2, "epsilon": EPSILON, "stepSize": EPSILON, "labelSmoothing": 0.1},
    adversarial("PGD-2 with AWP", pgd(), awp={"gamma": 0.01, "warmup": 0}),
    adversarial("TRADES with AWP", KL, loss=TRADES, awp={"gamma": 0.005, "warmup": 0}),
    adversarial("Fast with GradAlign", FAST, gradAlign={"weight": 0.2, "detach": True}),
    adversarial("Fast with GradAlign at the attack's start", FAST, gradAlign={"weight": 0.2, "detach": True, "at": "start"}),
    adversarial("Fast with GradAlign through both gradients", FAST, gradAlign={"weight": 0.2, "detach": False}),
    adversarial("PGD-2 with every warm-up", pgd(epsilonWarmup=2, stepWarmup=3),
                awp={"gamma": 0.01, "warmup": 1.5}, gradAlign={"weight": 0.2, "detach": True}),
    {"name": "gradient norm", "objective": "gradientNorm", "norm": "linf", "epsilon": EPSILON, "crossEntropy": 0.8, "penalty": 1.2,
     "warmup": 2, "labelSmoothing": 0.1},
    {"name": "gradient norm, L2", "objective": "gradientNorm", "norm": "l2", "epsilon": 0.5, "crossEntropy": 0.8, "penalty": 1.2,
     "warmup": 0, "labelSmoothing": 0},
    {"name": "clean, class weights", "objective": "clean", "classWeights": WEIGHTS},
    {"name": "clean, class weights, label smoothing", "objective": "clean", "loss": SMOOTH, "classWeights": WEIGHTS},
    adversarial("PGD-2 with AWP, class weights", pgd(), awp={"gamma": 0.01, "warmup": 0}, classWeights=WEIGHTS),
    adversarial("SAT from noise, class weights", sat(0), loss=SMOOTH, classWeights=WEIGHTS),
    adversarial("Fast with GradAlign, class weights", FAST, gradAlign={"weight": 0.2, "detach": True}, classWeights=WEIGHTS),
    adversarial("TRADES, class weights, label smoothing", KL, loss={**TRADES, "labelSmoothing": 0.1}, classWeights=WEIGHTS),
    adversarial("MART, class weights", NEAR, loss={"name": "mart", "beta": 5}, classWeights=WEIGHTS),
    {"name": "Free, class weights", "objective": "free", "replays": 2, "epsilon": EPSILON, "stepSize": EPSILON, "labelSmoothing": 0.1,
     "classWeights": WEIGHTS},
    {"name": "gradient norm, class weights", "objective": "gradientNorm", "norm": "linf", "epsilon": EPSILON, "crossEntropy": 0.8,
     "penalty": 1.2, "warmup": 0, "labelSmoothing": 0.1, "classWeights": WEIGHTS},
    adversarial("ReLU, another derivative in the attack", pgd(derivative="parametric-softplus"), activation="relu"),
    adversarial("ReLU, another derivative in the update", pgd(), activation="relu", derivative="parametric-softplus"),
]  # fmt: skip

header = {
    "torch": torch.__version__,
    "seed": SEED,
    "stepsPerPass": BATCHES,
    "batch": BATCH,
    "optimizer": {"learningRate": RATE, "momentum": MOMENTUM, "nesterov": True, "weightDecay": DECAY},
    "images": stored(IMAGES),
    "labels": LABELS.tolist(),
    "initial": {name: stored(parameter) for name, parameter in INITIAL.named_parameters()},
}
for case in (results := [run(case) for case in CASES]):
    assert math.isfinite(case["losses"][-1]), case["name"]
    print(case["name"], [round(loss, 4) for loss in case["losses"]])
write("objectives", header, {"cases": results})
