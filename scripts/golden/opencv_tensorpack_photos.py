"""Photographs as the paper's released code changes them, for test/slow/data/imagenet/tensorpack-colours.

Reads requests [{file, box, size, factors, light, order}] and writes for each the bytes of OpenCV's resized box and those
after tensorpack's augmentors, both [3, size, size] in RGB. IPP is off unless a third argument says `ipp`.

    python scripts/golden/opencv_tensorpack_photos.py requests.json pixels.bin [ipp]
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import tensorpack
from tensorpack.dataflow import imgaug

requests, target, *rest = sys.argv[1:]
cv2.ipp.setUseIPP(rest == ["ipp"])
augmentors = {
    "brightness": imgaug.BrightnessScale((0.6, 1.4), clip=False),
    "contrast": imgaug.Contrast((0.6, 1.4), clip=False),
    "saturation": imgaug.Saturation(0.4, rgb=False),
    "lighting": imgaug.Lighting(1, eigval=np.full(3, 255.0), eigvec=np.eye(3)),
}
planes = lambda image: np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1)).tobytes()
with Path(target).open("wb") as out:
    for request in json.loads(Path(requests).read_text()):
        image = cv2.imread(request["file"], cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)  # BGR
        top, left, height, width = request["box"]
        side = request["size"]
        box = image[top : top + height, left : left + width]
        image = cv2.resize(box, (side, side), interpolation=cv2.INTER_CUBIC)
        out.write(planes(image))
        # float32, as tensorpack draws them
        drawn = {step: np.float32(factor) for step, factor in request["factors"].items()}
        drawn["lighting"] = np.array(request["light"][::-1], "float32")
        for step in request["order"]:
            image = augmentors[step]._augment(image, drawn[step])
        out.write(planes(image))
print(f"OpenCV {cv2.__version__}, tensorpack {tensorpack.__version__}")
