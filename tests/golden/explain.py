"""Golden heat maps of captions, from PyTorch's autograd in float64: Grad-CAM (Selvaraju et al. 2017) on layer4.

    python explain.py > explain.json        (torch 2.11 to 2.13, numpy)

Models and batches are those of model.py; of each the last image with its last caption is explained. The pictures are not
square, so that rows and columns cannot be mistaken for each other.
"""

import sys

import torch
from torch.nn import functional as F

from model import Captioner, batch, cases, fill_model, integers, write

HEIGHT, WIDTH = 70, 100


def picture(name):
    """An image as model.py's batch normalizes it, (1, 3, HEIGHT, WIDTH)."""
    pixels = integers(f"{name} picture", HEIGHT * WIDTH * 3, 256).reshape(1, HEIGHT, WIDTH, 3)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (images - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)


def explain(model, image, inputs, targets):
    kept = []
    hook = model.resnet.layer4.register_forward_hook(lambda module, given, out: kept.append(out))
    log_probabilities = F.log_softmax(model(image, torch.zeros(1, dtype=torch.int64), inputs)[0], dim=1)
    hook.remove()
    (grid,) = kept
    probabilities, maps = [], []
    for step, target in enumerate(targets[0].tolist()):
        if target < 0:
            probabilities.append(0)
            maps.append(torch.zeros(grid.shape[2:]))
            continue
        score = log_probabilities[step, target]
        (gradient,) = torch.autograd.grad(score, grid, retain_graph=True)
        weights = gradient.mean((2, 3), keepdim=True)
        probabilities.append(score.exp().item())
        maps.append(F.relu((weights * grid).sum(1))[0].detach())
    return probabilities, torch.stack(maps)


def main():
    results = {}
    for name, case in cases():
        if case["model"]["width"] > 8:
            continue
        model = Captioner(**case["model"])
        fill_model(model)
        model.eval()
        _, _, inputs, targets = batch(name, case)
        probabilities, maps = explain(model, picture(name), inputs[-1:], targets[-1:])
        results[name] = {
            "case": case, "height": HEIGHT, "width": WIDTH, "rows": maps.shape[1], "columns": maps.shape[2],
            "probabilities": probabilities, "heat": maps.flatten().tolist(),
        }
        print(name, file=sys.stderr)
    write(results)


if __name__ == "__main__":
    main()
