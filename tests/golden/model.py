"""Golden numbers of the model, its loss and its optimizers, from PyTorch in float64.

    python model.py > model.json        (torch 2.11 to 2.13, numpy)

Weights come from one formula of a tensor's name and an element's index (fill below; tests/ffi/formula.ts is its twin),
so that none is stored: of each result the file keeps its 2-norm, its largest magnitude and a few samples, and of what three steps changed its
2-norm and its product with a direction.
"""

import json
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
SAMPLES = 3
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
TINY = {"width": 8, "blocks": (1, 1, 1, 1)}
FULL = {"width": 64, "blocks": (3, 4, 6, 3)}


def fill(name, count):
    """count numbers in [-0.5, 0.5): FNV-1a of the name, then a multiply-xorshift mix of each index."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**32 - 0.5


def integers(name, count, below):
    return np.floor((fill(name, count) + 0.5) * below).astype(np.int64)


class Residual(nn.Module):
    """1x1, 3x3 (with the stride) and 1x1 convolutions beside a shortcut."""

    expansion = 4

    def __init__(self, channels, width, stride, project):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, width * 4, 1, bias=False), nn.BatchNorm2d(width * 4)
        if project:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, width * 4, 1, stride, bias=False), nn.BatchNorm2d(width * 4)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet(nn.Module):
    def __init__(self, outputs, width, blocks, block=Residual):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        channels = width
        for stage, count in enumerate(blocks):
            units = []
            for unit in range(count):
                width_out = (width << stage) * block.expansion
                stride = 2 if stage and not unit else 1
                units.append(block(channels, width << stage, stride, stride > 1 or channels != width_out))
                channels = width_out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*units))
        self.fc = nn.Linear(channels, outputs)

    def features(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return x

    def forward(self, x):
        return self.fc(self.features(x).mean((2, 3)))


class Captioner(nn.Module):
    """inputs (rows, n) -> logits (rows, n or, with the image's own step, n + 1, vocabulary)."""

    def __init__(self, vocabulary, embed, hidden, language, fusion, inject, image_step, width, blocks):
        super().__init__()
        self.inject, self.image_step = inject, image_step
        self.embed = nn.Embedding(vocabulary, embed)
        words = hidden if language else embed
        feature = embed if inject == "every" else words
        self.resnet = ResNet(feature, width, blocks)
        if language:
            self.language_lstm = nn.LSTM(embed, hidden, language, batch_first=True)
        self.lstm = nn.LSTM(words + feature if inject == "every" else words, hidden, fusion, batch_first=True)
        self.linear = nn.Linear(hidden, vocabulary)

    def forward(self, images, image_of_row, inputs):
        feature = self.resnet(images)[image_of_row].unsqueeze(1)
        words = self.embed(inputs)
        if hasattr(self, "language_lstm"):
            words = self.language_lstm(words)[0]
        if self.inject == "every":
            out = self.lstm(torch.cat((words, feature.repeat(1, words.shape[1], 1)), 2))[0]
        else:
            out = self.lstm(torch.cat((feature, words), 1))[0]
            out = out if self.image_step else out[:, 1:]
        return self.linear(out)


def fill_model(model):
    for name, tensor in model.state_dict().items():
        if tensor.dtype == torch.int64:
            tensor.zero_()
            continue
        values = fill(name, tensor.numel())
        if name.startswith("resnet.") and tensor.dim() == 1 and not name.startswith("resnet.fc."):
            around_one = name.endswith((".weight", ".running_var"))
            values = values * 0.4 + (1 if around_one else 0)
        else:
            fan_in = tensor[0].numel() if tensor.dim() > 1 else 1
            values = values * (2 if name == "embed.weight" else 4 / fan_in**0.5)
        tensor.copy_(torch.from_numpy(values).view(tensor.shape))


def batch(name, case):
    count, side = case["images"], case["side"]
    pixels = integers(f"{name} pixels", count * side * side * 3, 256).reshape(count, side, side, 3)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    images = (images - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    rows, vocabulary = count * case["captionsPerImage"], case["model"]["vocabulary"]
    image_of_row = torch.arange(rows) // case["captionsPerImage"]
    if case["loss"] == "notebook":  # 30 ids; the notebook drops the last, its model one more; padding (0) counts
        tokens = torch.from_numpy(integers(f"{name} tokens", rows * 30, vocabulary)).view(rows, 30)
        lengths = 8 + torch.from_numpy(integers(f"{name} lengths", rows, 20))
        tokens[torch.arange(30) >= lengths.unsqueeze(1)] = 0
        return images, image_of_row, tokens[:, :-2], tokens[:, 1:]
    longest = 9  # <start> 2, words from 4 on, <end> 3, then padding, which does not count
    tokens = 4 + torch.from_numpy(integers(f"{name} tokens", rows * longest, vocabulary - 4)).view(rows, longest)
    lengths = 4 + torch.from_numpy(integers(f"{name} lengths", rows, longest - 3))
    tokens[:, 0] = 2
    tokens[torch.arange(rows), lengths - 1] = 3
    tokens[torch.arange(longest) >= lengths.unsqueeze(1)] = 0
    targets = tokens[:, 1:].clone()
    targets[targets == 0] = -1
    return images, image_of_row, tokens[:, :-1], targets


def loss_of(model, images, image_of_row, inputs, targets):
    logits = model(images, image_of_row, inputs)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)


def summary(tensor, indices=None):
    """[2-norm, largest magnitude, samples...]; evenly spread samples unless indices are given, which then come last."""
    flat = tensor.detach().flatten()
    last = flat.numel() - 1
    picks = [i * last // (SAMPLES - 1) for i in range(SAMPLES)] if indices is None else indices
    numbers = [flat.norm().item(), flat.abs().max().item(), *(flat[i].item() for i in picks)]
    return numbers if indices is None else numbers + indices


def fingerprint(name, tensor):
    """[2-norm, product with a direction that the name gives]: what any one element changes."""
    flat = tensor.detach().flatten()
    return [flat.norm().item(), flat.dot(torch.from_numpy(fill(f"{name} direction", flat.numel()))).item()]


def is_noise(gradient):
    """Whether an element is nothing but rounding, which Adam scales up to a step as long as any other's."""
    magnitude = gradient.abs()
    return bool(((magnitude > 0) & (magnitude < 1e-9 * magnitude.max())).any())


def groups(model, settings):
    """The parameters of the CNN, whose last layer is not counted as its, and of the rest, with each one's settings."""
    in_encoder = lambda name: name.startswith("resnet.") and not name.startswith("resnet.fc.")
    inside = [p for n, p in model.named_parameters() if in_encoder(n)]
    outside = [p for n, p in model.named_parameters() if not in_encoder(n)]
    decays = settings.get("encoderWeightDecay", 0), settings.get("weightDecay", 0)
    return [
        {"params": inside, "lr": settings["encoderLearningRate"], "weight_decay": decays[0]},
        {"params": outside, "lr": settings["learningRate"], "weight_decay": decays[1]},
    ]


def optimize(model, data, kind, settings):
    """Three steps; returns loss and norms of each, gradients and buffers after the first, all else after the last."""
    fill_model(model)
    model.train()
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = OPTIMIZERS[kind](groups(model, settings))
    result = {"settings": settings, "steps": []}
    clear = {}  # elements whose gradient stands out of rounding noise in every step
    noisy = set()
    for step in range(3):
        optimizer.zero_grad()
        loss = loss_of(model, *data)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), settings["maxGradientNorm"] or float("inf"))
        result["steps"].append({"loss": loss.item(), "gradientNorm": norm.item()})
        for name, parameter in model.named_parameters():
            flat = parameter.grad.flatten().abs()
            clear[name] = clear.get(name, True) & (flat > 1e-6 * flat.max())
            if is_noise(flat):
                noisy.add(name)
        if step == 0:
            result["gradients"] = {n: summary(p.grad) for n, p in model.named_parameters()}
            result["buffers"] = {n: summary(b.double()) for n, b in model.named_buffers()}
        optimizer.step()
    result["after"] = {}
    for name, parameter in model.named_parameters():
        positions = clear[name].nonzero().flatten()
        indices = [int(positions[i * (len(positions) - 1) // (SAMPLES - 1)]) for i in range(SAMPLES)]
        state = optimizer.state[parameter]
        result["after"][name] = {
            "parameter": summary(parameter, indices),
            "exp_avg": summary(state["exp_avg"]),
            "exp_avg_sq": summary(state["exp_avg_sq"]),
        }
    if model.resnet.conv1.out_channels < FULL["width"]:
        result["change"] = {
            n: fingerprint(n, p - before[n]) for n, p in model.named_parameters() if n not in noisy
        }
    return result


@torch.no_grad()
def notebook_captions(model, images, first_word):
    """What the model was trained to do with its two shifts: the image predicts word 1, word 0 predicts word 2, …"""
    captions = []
    for image in images:
        words, state, given = [first_word], None, model.resnet(image.unsqueeze(0)).unsqueeze(1)
        for position in range(28):
            out, state = model.lstm(given, state)
            word = model.linear(out[0, -1]).argmax().item()
            if word == 0:
                break
            words.append(word)
            given = model.embed(torch.tensor([[words[position]]]))
        captions.append(words)
    return captions


def cases():
    small = {"vocabulary": 40, "embed": 12, "hidden": 16, **TINY}
    shape = {"images": 4, "captionsPerImage": 3, "side": 64, "loss": "masked", "optimizers": ["adam", "adamw"]}
    for variant, (language, fusion) in {"1u": (0, 1), "2u": (0, 2), "2f": (1, 1), "4f": (2, 2)}.items():
        for inject in ("first", "every"):
            model = {**small, "language": language, "fusion": fusion, "inject": inject, "image_step": False}
            yield f"{variant} {inject}", {"model": model, **shape}
    notebook = {"language": 0, "fusion": 1, "inject": "first", "image_step": True}
    yield "notebook", {
        "model": {**small, **notebook}, **shape, "images": 6, "captionsPerImage": 1, "loss": "notebook",
    }
    yield "notebook with ResNet-50", {
        "model": {"vocabulary": 15000, "embed": 16, "hidden": 512, **notebook, **FULL},
        **shape, "images": 4, "captionsPerImage": 1, "loss": "notebook", "optimizers": ["adam"],
    }
    yield "1u every with ResNet-50", {
        "model": {"vocabulary": 2000, "embed": 512, "hidden": 512, "language": 0, "fusion": 1, "inject": "every",
                  "image_step": False, **FULL},
        **shape, "images": 4, "captionsPerImage": 2, "optimizers": ["adamw"],
    }


SETTINGS = {
    "adam": {
        "encoderLearningRate": 1e-3, "learningRate": 1e-3, "encoderWeightDecay": 0, "weightDecay": 0,
        "maxGradientNorm": 0,
    },
    "adamw": {
        "encoderLearningRate": 5e-4, "learningRate": 1e-3, "encoderWeightDecay": 0.01, "weightDecay": 0.01,
        "maxGradientNorm": 0.25,
    },
}


def write(results):
    json.dump({"torch": torch.__version__.split("+")[0], "cases": results}, sys.stdout, separators=(",", ":"))
    print()


def main():
    results = {}
    for name, case in cases():
        model = Captioner(**case["model"])
        fill_model(model)
        data = batch(name, case)
        model.eval()
        with torch.no_grad():
            logits = model(*data[:3])
            entry = {"case": case, "logits": summary(logits), "evaluationLoss": loss_of(model, *data).item()}
            if case["loss"] == "notebook":
                entry["captions"] = {"firstWord": 7, "words": notebook_captions(model, data[0], 7)}
        entry["training"] = {kind: optimize(model, data, kind, SETTINGS[kind]) for kind in case["optimizers"]}
        results[name] = entry
        print(name, file=sys.stderr)
    write(results)


if __name__ == "__main__":
    main()
