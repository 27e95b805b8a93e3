"""Writes test/golden/autoattack.json: what the reference implementation of AutoAttack does on small fixed networks.

The reference (fra31/auto-attack on GitHub) is not part of this project: give the path of a checkout of it. It is run in
float64 throughout, unchanged: its local variables are read while it runs.

    python scripts/golden/autoattack_traces.py PATH
"""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch
from torch.nn import functional

from storage import exact, generator, stored, write

reference = Path(sys.argv[1])
sys.path.insert(0, str(reference))
from autoattack import fab_projections  # noqa: E402
from autoattack.autopgd_base import APGDAttack, APGDAttack_targeted  # noqa: E402
from autoattack.fab_base import FABAttack  # noqa: E402
from autoattack.fab_pt import FABAttack_PT  # noqa: E402
from autoattack.square import SquareAttack  # noqa: E402

torch.set_default_dtype(torch.float64)
commit = subprocess.run(
    ["git", "-C", reference, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
).stdout.strip()
print(f"auto-attack {commit}, torch {torch.__version__}")

random = generator("autoattack")
CLASSES = 5
WEIGHTS = {
    "conv.weight": exact((3, 2, 3, 3), random, -4, 4),
    "conv.bias": exact((3,), random, -0.5, 0.5),
    "linear.weight": exact((CLASSES, 48), random, -0.25, 0.25),
    "linear.bias": torch.zeros(CLASSES),
}
IMAGES = exact((6, 2, 4, 4), random, 0, 1)
IMAGES[:, 0, 0, :] = 0
IMAGES[:, 1, 3, :] = 1
EPSILONS = {"Linf": 0.1, "L2": 0.25}
NAMES = {"Linf": "linf", "L2": "l2"}


def classify(x):
    hidden = functional.silu(functional.conv2d(x, WEIGHTS["conv.weight"], WEIGHTS["conv.bias"], padding=1))
    return functional.linear(hidden.flatten(1), WEIGHTS["linear.weight"], WEIGHTS["linear.bias"])


# The bias balances the classes, in steps that float32 holds, so that there are several labels.
WEIGHTS["linear.bias"] -= (classify(IMAGES).mean(0) * 1024).round() / 1024
LABELS = classify(IMAGES).argmax(1)


@contextmanager
def watching(function, line, see):
    """Calls `see` with the local variables of `function` whenever it comes to a line that reads `line`."""
    code = function.__code__
    source = Path(code.co_filename).read_text().splitlines()
    numbers = [
        number
        for number in range(code.co_firstlineno, code.co_firstlineno + 400)
        if number <= len(source) and source[number - 1].strip() == line
    ]
    at = numbers[0]

    def inside(frame, event, _):
        if event == "line" and frame.f_lineno == at:
            see(frame.f_locals)
        return inside

    sys.settrace(lambda frame, _, __: inside if frame.f_code is code else None)
    try:
        yield
    finally:
        sys.settrace(None)


def directions(norm):
    """Steps of length 1 in the norm."""
    noise = exact(tuple(IMAGES.shape), random, -1, 1)
    if norm == "Linf":
        return noise / noise.abs().amax((1, 2, 3), keepdim=True)
    return noise / noise.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)


DIRECTIONS = {norm: directions(norm) for norm in EPSILONS}


def apgd(norm, epsilon, loss, rank, steps, model):
    """The checkpoints of one run, and which examples it broke."""
    common = {"norm": norm, "eps": epsilon, "n_iter": steps, "device": "cpu"}
    if rank == 0:
        attack = APGDAttack(model, loss=loss, **common)
    else:
        attack = APGDAttack_targeted(model, **common)
        attack.y_target = classify(IMAGES).argsort(dim=1, descending=True)[:, rank]
    attack.init_hyperparam(IMAGES)
    checkpoints = []

    def see(now):
        checkpoints.append(
            {
                "step": now["i"] + 1,
                "stepSize": now["step_size"].flatten().tolist(),
                "bestLoss": now["loss_best"].tolist(),
                "restarted": now["fl_oscillation"].bool().tolist(),
            }
        )

    with watching(APGDAttack.attack_single_run, "k = max(k - self.size_decr, self.n_iter_min)", see):
        start = (IMAGES + epsilon * DIRECTIONS[norm]).clamp(0, 1)
        _, standing, _, _ = attack.attack_single_run(IMAGES.clone(), LABELS.clone(), x_init=start)
    return checkpoints, ~standing.bool()


