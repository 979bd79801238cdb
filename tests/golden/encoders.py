"""Golden numbers of the image encoders, from PyTorch in float64.

    python encoders.py > encoders.json        (torch 2.11 to 2.13, numpy, efficientnet-lite-pytorch 0.1.0)

Each encoder stands in a captioner that reads its feature at every step, with weights and words by the formula of model.py.
ResNets are written here as torchvision has them; EfficientNet-Lite is the package's own code with stochastic depth off.
In evaluation: features, logits, and the heat maps of one caption (Grad-CAM, which is linear in the feature map). After a
training step's backward pass: loss, gradients and BatchNorm's buffers, of full-size encoders those of a few tensors.
Small EfficientNet-Lites have larger BatchNorm biases, with which activations reach the cap of every ReLU6.
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from efficientnet_lite_pytorch.model import EfficientNet
from efficientnet_lite_pytorch.utils import efficientnet_lite, efficientnet_params

from model import Captioner, Residual, ResNet, batch, fill, integers, write
from model import summary as exact_summary

FIRST = {"resnet": "conv1", "efficientnet": "stem"}
RESNET_STAGES = ["conv1", "layer1", "layer2", "layer3", "layer4"]
LITE_STAGES = ["stem", *(f"stage{n}" for n in range(1, 8)), "head"]


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, channels, width, stride, project):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        if project:
            self.downsample = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Lite(EfficientNet):
    """The package's model for images of any size: with a size it would pad for that one alone."""

    features = EfficientNet.extract_features

    def __init__(self, outputs, name, width=None, blocks=None):
        scales = efficientnet_params(name)[:2] if width is None else (width / 100, None)
        blocks_args, global_params = efficientnet_lite(*scales, dropout_rate=0, drop_connect_rate=0, num_classes=outputs)
        if blocks is not None:
            blocks_args = [block._replace(num_repeat=count) for block, count in zip(blocks_args, blocks)]
        super().__init__(blocks_args, global_params)
        self.stage_sizes = [len(stage) for stage in self.blocks_by_stage()]

    def blocks_by_stage(self):
        """A stage begins where the number of channels changes."""
        stages = []
        for block in self._blocks:
            args = block._block_args
            if args.input_filters != args.output_filters or not stages or isinstance(args.stride, list):
                stages.append([])
            stages[-1].append(block)
        return stages


def summary(tensor):
    """model.py's with 13 digits, which keeps the file small."""
    return [float(f"{number:.13g}") for number in exact_summary(tensor)]


def make_model(case):
    settings = case["model"]
    sizes = {name: settings[name] for name in ("vocabulary", "embed", "hidden", "language", "fusion", "inject")}
    model = Captioner(**sizes, image_step=False, width=8, blocks=(1, 1, 1, 1))
    name, width, blocks = settings["encoder"], settings["width"], settings["blocks"]
    if name.startswith("resnet"):
        block = BasicBlock if name in ("resnet18", "resnet34") else Residual
        model.resnet = ResNet(sizes["embed"], width, blocks, block)
        return model, model.resnet
    del model.resnet
    full = (name, width) in (("efficientnet-lite0", 100), ("efficientnet-lite2", 110))
    model.efficientnet = Lite(sizes["embed"], name) if full else Lite(sizes["embed"], name, width, blocks)
    assert model.efficientnet.stage_sizes == list(blocks)
    return model, model.efficientnet


def forward(model, encoder, images, image_of_row, inputs):
    feature = encoder(images)[image_of_row].unsqueeze(1)
    words = model.embed(inputs)
    return model.linear(model.lstm(torch.cat((words, feature.repeat(1, words.shape[1], 1)), 2))[0])


