"""torchvision's ImageNet pipeline: the rival of `satin bench imagenet-pipeline`.

One request a line, one line of JSON back:

    setup {"folder": "photos/val", "batch": 32, "workers": 2, "images": 640} -> {"ready": true}
    run 1 -> {"seconds": 1.9}   one pass over the images (repeated up to `images`), as batches of float tensors
"""

import json
import sys
import time

import torch
import torchvision
from torchvision import transforms


def loader(folder, batch, workers, images):
    transform = transforms.Compose(
        [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    )
    data = torchvision.datasets.ImageFolder(folder, transform)
    data.samples = (data.samples * (images // len(data.samples) + 1))[:images]
    torch.set_num_threads(1)
    return torch.utils.data.DataLoader(
        data, batch_size=batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0
    )


def run(batches):
    began = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - began


batches = None
for line in sys.stdin:
    name, _, rest = line.strip().partition(" ")
    if name == "setup":
        batches = loader(**json.loads(rest))
        run(batches)  # starts the workers, which persist
        answer = {"ready": True}
    else:
        answer = {"seconds": sum(run(batches) for _ in range(int(rest)))}
    print(json.dumps(answer), flush=True)
