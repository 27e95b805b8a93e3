"""Writes test/golden/malt.json: the target classes that MALT's authors choose on a small fixed network.

Their code (odeliamel/MALT on GitHub) is not part of this project: give the path of a checkout of it. `targeting.py` runs
unchanged, in float32 as it is written, on the CPU in place of a card; classes that lie too near each other for float32 are
refused.

    python scripts/golden/malt.py PATH
"""

import subprocess
import sys
from pathlib import Path

import numpy
import torch
from torch.nn import functional

from storage import exact, generator, stored, write

reference = Path(sys.argv[1])
sys.path.insert(0, str(reference))
from targeting import get_k_best_target_classes  # noqa: E402

commit = subprocess.run(
    ["git", "-C", reference, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
).stdout.strip()
print(f"MALT {commit}, torch {torch.__version__}")
torch.Tensor.cuda = lambda self: self  # there is no card

random = generator("malt")
# More than the 100 candidates of their demo, besides the label.
CLASSES, CANDIDATES, TARGETS = 110, 100, 9
WEIGHTS = {
    "linear1.weight": exact((10, 18), random, -1, 1),
    "linear2.weight": exact((CLASSES, 10), random, -1, 1),
}
IMAGES = exact((8, 2, 3, 3), random, 0, 1)


class Network(torch.nn.Module):
    def forward(self, x):
        hidden = functional.linear(x.flatten(1), WEIGHTS["linear1.weight"].to(x.dtype)).tanh()
        return functional.linear(hidden, WEIGHTS["linear2.weight"].to(x.dtype))


network = Network()
LABELS = network(IMAGES).argmax(1)


def require_apart(order):
    """Refuses candidates or distances, in float64, that float32 may put in another order."""
    jacobian = torch.autograd.functional.jacobian(lambda x: network(x).sum(0), IMAGES).flatten(2).transpose(0, 1)
    logits = network(IMAGES)
    for image, label in enumerate(LABELS.tolist()):
        excess = logits[image, label] - logits[image]
        slopes = (jacobian[image] - jacobian[image, label]).norm(p=1 if order == numpy.inf else 2, dim=1)
        chosen = excess.sort().values
        distances = (excess / slopes)[excess.argsort()[1 : CANDIDATES + 1]].sort().values
        gaps = [chosen[CANDIDATES + 1] - chosen[CANDIDATES], *distances.diff()[:TARGETS]]
        assert min(gaps) > 1e-5, f"image {image}: {min(gaps)}"


def runs():
    for name, order in (("linf", numpy.inf), ("l2", 2)):
        require_apart(order)
        chosen = get_k_best_target_classes(network, IMAGES.float(), LABELS, order, TARGETS, CANDIDATES)
        likely = network(IMAGES).topk(TARGETS + 1).indices[:, 1:]
        assert not torch.equal(likely, chosen)
        yield {"norm": name, "targets": stored(chosen)}


write(
    "malt",
    {
        "reference": f"odeliamel/MALT {commit}",
        "torch": torch.__version__,
        "network": f"flatten, linear(18, 10), tanh, linear(10, {CLASSES}), no bias",
        "weights": {name: stored(tensor) for name, tensor in WEIGHTS.items()},
        "images": stored(IMAGES),
        "labels": LABELS.tolist(),
    },
    {"runs": list(runs())},
)