def shaken(x):
    """The same network with a rounding error. Where that changes a run much, the run hangs on rounding."""
    logits = classify(x)
    return logits + 1e-12 * torch.randn(logits.shape, generator=random)


def apgd_runs():
    # DLR is flat far behind the boundary, where rounding decides: a smaller ball leaves most examples before it.
    cases = [
        ("ce", 0, 100, 1),
        ("dlr", 0, 100, 0.25),
        ("dlr", 0, 50, 0.5),
        ("targeted-dlr", 1, 100, 0.25),
        ("targeted-dlr", 2, 60, 0.5),
        ("targeted-dlr", 3, 40, 1),
    ]
    for norm, largest in EPSILONS.items():
        halved, held = 0, 0
        for loss, rank, steps, share in cases:
            epsilon = share * largest
            checkpoints, broken = apgd(norm, epsilon, loss, rank, steps, classify)
            decisions = torch.tensor([checkpoint["restarted"] for checkpoint in checkpoints])  # [checkpoints, 6]
            losses = torch.tensor([checkpoint["bestLoss"] for checkpoint in checkpoints])
            # DLR is 1 wherever the label comes third: its slope there is rounding.
            firm = (losses[-1] - 1).abs() > 1e-6 if loss == "dlr" else torch.ones(len(LABELS), dtype=torch.bool)
            for _ in range(4):
                others, _ = apgd(norm, epsilon, loss, rank, steps, shaken)
                firm &= (torch.tensor([other["restarted"] for other in others]) == decisions).all(0)
                change = losses - torch.tensor([other["bestLoss"] for other in others])
                firm &= (change.abs() < 1e-9).all(0)
            assert firm.sum() >= 3, (norm, loss, rank, firm)
            halved += decisions[:, firm].sum().item()
            held += (~decisions[:, firm]).sum().item()
            yield {
                "norm": NAMES[norm],
                "epsilon": epsilon,
                "loss": loss,
                "rank": rank,
                "steps": steps,
                "checkpoints": checkpoints,
                "broken": broken.tolist(),
                "firm": firm.tolist(),
            }
        assert min(halved, held) > 1, "both kinds of checkpoint"


def random_planes():
    """Random points, normals and excesses w · x − b; some points lie on walls, some pixels do not count, some planes are out of reach."""
    count, shape = 16, (2, 4, 4)
    points = exact((count, *shape), random, 0, 1)
    points[4:, 0, 0, :2] = 0
    points[4:, 1, 3, :2] = 1
    normals = exact((count, *shape), random, -2, 2)
    normals[8:, 0, 1, :] = 0
    excess = exact((count,), random, -2, 2)
    excess[6:10] *= 8
    excess[10:12] *= 64
    return points, normals, excess


POINTS, NORMALS, EXCESS = random_planes()


def projections():
    for norm, project in [("linf", fab_projections.projection_linf), ("l2", fab_projections.projection_l2)]:
        flat, w = POINTS.flatten(1), NORMALS.flatten(1)
        step = project(flat, w, (flat * w).sum(1) - EXCESS)
        reached = ((step * w).sum(1) + EXCESS).abs() < 1e-9
        assert reached.any() and not reached.all(), "planes within reach and beyond it"
        yield {"norm": norm, "step": stored(step.reshape(POINTS.shape))}


def fab_runs():
    for norm, epsilon in EPSILONS.items():
        for rank in (0, 1, 2):
            attack = FABAttack_PT(classify, norm=norm, n_iter=30, eps=epsilon, device="cpu", targeted=rank > 0)
            attack.target_class = rank + 1
            nearest = []

            def see(now):
                nearest.append([None if value >= 1e10 else value for value in now["res2"].tolist()])

            with mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
                with watching(FABAttack.attack_single_run, "counter_iter += 1", see):
                    attack.attack_single_run(IMAGES.clone(), LABELS.clone(), is_targeted=rank > 0)
            assert len(nearest) == 30
            yield {"norm": NAMES[norm], "rank": rank, "steps": 30, "nearest": nearest}


def runs_of(values):
    """[value, how often] for each run of equal values."""
    found = []
    for value in values:
        if found and found[-1][0] == value:
            found[-1][1] += 1
        else:
            found.append([value, 1])
    return found


