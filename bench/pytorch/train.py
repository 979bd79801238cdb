"""Training steps of the notebook in PyTorch, written as its user would write them; bench/contender.ts runs this.

    python train.py '{"layout": "contiguous" or "channels_last", "fused": false, "compile": false,
                      "precision": "fp32" or "bf16", "device": "cpu", "data": null or a folder, "steps": 3}'

Without data, all steps have one batch of 16 random images, which is there already. With data it is the notebook's loop: a
DataLoader without Workers, in which PIL decodes, scales and crops each photograph again for each of its captions.
"""
import json
import pathlib
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

from answer import answer
from images import load

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
from model import FULL, Captioner  # noqa: E402

torch.set_default_dtype(torch.float32)  # the golden numbers' model has float64
BATCH, WORDS, VOCABULARY = 16, 30, 15_000


class Captions(torch.utils.data.Dataset):
    """One item a caption; its words are split at spaces, which is less work than the notebook's word_tokenize."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        lines = (self.folder / "captions.txt").read_text().splitlines()[1:]
        self.rows = [line.split(",", 1) for line in lines]
        words = dict.fromkeys(word for _, caption in self.rows for word in caption.split())
        self.ids = {word: index + 2 for index, word in enumerate(words)}

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        name, caption = self.rows[index]
        ids = [self.ids[word] for word in caption.split()][:WORDS]
        return load(self.folder / "Images" / name, 256, 224), torch.tensor(ids + [0] * (WORDS - len(ids)))


def endless(loader):
    while True:
        yield from loader


def main():
    settings = json.loads(sys.argv[1])
    device = settings["device"]
    torch.manual_seed(0)
    model = Captioner(VOCABULARY, 16, 512, 0, 1, "first", True, **FULL).to(device)
    layout = getattr(torch, {"contiguous": "contiguous_format"}.get(settings["layout"], settings["layout"]))
    model = model.to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=settings["fused"] or None)
    forward = torch.compile(model) if settings["compile"] else model
    image_of_row = torch.arange(BATCH, device=device)
    if settings["data"] is None:
        captions = torch.from_numpy(np.random.default_rng(1).integers(0, VOCABULARY, (BATCH, WORDS)))
        images = torch.randn(BATCH, 3, 224, 224, device=device).contiguous(memory_format=layout)
        batches = endless([(images, captions.to(device))])
    else:
        data = Captions(settings["data"])
        batches = endless(torch.utils.data.DataLoader(data, BATCH, shuffle=True, drop_last=True))

    def step():
        images, captions = next(batches)
        images, captions = images.to(device, memory_format=layout), captions.to(device)
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=settings["precision"] == "bf16"):
            outputs = forward(images, image_of_row, captions[:, :-2])
            loss = F.cross_entropy(outputs.reshape(-1, outputs.shape[2]), captions[:, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    def measure():
        start = time.perf_counter()
        for _ in range(settings["steps"]):
            step()
        return {"seconds": time.perf_counter() - start, "captions": BATCH * settings["steps"]}

    for _ in range(2):
        step()
    answer(measure)


if __name__ == "__main__":
    main()
