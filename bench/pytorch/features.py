"""Compares bench/features.ts's features with PyTorch's: python features.py ENCODER FOLDER SIDE"""
import json
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
from encoders import BasicBlock  # noqa: E402
from model import Residual, ResNet  # noqa: E402

torch.set_default_dtype(torch.float32)  # the golden numbers' models have float64
BLOCKS = {
    "resnet18": ([2, 2, 2, 2], BasicBlock), "resnet34": ([3, 4, 6, 3], BasicBlock),
    "resnet50": ([3, 4, 6, 3], Residual), "resnet101": ([3, 4, 23, 3], Residual),
    "resnet152": ([3, 8, 36, 3], Residual),
}


@torch.inference_mode()
def main():
    name, folder, side = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    if name in BLOCKS:
        model = ResNet(1, 64, *BLOCKS[name])
        extract = model.features
        mean, deviation = 255 * torch.tensor([0.485, 0.456, 0.406]), 255 * torch.tensor([0.229, 0.224, 0.225])
    else:
        from efficientnet_lite_pytorch import EfficientNet

        model = EfficientNet.from_name(name)
        extract = model.extract_features
        mean, deviation = torch.tensor([127.0]), torch.tensor([128.0])
    missing, unexpected = model.load_state_dict(torch.load(folder / "weights.pth", weights_only=True), strict=False)
    assert not unexpected and all("fc." in key for key in missing), (missing, unexpected)
    model.eval()
    ours = np.fromfile(folder / "features", np.float32)
    pixels = np.fromfile(folder / "pixels", np.uint8).reshape(-1, side, side, 3)
    ours = ours.reshape(len(pixels), -1)
    difference = largest = 0.0
    for start in range(0, len(pixels), 20):
        images = torch.from_numpy(pixels[start:start + 20]).permute(0, 3, 1, 2).float()
        images = (images - mean.view(-1, 1, 1)) / deviation.view(-1, 1, 1)
        features = extract(images).mean((2, 3)).numpy()
        difference = max(difference, float(np.abs(features - ours[start:start + 20]).max()))
        largest = max(largest, float(np.abs(features).max()))
    print(json.dumps({"difference": difference, "largest": largest}))


if __name__ == "__main__":
    main()