def square_schedules():
    sizes = {
        "Linf": [(1, 28, 28), (3, 32, 32), (1, 24, 40), (3, 5, 25)],
        "L2": [(1, 28, 28), (3, 32, 32), (1, 25, 40)],
    }
    for norm, shapes in sizes.items():
        for channels, height, width in shapes:
            # Never broken and never better, so that all 5000 queries are made.
            attack = SquareAttack(
                lambda x: torch.tensor([[1.0, 0.0]]), norm=norm, eps=0.1, n_queries=5000, resc_schedule=False
            )
            image = torch.full((1, channels, height, width), 0.5)
            attack.init_hyperparam(image)
            spans = []
            attack.random_int = lambda low, high, spans=spans: (spans.append(high), torch.zeros(1).long())[1]
            attack.attack_single_run(image, torch.zeros(1).long())
            sides = [height - span for span in spans[:: 2 if norm == "Linf" else 4]]
            assert len(sides) == 5000
            yield {"norm": NAMES[norm], "height": height, "width": width, "sides": runs_of(sides)}


def upright(attack, side):
    with mock.patch("torch.rand", lambda *_: torch.zeros(1)):
        return SquareAttack.eta(attack, side)


def square_bumps():
    attack = SquareAttack(None, norm="L2", eps=0.1, device="cpu")
    for side in (2, 3, 5, 6, 9, 13):
        yield {"side": side, "bump": stored(upright(attack, side))}


def square_moves():
    """Each query's draws and the images it makes, when every query is accepted."""
    images = exact((2, 2, 7, 8), random, 0, 1)
    for norm, epsilon in EPSILONS.items():
        attack = SquareAttack(None, norm=norm, eps=epsilon, n_queries=4, p_init=0.3, resc_schedule=False)
        # The reference's tiles in L2 take a height that is five times a whole number, and no more.
        images = images if norm == "Linf" else exact((2, 2, 10, 10), random, 0, 1)
        attack.init_hyperparam(images)
        shown, places, signs, flipped = [], [], [], []

        def predict(x):
            shown.append(x.clone())
            return torch.tensor([[1 / len(shown), 0.0]]).repeat(len(x), 1)

        def random_int(low, high):
            place = SquareAttack.random_int(attack, low, high)
            places.append(place.item())
            return place

        def random_choice(shape):
            choice = SquareAttack.random_choice(attack, shape)
            signs.append(choice)
            return choice

        def eta(side):
            bump = SquareAttack.eta(attack, side)
            flipped.append(not torch.equal(bump, upright(attack, side)))
            return bump

        attack.predict, attack.random_int, attack.random_choice, attack.eta = predict, random_int, random_choice, eta
        torch.manual_seed(1)
        attack.attack_single_run(images, torch.zeros(2).long())
        each = 2 if norm == "Linf" else 4
        assert len(shown) == 5 and len(places) == 4 * each
        yield {
            "norm": NAMES[norm],
            "epsilon": epsilon,
            "side": 4 if norm == "Linf" else 5,
            "x": stored(images),
            "start": stored(shown[0]),
            "queries": [
                {
                    "places": places[query * each : (query + 1) * each],
                    "signs": stored(sign.expand(2, 2, 1, 1)),
                    "flipped": None if norm == "Linf" else flip,
                    "image": stored(image),
                }
                for query, (sign, flip, image) in enumerate(
                    zip(signs[-4:], (flipped or [None] * 4)[-4:], shown[1:], strict=True)
                )
            ],
        }


header = {
    "reference": f"fra31/auto-attack {commit}",
    "torch": torch.__version__,
    "network": f"conv2d(2, 3, 3x3, padding 1, bias), silu, flatten, linear(48, {CLASSES})",
    "weights": {name: stored(tensor) for name, tensor in WEIGHTS.items()},
    "images": stored(IMAGES),
    "labels": LABELS.tolist(),
    "directions": {NAMES[norm]: stored(direction) for norm, direction in DIRECTIONS.items()},
    "planes": {"x": stored(POINTS), "w": stored(NORMALS), "excess": stored(EXCESS)},
}
write(
    "autoattack",
    header,
    {
        "apgd": list(apgd_runs()),
        "projections": list(projections()),
        "fab": list(fab_runs()),
        "squareSchedules": list(square_schedules()),
        "squareBumps": list(square_bumps()),
        "squareMoves": list(square_moves()),
    },
)
