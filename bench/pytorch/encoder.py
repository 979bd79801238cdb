"""What bench/lrcn/encoder.ts measures, in PyTorch eager with channels_last and fused AdamW; bench/contender.ts runs this.

    python encoder.py '{"encoder": "resnet50" or "efficientnet-lite2", "train": false, "precision": "fp32" or "bf16",
                        "device": "cpu", "batchSize": 16, "side": 224, "steps": 3}'

EfficientNet-Lite is the code of the package efficientnet-lite-pytorch, without stochastic depth.
"""
import json
import pathlib
import sys
import time

import torch
from torch.nn import functional as F

from answer import answer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
from model import FULL, Captioner  # noqa: E402

torch.set_default_dtype(torch.float32)  # the golden numbers' model has float64
CAPTIONS, WORDS, VOCABULARY = 5, 12, 3_000


def make_model(name):
    model = Captioner(VOCABULARY, 512, 512, 0, 1, "every", False, **FULL)
    if name != "resnet50":
        from efficientnet_lite_pytorch import EfficientNet

        overrides = {"num_classes": 512, "drop_connect_rate": 0, "dropout_rate": 0, "image_size": None}
        model.resnet = EfficientNet.from_name(name, **overrides)
        model.resnet.features = model.resnet.extract_features
    return model


def main():
    settings = json.loads(sys.argv[1])
    device, count, side = settings["device"], settings["batchSize"], settings["side"]
    torch.manual_seed(0)
    model = make_model(settings["encoder"]).to(device).to(memory_format=torch.channels_last)
    images = torch.randn(count, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
    image_of_row = torch.arange(count, device=device).repeat_interleave(CAPTIONS)
    captions = torch.randint(0, VOCABULARY, (count * CAPTIONS, WORDS + 2), device=device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    autocast = torch.autocast(device, torch.bfloat16, enabled=settings["precision"] == "bf16")

    def train():
        optimizer.zero_grad()
        with autocast:
            outputs = model(images, image_of_row, captions[:, :-1])
            loss = F.cross_entropy(outputs.flatten(0, 1), captions[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        return loss

    def encode():
        with torch.inference_mode(), autocast:
            return model.resnet.features(images).mean((2, 3))

    step = train if settings["train"] else encode
    model.train(settings["train"])

    def measure():
        start = time.perf_counter()
        for _ in range(settings["steps"]):
            last = step()
        last.float().sum().item()  # a GPU has done all of it only now
        return {"seconds": time.perf_counter() - start, "images": count * settings["steps"]}

    for _ in range(2):
        step()
    answer(measure)


if __name__ == "__main__":
    main()
