"""Golden numbers of what a training step can do beside the plain one of model.py, from PyTorch in float64.

    python training_step.py > training_step.json        (torch 2.11 to 2.13, numpy)

Of each tensor the file keeps its 2-norm and its product with a direction (fingerprint in model.py): of the gradients
and the buffers after one step, and of what three steps changed of each parameter.
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from model import OPTIMIZERS, Captioner, batch, cases, fill_model, fingerprint, groups, is_noise, write

STAGES = ["conv1", "layer1", "layer2", "layer3", "layer4"]
SETTINGS = {"optimizer": "adamw", "encoderLearningRate": 5e-4, "learningRate": 1e-3, "maxGradientNorm": 0.25}


def prepare(model, settings):
    """The CNN learns from a stage on; before it, or without batch statistics all through, BatchNorm evaluates."""
    model.train()
    learning = STAGES.index(settings.get("trainableFrom", "conv1"))
    parts = [[model.resnet.conv1, model.resnet.bn1], *([getattr(model.resnet, stage)] for stage in STAGES[1:])]
    for stage, modules in enumerate(parts):
        for module in modules:
            module.requires_grad_(stage >= learning)
            module.train(stage >= learning and settings.get("batchNorm") != "frozen")


def optimize(model, data, settings):
    fill_model(model)
    prepare(model, settings)
    images, image_of_row, inputs, targets = data
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = OPTIMIZERS[settings["optimizer"]](groups(model, settings))
    result = {"settings": settings, "steps": []}
    noisy = set()
    for step in range(3):
        optimizer.zero_grad()
        logits = model(images, image_of_row, inputs)
        smoothing = settings.get("labelSmoothing", 0)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, label_smoothing=smoothing)
        if "rowWeights" in settings:
            weights = torch.tensor(settings["rowWeights"], dtype=torch.float64)
            words = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=-1, reduction="none")
            loss = (words * weights[:, None]).sum() / (targets >= 0).sum()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), settings["maxGradientNorm"] or float("inf"))
        result["steps"].append({"loss": loss.item(), "gradientNorm": norm.item()})
        learning = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        noisy |= {n for n, gradient in learning.items() if is_noise(gradient)}
        if step == 0:
            result["gradients"] = {n: fingerprint(n, gradient) for n, gradient in learning.items()}
            if settings.get("trainableFrom"):
                result["buffers"] = {n: fingerprint(n, b.double()) for n, b in model.named_buffers()}
        optimizer.step()
    result["change"] = {n: fingerprint(n, p - before[n]) for n, p in model.named_parameters() if n not in noisy}
    return result


def variations(known):
    """(name, model, settings, images)"""
    models = [name for name, case in cases() if case["loss"] == "masked" and case["model"]["width"] == 8]
    for model in models:
        yield "label smoothing", model, {"labelSmoothing": 0.1}, 4
    for model in "1u every", "4f first":
        yield "many images", model, {"batchNorm": "frozen"}, 16
    for model in "1u first", "2f every":
        yield "partial fine-tuning", model, {"trainableFrom": "layer3"}, 4
    for model in "2u first", "4f every":
        yield "BatchNorm at rest", model, {"batchNorm": "frozen"}, 4
    for model in "1u every", "4f first":
        rows = known[model]["images"] * known[model]["captionsPerImage"]
        weights = [(-1) ** row * (row % 5) / 4 for row in range(rows)]
        yield "weighted rows", model, {"rowWeights": weights}, known[model]["images"]
    for model, optimizer in ("2f first", "adam"), ("2u every", "adamw"):
        decays = {"optimizer": optimizer, "encoderWeightDecay": 0.3, "weightDecay": 0.05}
        yield "two weight decays", model, decays, 4


def main():
    known, results = dict(cases()), {}
    for kind, name, settings, images in variations(known):
        case = {**known[name], "images": images}
        model = Captioner(**case["model"])
        result = optimize(model, batch(name, case), {**SETTINGS, **settings})
        results[f"{kind}: {name}"] = {"batch": name, "case": case, **result}
        print(kind, name, file=sys.stderr)
    write(results)


if __name__ == "__main__":
    main()
