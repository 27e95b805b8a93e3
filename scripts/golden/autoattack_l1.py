"""Writes test/golden/autoattack-l1.json: what the reference implementation of AutoAttack does in L1.

The network and its images are those of test/golden/autoattack.json. The reference (fra31/auto-attack on GitHub) is not part of
this project: give the path of a checkout of it. It is run in float64 throughout, unchanged: its local variables are read while
it runs.

    python scripts/golden/autoattack_l1.py PATH
"""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch
from torch.nn import functional

from storage import FOLDER, exact, generator, stored, write

reference = Path(sys.argv[1])
sys.path.insert(0, str(reference))
from autoattack import fab_projections  # noqa: E402
from autoattack.autopgd_base import APGDAttack, APGDAttack_targeted, L1_projection  # noqa: E402
from autoattack.fab_base import FABAttack  # noqa: E402
from autoattack.fab_pt import FABAttack_PT  # noqa: E402
from autoattack.square import SquareAttack  # noqa: E402

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double
commit = subprocess.run(
    ["git", "-C", reference, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
).stdout.strip()
print(f"auto-attack {commit}, torch {torch.__version__}")

random = generator("autoattack-l1")
golden = json.loads((FOLDER / "autoattack.json").read_text())


def tensor(record):
    return torch.tensor(record["values"], dtype=torch.float64).reshape(record["shape"])


WEIGHTS = {name: tensor(record) for name, record in golden["weights"].items()}
IMAGES = tensor(golden["images"])
LABELS = torch.tensor(golden["labels"])
EPSILON = 1.0
NOISE = torch.randn(IMAGES.shape, generator=random)


def classify(x):
    hidden = functional.silu(functional.conv2d(x, WEIGHTS["conv.weight"], WEIGHTS["conv.bias"], padding=1))
    return functional.linear(hidden.flatten(1), WEIGHTS["linear.weight"], WEIGHTS["linear.bias"])


def shaken(x):
    """The same network with a rounding error. Where that changes a run much, the run hangs on rounding."""
    logits = classify(x)
    return logits + 1e-12 * (2 * torch.rand(logits.shape, generator=random) - 1)


@contextmanager
def watching(function, sees):
    """Calls `sees[line]` with the local variables of `function` whenever it comes to a line that reads so, the last of them."""
    code = function.__code__
    source = Path(code.co_filename).read_text().splitlines()
    at = {}
    for number in range(code.co_firstlineno, code.co_firstlineno + 400):
        if number <= len(source) and source[number - 1].strip() in sees:
            at[number] = sees[source[number - 1].strip()]

    def inside(frame, event, _):
        if event == "line" and frame.f_lineno in at:
            at[frame.f_lineno](frame.f_locals)
        return inside

    sys.settrace(lambda frame, _, __: inside if frame.f_code is code else None)
    try:
        yield
    finally:
        sys.settrace(None)


def projections():
    """Random images and steps from them, some far out of the box, some within the ball."""
    images = exact((12, 2, 4, 4), random, 0, 1)
    images[6:, 0, 0, :] = 0
    images[6:, 1, 3, :] = 1
    steps = exact((12, 2, 4, 4), random, -2, 2)
    steps[4:8] /= 64
    steps[8:, :, 1, :] = 0
    for epsilon in (0.25, 1.0, 6.0):
        change = steps + L1_projection(images, steps, epsilon)
        length = change.abs().flatten(1).sum(1)
        assert ((images + change).clamp(0, 1) - images - change).abs().max() < 1e-12
        assert (length <= epsilon + 1e-12).all() and (epsilon > 0.25 or (length > epsilon - 1e-9).all())
        yield {"epsilon": epsilon, "x": stored(images), "step": stored(steps), "change": stored(change)}


def attack_of(loss, rank, model, steps, epsilon):
    options = {"norm": "L1", "eps": epsilon, "n_iter": steps, "device": "cpu"}
    if rank == 0:
        attack = APGDAttack(model, loss=loss, **options)
    else:
        attack = APGDAttack_targeted(model, **options)
        attack.y_target = classify(IMAGES).argsort(dim=1, descending=True)[:, rank]
    attack.init_hyperparam(IMAGES)
    return attack


def apgd(loss, rank, steps, epsilon, model, shrinking):
    """Each step and checkpoint of a run, with the phases of a shrinking one, and which examples its last run broke."""
    attack = attack_of(loss, rank, model, steps, epsilon)
    phases = []

    def begun(_):
        phases.append({"steps": [], "checkpoints": []})

    def step(now):
        phases[-1]["steps"].append({"x": now["x_adv"].detach().clone(), "loss": now["loss_indiv"].detach().clone()})

    def check(now):
        phases[-1]["checkpoints"].append(
            {
                "step": now["i"] + 1,
                "stepSize": now["step_size"].flatten().clone(),
                "share": now["topk"].clone(),
                "bestLoss": now["loss_best"].clone(),
                "restarted": now["fl_redtopk"].clone(),
            }
        )

    lines = {
        "x_adv = x_adv.clamp(0., 1.)": begun,
        "y1 = loss_indiv.detach().clone()": step,
        "sp_old = sp_curr.clone()": check,
    }
    noise = NOISE.clone()
    with watching(APGDAttack.attack_single_run, lines):
        with mock.patch("torch.randn", lambda *_, **__: noise), mock.patch("torch.randn_like", lambda *_: noise):
            if shrinking:
                radii = [3 * epsilon, 2 * epsilon, epsilon]
                counts = [-(-3 * steps // 10), -(-3 * steps // 10)]
                counts.append(steps - sum(counts))
                best, standing, _, _ = attack.decr_eps_pgd(IMAGES.clone(), LABELS.clone(), radii, counts)
            else:
                best, standing, _, _ = attack.attack_single_run(IMAGES.clone(), LABELS.clone())
    return phases, best.detach(), ~standing.bool()


def numbers(phases):
    """Everything of a run that has to agree, [n, K] in float64."""
    parts = []
    for phase in phases:
        for step in phase["steps"]:
            parts += [step["x"].flatten(1), step["loss"].unsqueeze(1)]
        for check in phase["checkpoints"]:
            parts += [check[key].double().unsqueeze(1) for key in ("stepSize", "share", "bestLoss", "restarted")]
    return torch.cat(parts, 1)


def apgd_runs():
    cases = [
        ("ce", 0, 12, 1.0, False),
        ("ce", 0, 100, 1.0, False),
        ("dlr", 0, 60, 0.5, False),
        ("targeted-dlr", 1, 100, 0.5, False),
        ("ce", 0, 10, 0.5, True),
        ("ce", 0, 100, 1.0, True),
        ("targeted-dlr", 2, 50, 0.5, True),
    ]
    for loss, rank, steps, epsilon, shrinking in cases:
        phases, best, broken = apgd(loss, rank, steps, epsilon, classify, shrinking)
        found = numbers(phases)
        firm = torch.ones(len(LABELS), dtype=torch.bool)
        for _ in range(4):
            others = numbers(apgd(loss, rank, steps, epsilon, shaken, shrinking)[0])
            firm &= ((found - others).abs() < 1e-8).all(1)
        print(loss, rank, steps, shrinking, "firm", firm.tolist(), "broken", broken.tolist())
        assert firm.sum() >= 2, (loss, rank, firm)
        restarts = torch.stack([check["restarted"] for phase in phases for check in phase["checkpoints"]])[:, firm]
        assert restarts.any() and not restarts.all(), "both kinds of checkpoint"
        short = steps <= 12
        yield {
            "loss": loss,
            "rank": rank,
            "steps": steps,
            "epsilon": epsilon,
            "shrinking": shrinking,
            "phases": [
                {
                    # The iterates of short runs, the losses of all.
                    "iterates": [stored(step["x"]) for step in phase["steps"]] if short else None,
                    "losses": [step["loss"].tolist() for step in phase["steps"]],
                    "checkpoints": [
                        {key: value if isinstance(value, int) else value.tolist() for key, value in check.items()}
                        for check in phase["checkpoints"]
                    ],
                }
                for phase in phases
            ],
            "best": stored(best),
            "broken": broken.tolist(),
            "firm": firm.tolist(),
        }


def planes():
    points, normals = tensor(golden["planes"]["x"]), tensor(golden["planes"]["w"])
    excess = tensor(golden["planes"]["excess"])
    flat, w = points.flatten(1), normals.flatten(1)
    step = fab_projections.projection_l1(flat, w, (flat * w).sum(1) - excess)
    reached = ((step * w).sum(1) + excess).abs() < 1e-9
    assert reached.any() and not reached.all(), "planes within reach and beyond it"
    yield {"norm": "l1", "step": stored(step.reshape(points.shape))}


def fab_runs():
    for rank in (0, 1, 2):
        attack = FABAttack_PT(classify, norm="L1", n_iter=30, eps=EPSILON, device="cpu", targeted=rank > 0)
        attack.target_class = rank + 1
        nearest = []

        def see(now):
            nearest.append([None if value >= 1e10 else value for value in now["res2"].tolist()])

        with watching(FABAttack.attack_single_run, {"counter_iter += 1": see}):
            attack.attack_single_run(IMAGES.clone(), LABELS.clone(), is_targeted=rank > 0)
        assert len(nearest) == 30
        yield {"norm": "l1", "rank": rank, "steps": 30, "nearest": nearest}


def upright(attack, side):
    with mock.patch("torch.rand", lambda *_: torch.zeros(1)):
        return SquareAttack.eta(attack, side)


def square_bumps():
    attack = SquareAttack(None, norm="L1", eps=0.1, device="cpu")
    for side in (2, 3, 5, 6, 9, 13):
        yield {"side": side, "bump": stored(upright(attack, side))}


def square_moves():
    """Each query's draws and the images it makes, when every query is accepted; `signs` of the start are those of its tiles."""
    images = exact((2, 2, 10, 10), random, 0, 1)
    for epsilon in (2.0, 60.0):
        attack = SquareAttack(None, norm="L1", eps=epsilon, n_queries=4, p_init=0.3, resc_schedule=False)
        attack.init_hyperparam(images)
        shown, places, signs, flipped = [], [], [], []

        def predict(x, shown=shown):
            shown.append(x.clone())
            return torch.tensor([[1 / len(shown), 0.0]]).repeat(len(x), 1)

        def random_int(low, high, attack=attack, places=places):
            place = SquareAttack.random_int(attack, low, high)
            places.append(place.item())
            return place

        def random_choice(shape, attack=attack, signs=signs):
            choice = SquareAttack.random_choice(attack, shape)
            signs.append(choice)
            return choice

        def eta(side, attack=attack, flipped=flipped):
            bump = SquareAttack.eta(attack, side)
            flipped.append(not torch.equal(bump, upright(attack, side)))
            return bump

        attack.predict, attack.random_int, attack.random_choice, attack.eta = predict, random_int, random_choice, eta
        torch.manual_seed(1)
        attack.attack_single_run(images, torch.zeros(2).long())
        assert len(shown) == 5 and len(places) == 16 and len(signs) == 29
        yield {
            "epsilon": epsilon,
            "side": 5,
            "x": stored(images),
            "tiles": [{"signs": stored(sign), "flipped": flip} for sign, flip in zip(signs[:25], flipped[:25], strict=True)],
            "start": stored(shown[0]),
            "queries": [
                {
                    "places": places[query * 4 : (query + 1) * 4],
                    "signs": stored(sign),
                    "flipped": flip,
                    "image": stored(image),
                }
                for query, (sign, flip, image) in enumerate(zip(signs[25:], flipped[25:], shown[1:], strict=True))
            ],
        }


def schedules():
    attack = SquareAttack(lambda x: torch.tensor([[1.0, 0.0]]), norm="L1", eps=0.1, n_queries=300, resc_schedule=False)
    image = torch.full((1, 1, 20, 20), 0.5)
    attack.init_hyperparam(image)
    spans = []
    attack.random_int = lambda low, high: (spans.append(high), torch.zeros(1).long())[1]
    attack.attack_single_run(image, torch.zeros(1).long())
    yield {"height": 20, "width": 20, "sides": [20 - span for span in spans[::4]]}


write(
    "autoattack-l1",
    {"reference": f"fra31/auto-attack {commit}", "torch": torch.__version__, "noise": stored(NOISE)},
    {
        "projections": list(projections()),
        "apgd": list(apgd_runs()),
        "planes": list(planes()),
        "fab": list(fab_runs()),
        "squareSchedules": list(schedules()),
        "squareBumps": list(square_bumps()),
        "squareMoves": list(square_moves()),
    },
)
