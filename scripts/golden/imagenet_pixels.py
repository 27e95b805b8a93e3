"""torchvision's evaluation pixels of a folder's photographs, for test/slow/imagenet-pixels: writes bytes [N, 3, 224, 224].

    python scripts/golden/imagenet_pixels.py data/imagenet/val pixels.bin
"""

import sys
from pathlib import Path

import numpy as np
import PIL
import torchvision
from torchvision import transforms

folder, target = sys.argv[1:]
view = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
images = torchvision.datasets.ImageFolder(folder, view)
Path(target).write_bytes(np.stack([np.asarray(image).transpose(2, 0, 1) for image, _ in images]).tobytes())
print(f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}")
