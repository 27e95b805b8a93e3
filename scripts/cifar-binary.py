"""Writes CIFAR-10's binary version from a folder of images, train/CLASS/NAME.jpg and test/CLASS/NAME.jpg.

    python scripts/cifar-binary.py FOLDER OUT      needs Pillow

Image i of each class comes before image i + 1 of any, in the order of names, so that every file has all classes. The committed
records of the studies were trained on this order: their pairs need it.
"""

import sys
from pathlib import Path

from PIL import Image

source, out = map(Path, sys.argv[1:3])
classes = sorted(path.name for path in (source / "train").iterdir())
out.mkdir(parents=True, exist_ok=True)
(out / "batches.meta.txt").write_text("\n".join(classes) + "\n")
for split, names in (("train", [f"data_batch_{batch}.bin" for batch in range(1, 6)]), ("test", ["test_batch.bin"])):
    columns = [sorted((source / split / name).iterdir()) for name in classes]
    rows = [(label, path) for row in zip(*columns, strict=True) for label, path in enumerate(row)]
    for batch, name in enumerate(names):
        with (out / name).open("wb") as file:
            for label, path in rows[batch * 10_000 : (batch + 1) * 10_000]:
                red, green, blue = Image.open(path).convert("RGB").split()
                file.write(bytes([label]) + red.tobytes() + green.tobytes() + blue.tobytes())