def fill_model(model, settings):
    """As model.py's, for all encoders.

    lastLayer: what the encoder's last layer is multiplied by. normBias: the range of the BatchNorm biases before a ReLU6.
    """
    for name, tensor in model.state_dict().items():
        if tensor.dtype == torch.int64:
            tensor.zero_()
            continue
        values = fill(name, tensor.numel())
        if "normBias" in settings and name.endswith(("_bn0.bias", "_bn1.bias")):
            low, high = settings["normBias"]
            values = low + (values + 0.5) * (high - low)
        elif name.startswith(("resnet.", "efficientnet.")) and tensor.dim() == 1 and "fc." not in name:
            values = values * 0.4 + (1 if name.endswith((".weight", ".running_var")) else 0)
        else:
            fan_in = tensor[0].numel() if tensor.dim() > 1 else 1
            values = values * (2 if name == "embed.weight" else 4 / fan_in**0.5)
            values = values * (settings["lastLayer"] if "fc." in name else 1)
        tensor.copy_(torch.from_numpy(values).view(tensor.shape))


def pictures(name, case, encoder):
    count, height, width = case["images"], case["height"], case["width"]
    pixels = integers(f"{name} pixels", count * height * width * 3, 256).reshape(count, height, width, 3)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    if encoder == "efficientnet":
        return (images.double() - 127) / 128
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (images / 255 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)


def heat(model, encoder, image, inputs, targets):
    """Grad-CAM of each word, as explain.py has it."""
    features = encoder.features(image)
    feature_map = features.detach().requires_grad_()
    pooled = feature_map.mean((2, 3))
    last = encoder.fc if hasattr(encoder, "fc") else encoder._fc
    feature = last(pooled).unsqueeze(1)
    words = model.embed(inputs)
    logits = model.linear(model.lstm(torch.cat((words, feature.repeat(1, words.shape[1], 1)), 2))[0])
    scores = F.log_softmax(logits[0], dim=1)
    maps = []
    for step, target in enumerate(targets[0].tolist()):
        if target < 0:
            maps.append(torch.zeros(feature_map.shape[2:]))
            continue
        (gradient,) = torch.autograd.grad(scores[step, target], feature_map, retain_graph=True)
        maps.append(F.relu((gradient.mean((2, 3), keepdim=True) * feature_map).sum(1))[0].detach())
    return torch.stack(maps)


def stage_of(name, encoder):
    """The stage of a parameter or buffer of an encoder; None for its last layer and all else."""
    parts = name.split(".")
    if parts[0] not in FIRST or parts[1] in ("fc", "_fc"):
        return None
    if parts[0] == "resnet":
        return RESNET_STAGES.index(parts[1]) if parts[1].startswith("layer") else 0
    if parts[1] == "_blocks":
        number, stage = int(parts[2]), 1
        for size in encoder.stage_sizes:
            if number < size:
                return stage
            number, stage = number - size, stage + 1
    return len(LITE_STAGES) - 1 if parts[1] in ("_conv_head", "_bn1") else 0


def train(model, encoder, data, trainable_from):
    model.train()
    modules = dict(model.named_modules())
    for name, parameter in model.named_parameters():
        stage = stage_of(name, encoder)
        trains = stage is None or stage >= trainable_from
        parameter.requires_grad_(trains)
        parameter.grad = None
        if not trains:
            modules[name.rpartition(".")[0]].train(False)
    images, image_of_row, inputs, targets = data
    logits = forward(model, encoder, images, image_of_row, inputs)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
    loss.backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    norm = torch.stack([g.norm() for g in gradients.values()]).norm().item()
    buffers = {n: b.double() for n, b in model.named_buffers()}
    return {"loss": loss.item(), "gradientNorm": norm}, gradients, buffers, norm


def capped(encoder, images):
    """The fraction of activations at the cap of each ReLU6, in the order that they run."""
    fractions = []

    def note(_module, inputs, _output):
        fractions.append((inputs[0] >= 6).double().mean().item())

    hooks = [m.register_forward_hook(note) for m in encoder.modules() if isinstance(m, nn.ReLU6)]
    with torch.no_grad():
        encoder.features(images)
    for hook in hooks:
        hook.remove()
    return fractions


def chosen(tensors, encoder, small):
    """All of a small encoder's tensors; of a full one's the first and the last few of each stage."""
    if small:
        return tensors
    by_stage = {}
    for name in tensors:
        by_stage.setdefault(stage_of(name, encoder), []).append(name)
    return {n: tensors[n] for names in by_stage.values() for n in dict.fromkeys([*names[:3], *names[-2:]])}


