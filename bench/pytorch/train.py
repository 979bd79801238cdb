"""Training steps of the notebook in PyTorch, written as its user would write them; bench/contender.ts runs this.

    python train.py '{"layout": "contiguous" or "channels_last", "fused": false, "compile": false,
                      "precision": "fp32" or "bf16", "device": "cpu", "data": null or a folder, "steps": 3,
                      "recipe": "notebook" or "lrcn", "batchSize": 16}'

Without data, all steps have one batch of random images, which is there already. The lrcn recipe has five captions of 12 words
for each image, none padded, and AdamW; its loss is printed after the last of the steps alone. With data it is the notebook's loop: a
DataLoader without Workers, in which PIL decodes, scales and crops each image again for each of its captions.
"""
import json
import pathlib
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

from answer import answer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
from model import FULL, Captioner  # noqa: E402

torch.set_default_dtype(torch.float32)  # the golden numbers' model has float64
WORDS, VOCABULARY = 30, 15_000
PREPROCESSING = {"encoder": "resnet50", "short": 256, "size": 224, "resize": "crop"}
LRCN_CAPTIONS, LRCN_WORDS, LRCN_VOCABULARY = 5, 12, 3_000


class Captions(torch.utils.data.Dataset):
    """One item a caption; its words are split at spaces, which is less work than the notebook's word_tokenize."""

    def __init__(self, folder):
        from images import load  # which needs Pillow

        self.load, self.folder = load, pathlib.Path(folder)
        lines = (self.folder / "captions.txt").read_text().splitlines()[1:]
        self.rows = [line.split(",", 1) for line in lines]
        words = dict.fromkeys(word for _, caption in self.rows for word in caption.split())
        self.ids = {word: index + 2 for index, word in enumerate(words)}

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        name, caption = self.rows[index]
        ids = [self.ids[word] for word in caption.split()][:WORDS]
        return self.load(self.folder / "Images" / name, PREPROCESSING), torch.tensor(ids + [0] * (WORDS - len(ids)))


def endless(loader):
    while True:
        yield from loader


def main():
    settings = json.loads(sys.argv[1])
    device = settings["device"]
    torch.manual_seed(0)
    count, lrcn = settings["batchSize"], settings["recipe"] == "lrcn"
    if lrcn:
        model = Captioner(LRCN_VOCABULARY, 512, 512, 0, 1, "every", False, **FULL).to(device)
    else:
        model = Captioner(VOCABULARY, 16, 512, 0, 1, "first", True, **FULL).to(device)
    layout = getattr(torch, {"contiguous": "contiguous_format"}.get(settings["layout"], settings["layout"]))
    model = model.to(memory_format=layout)
    adam = torch.optim.AdamW if lrcn else torch.optim.Adam
    optimizer = adam(model.parameters(), lr=1e-3, fused=settings["fused"] or None)
    forward = torch.compile(model) if settings["compile"] else model
    captions_of_image = LRCN_CAPTIONS if lrcn else 1
    image_of_row = torch.arange(count, device=device).repeat_interleave(captions_of_image)
    if settings["data"] is None:
        below, words = (LRCN_VOCABULARY, LRCN_WORDS + 2) if lrcn else (VOCABULARY, WORDS)
        ids = np.random.default_rng(1).integers(0, below, (count * captions_of_image, words))
        captions = torch.from_numpy(ids)
        images = torch.randn(count, 3, 224, 224, device=device).contiguous(memory_format=layout)
        batches = endless([(images, captions.to(device))])
    else:
        data = Captions(settings["data"])
        batches = endless(torch.utils.data.DataLoader(data, count, shuffle=True, drop_last=True))

    def step():
        images, captions = next(batches)
        images, captions = images.to(device, memory_format=layout), captions.to(device)
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=settings["precision"] == "bf16"):
            # The notebook's model predicts one word more than it is given, at the image's own step.
            outputs = forward(images, image_of_row, captions[:, : -1 if lrcn else -2])
            loss = F.cross_entropy(outputs.reshape(-1, outputs.shape[2]), captions[:, 1:].reshape(-1))
        loss.backward()
        if lrcn:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        return loss if lrcn else loss.item()

    def measure():
        start = time.perf_counter()
        for _ in range(settings["steps"]):
            loss = step()
        float(loss)  # a GPU has done all of it only now
        seconds, images = time.perf_counter() - start, count * settings["steps"]
        return {"seconds": seconds, "captions": images * captions_of_image}

    for _ in range(2):
        float(step())
    answer(measure)


if __name__ == "__main__":
    main()
