"""Golden values of ImageNet's transforms: crops, resized pixels, colours.

    python scripts/golden/imagenet.py

torchvision 0.28.0 and Pillow 12.3.0 (Pillow 13 resizes some images in another order). Draws are multiples of 1/4096, so
they are exact in JSON.
"""

import json
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

torch.set_default_dtype(torch.float64)  # torchvision computes crops in the default dtype
random = np.random.default_rng(0)


class Draws:
    """Stands in for torch's generator: uniform numbers from a list, in the order in which torchvision asks."""

    def __init__(self, numbers):
        self.numbers = iter(numbers)

    def uniform_(self, tensor, low=0.0, high=1.0):
        return tensor.fill_(low + (high - low) * next(self.numbers))

    def randint(self, low, high, size):
        return torch.full(size, low + int(next(self.numbers) * (high - low)))


def crop(height, width, scale, ratio, draws):
    # torchvision draws a place only for a crop that fits; each try here has four numbers, used or not.
    tries = [draws[4 * i : 4 * i + 4] for i in range(10)]
    fed = []
    for try_ in tries:
        area = height * width * (scale[0] + (scale[1] - scale[0]) * try_[0])
        proportions = np.exp(np.log(ratio[0]) + (np.log(ratio[1]) - np.log(ratio[0])) * try_[1])
        w, h = round((area * proportions) ** 0.5), round((area / proportions) ** 0.5)
        fits = 0 < w <= width and 0 < h <= height
        fed += try_ if fits else try_[:2]
        if fits:
            break
    source = Draws(fed)
    torch.Tensor.uniform_, kept_uniform = lambda self, a=0.0, b=1.0: source.uniform_(self, a, b), torch.Tensor.uniform_
    torch.randint, kept_randint = lambda low, high, size: source.randint(low, high, size), torch.randint
    try:
        image = Image.new("RGB", (width, height))
        return list(map(int, transforms.RandomResizedCrop.get_params(image, list(scale), list(ratio))))
    finally:
        torch.Tensor.uniform_, torch.randint = kept_uniform, kept_randint


def draws(count):
    return [int(n) / 4096 for n in random.integers(0, 4096, count)]


crops = []
for height, width in [(375, 500), (500, 375), (40, 400), (400, 40), (7, 5), (1, 1), (64, 64), (333, 281)]:
    for scale, ratio in [((0.08, 1.0), (3 / 4, 4 / 3)), ((0.9, 1.0), (0.5, 2.0))]:
        numbers = draws(40)
        crops.append({"size": [height, width], "scale": scale, "ratio": ratio, "draws": numbers, "box": crop(height, width, scale, ratio, numbers)})

resized = []
for height, width, full, window in [(9, 7, (5, 5), None), (6, 11, (8, 3), None), (12, 12, (5, 9), (1, 2, 3, 4)), (1, 3, (4, 4), None), (5, 5, (5, 5), None)]:
    pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    for name, mode in [("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)]:
        image = Image.fromarray(pixels).resize(full[::-1], mode)
        top, left, h, w = window or (0, 0, *full)
        part = np.asarray(image)[top : top + h, left : left + w].transpose(2, 0, 1)
        resized.append({"size": [height, width], "full": full, "window": [top, left, h, w], "filter": name, "pixels": pixels.ravel().tolist(), "bytes": part.ravel().tolist()})

centred = []
for height, width, resize, size in [(375, 500, 256, 224), (500, 333, 256, 224), (97, 64, 40, 33), (64, 101, 35, 32), (20, 20, 37, 32)]:
    shape = transforms.Resize(resize)(Image.new("RGB", (width, height))).size[::-1]
    seen = []
    kept, functional.crop = functional.crop, lambda image, top, left, h, w: seen.append([top, left, h, w])
    functional.center_crop(Image.new("RGB", shape[::-1]), [size, size])
    functional.crop = kept
    centred.append({"size": [height, width], "resize": resize, "crop": size, "full": list(shape), "window": seen[0]})

colours = []
x = 0.4 + 0.2 * torch.from_numpy(random.integers(0, 4096, (3, 4, 4)) / 4096)  # far from 0 and 1: nothing is clipped
vectors = torch.tensor([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
values = torch.tensor([0.2175, 0.0188, 0.0045])
for _ in range(6):
    numbers = draws(12)
    factor = lambda at: 1 + 0.2 * (2 * numbers[at] - 1)
    normal = [np.sqrt(-2 * np.log(1 - numbers[6 + 2 * i])) * np.cos(2 * np.pi * numbers[7 + 2 * i]) for i in range(3)]
    shift = vectors @ (0.1 * torch.tensor(normal) * values)
    steps = [
        lambda v: functional.adjust_brightness(v, factor(0)),
        lambda v: functional.adjust_contrast(v, factor(1)),
        lambda v: functional.adjust_saturation(v, factor(2)),
        lambda v: v + shift[:, None, None],
    ]
    y, at = x, 3
    while steps:
        chosen = 0 if len(steps) == 1 else int(numbers[at] * len(steps))
        y, at = steps.pop(chosen)(y), at + 1
    assert 0 < y.min() and y.max() < 1
    colours.append({"draws": numbers, "pixels": y.ravel().tolist()})

document = {
    "made": f"scripts/golden/imagenet.py, torchvision {torchvision.__version__}, Pillow {PIL.__version__}",
    "crops": crops,
    "resized": resized,
    "centred": centred,
    "colours": {"pixels": x.ravel().tolist(), "cases": colours},
}
path = Path(__file__).resolve().parents[2] / "test" / "golden" / "imagenet.json"
path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(path.name, path.stat().st_size, "bytes")
