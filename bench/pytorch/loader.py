"""Decodes photos by PIL in PyTorch's DataLoader, scales and crops them, and writes them into one file; bench/contender.ts
runs this.

    python loader.py '{"files": [...], "workers": 2, "short": 256, "draft": false, "out": "pixels.bin"}'

With "draft" libjpeg scales a JPEG down by 2, 4 or 8 while it decodes, to at least twice the short side.
"""
import json
import sys
import time

import numpy as np
import torch
from PIL import Image

from answer import answer


class Photos(torch.utils.data.Dataset):
    def __init__(self, files, short, draft):
        self.files, self.short, self.draft = files, short, draft

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = Image.open(self.files[index])
        if self.draft:
            image.draft("RGB", (2 * self.short, 2 * self.short))
        image = image.convert("RGB")
        scale = self.short / min(image.size)
        size = [self.short if side == min(image.size) else int(side * scale) for side in image.size]
        image = image.resize(size, Image.BILINEAR)
        left, top = ((side - self.short) // 2 for side in image.size)
        return torch.from_numpy(np.array(image.crop((left, top, left + self.short, top + self.short))))


def main():
    settings = json.loads(sys.argv[1])
    photos = Photos(settings["files"], settings["short"], settings["draft"])

    def measure():
        start = time.perf_counter()
        shape = (len(photos), photos.short, photos.short, 3)
        stored = np.memmap(settings["out"], dtype=np.uint8, mode="w+", shape=shape)
        loader = torch.utils.data.DataLoader(photos, batch_size=16, num_workers=settings["workers"])
        at = 0
        for batch in loader:
            stored[at:at + len(batch)] = batch.numpy()
            at += len(batch)
        stored.flush()
        return {"seconds": time.perf_counter() - start}

    answer(measure)


if __name__ == "__main__":
    main()
