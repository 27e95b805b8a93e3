"""Networks of timm: `make FOLDER` writes their state dicts and logits, `check FOLDER` loads what Satin published of them.

Run by test/slow/app/publish/publish-model.test.ts; timm, torch and safetensors are needed.
"""

import json
import sys
from pathlib import Path

import timm
import torch

networks = {
    "resnet18": {"act_layer": "silu"},
    "resnext50_32x4d": {"act_layer": "elu"},
    "efficientnet_b0": {"act_layer": "gelu"},
    "tf_efficientnet_b0": {"act_layer": "mish"},
}


def make(folder):
    torch.manual_seed(0)
    for name, options in networks.items():
        model = timm.create_model(name, num_classes=5, **options).eval()
        for key, value in model.state_dict().items():
            # Statistics and ends of blocks that a new network does not have.
            if key.endswith("running_mean"):
                value.normal_(0, 0.1)
            elif key.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif key.endswith("weight") and value.ndim == 1:
                value.uniform_(0.5, 1.5)
        torch.save(dict(model.state_dict()), folder / f"{name}.pth")
        images = torch.rand(2, 3, 64, 64)
        with torch.no_grad():
            torch.save({"images": images, "logits": model(images)}, folder / f"{name}.reference")


def check(folder):
    differences = {}
    for name in networks:
        reference = torch.load(folder / f"{name}.reference")
        model = timm.create_model(f"local-dir:{folder / ('hub-' + name)}", pretrained=True).eval()
        with torch.no_grad():
            logits = model(reference["images"])
        differences[name] = (logits - reference["logits"]).abs().max().item()
    print(json.dumps(differences))


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](Path(sys.argv[2]))
