"""Writes test/golden/tensorpack.json: resized pixels of OpenCV's INTER_CUBIC and colours of tensorpack's augmentors.

    python scripts/golden/opencv_tensorpack.py

opencv-python-headless 4.12.0.88 and tensorpack 0.11 (its dataflow needs no TensorFlow). Intel's IPP, which OpenCV's x86
packages use where they can, is off: it rounds about 4 % of the bytes otherwise, by 1. Draws are multiples of 1/4096, so
they are exact in JSON.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import tensorpack
from tensorpack.dataflow import imgaug

cv2.ipp.setUseIPP(False)
random = np.random.default_rng(0)


def photo_like(height, width):
    """Edges and noise: what overshoots, and what is clipped."""
    smooth = 255 * np.add.outer(np.linspace(0, 1, height), np.linspace(0, 1, width))[..., None] / 2
    edges = 90 * np.sign(np.sin(np.add.outer(np.arange(height), 1.7 * np.arange(width))))[..., None]
    return np.clip(smooth + edges + random.normal(0, 25, (height, width, 3)), 0, 255).astype(np.uint8)


resized = []
for height, width, full, window in [
    (9, 7, (5, 5), None),
    (6, 11, (8, 3), None),
    (24, 20, (5, 9), (1, 2, 3, 4)),
    (1, 3, (4, 4), None),
    (3, 2, (13, 11), None),
    (5, 5, (5, 5), None),
    (31, 17, (4, 3), None),
]:
    pixels = photo_like(height, width)
    image = cv2.resize(pixels, full[::-1], interpolation=cv2.INTER_CUBIC)
    top, left, h, w = window or (0, 0, *full)
    part = image[top : top + h, left : left + w].transpose(2, 0, 1)
    resized.append({"size": [height, width], "full": full, "window": [top, left, h, w], "pixels": pixels.ravel().tolist(), "bytes": part.ravel().tolist()})

# As in the released code (ResNet/third_party/imagenet_utils.py), for RGB.
vectors = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
values = np.array([0.2175, 0.0188, 0.0045])
brightness = imgaug.BrightnessScale((0.6, 1.4), clip=False)
contrast = imgaug.Contrast((0.6, 1.4), clip=False)
saturation = imgaug.Saturation(0.4, rgb=True)
lighting = imgaug.Lighting(0.1, eigval=values * 255.0, eigvec=vectors)

colours = []
for height, width in [(6, 5)] * 8:
    pixels = photo_like(height, width)
    numbers = [int(n) / 4096 for n in random.integers(0, 4096, 12)]
    factor = lambda at: np.float32(1 + 0.4 * (2 * numbers[at] - 1))  # float32, as tensorpack draws them
    normal = [np.sqrt(-2 * np.log(1 - numbers[6 + 2 * i])) * np.cos(2 * np.pi * numbers[7 + 2 * i]) for i in range(3)]
    steps = [
        (brightness, factor(0)),
        (contrast, factor(1)),
        (saturation, factor(2)),
        (lighting, (0.1 * np.array(normal)).astype("float32")),
    ]
    image, at = pixels, 3
    while steps:
        augmentor, drawn = steps.pop(0 if len(steps) == 1 else int(numbers[at] * len(steps)))
        image, at = augmentor._augment(image, drawn), at + 1
    assert image.dtype == np.uint8
    colours.append({"size": [height, width], "draws": numbers, "pixels": pixels.transpose(2, 0, 1).ravel().tolist(), "bytes": image.transpose(2, 0, 1).ravel().tolist()})

document = {
    "made": f"scripts/golden/opencv_tensorpack.py, OpenCV {cv2.__version__}, tensorpack {tensorpack.__version__}",
    "resized": resized,
    "colours": colours,
}
path = Path(__file__).resolve().parents[2] / "test" / "golden" / "tensorpack.json"
path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(path.name, path.stat().st_size, "bytes")