def cases():
    # Activations grow with the depth where the running statistics are not the batch's. A last layer that takes them back
    # keeps the LSTM where gradients are more than rounding.
    last_layer = {"resnet34": 0.1, "resnet50": 0.1, "resnet101": 0.01, "resnet152": 3e-4}
    model = {"vocabulary": 40, "embed": 12, "hidden": 16, "language": 0, "fusion": 1, "inject": "every"}
    shape = {"images": 3, "captionsPerImage": 2, "loss": "masked", "side": 1}
    small = {
        "resnet18": {"width": 8, "blocks": [1, 1, 1, 1]},
        "resnet50": {"width": 8, "blocks": [1, 1, 1, 1]},
        "efficientnet-lite0": {"width": 25, "blocks": [1, 1, 1, 1, 1, 1, 1]},
        "efficientnet-lite2": {"width": 30, "blocks": [1, 2, 1, 1, 2, 1, 1]},
    }
    sizes = {"even": (64, 96), "odd": (65, 75)}
    for name, size in small.items():
        for parity, (height, width) in sizes.items():
            settings = {**model, "encoder": name, "lastLayer": 1, **size}
            if name.startswith("efficientnet"):
                settings["normBias"] = [-2, 6]
            case = {"model": settings, **shape, "height": height, "width": width}
            middle = 2 if name.startswith("resnet") else 4
            yield f"small {name}, {parity}", case, [0, middle]
    full = {
        "resnet18": {"width": 64, "blocks": [2, 2, 2, 2]},
        "resnet34": {"width": 64, "blocks": [3, 4, 6, 3]},
        "resnet50": {"width": 64, "blocks": [3, 4, 6, 3]},
        "resnet101": {"width": 64, "blocks": [3, 4, 23, 3]},
        "resnet152": {"width": 64, "blocks": [3, 8, 36, 3]},
        "efficientnet-lite0": {"width": 100, "blocks": [1, 2, 2, 3, 3, 4, 1]},
        "efficientnet-lite2": {"width": 110, "blocks": [1, 3, 3, 4, 4, 5, 1]},
    }
    for name, size in full.items():
        for parity in ("odd",) if name.startswith("resnet") else ("even", "odd"):
            height, width = sizes[parity]
            yield f"{name}, {parity}", {
                "model": {**model, "encoder": name, "lastLayer": last_layer.get(name, 1), **size},
                **shape, "height": height, "width": width,
            }, [0]


def main():
    results = {}
    for name, case, starts in cases():
        model, encoder = make_model(case)
        fill_model(model, case["model"])
        model.eval()
        family = "resnet" if hasattr(model, "resnet") else "efficientnet"
        small = name.startswith("small")
        images = pictures(name, case, family)
        _, image_of_row, inputs, targets = batch(name, case)
        with torch.no_grad():
            features = encoder.features(images).mean((2, 3))
            logits = forward(model, encoder, images, image_of_row, inputs)
        maps = heat(model, encoder, images[:1], inputs[:1], targets[:1])
        entry = {
            "case": case, "features": summary(features), "logits": summary(logits),
            "rows": maps.shape[1], "columns": maps.shape[2], "heat": summary(maps), "training": [],
        }
        if "normBias" in case["model"]:
            for training in (False, True):
                model.train(training)
                assert min(capped(encoder, images)) > 0.01, name
        for start in starts:
            fill_model(model, case["model"])
            result, gradients, buffers, norm = train(
                model, encoder, (images, image_of_row, inputs, targets), start
            )
            stages = RESNET_STAGES if family == "resnet" else LITE_STAGES
            entry["training"].append({
                "trainableFrom": stages[start], **result,
                # Nothing but rounding where BatchNorm takes out what a parameter adds.
                "gradients": {
                    n: [] if g.norm() < 1e-9 * norm else summary(g)
                    for n, g in chosen(gradients, encoder, small).items()
                },
                "buffers": {n: summary(b) for n, b in chosen(buffers, encoder, small).items()},
            })
        results[name] = entry
        print(name, file=sys.stderr)
    write(results)


if __name__ == "__main__":
    main()
