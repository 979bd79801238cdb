"""Captions the images of a folder as one writes it in PyTorch: what bench/caption_folder.ts is compared with.

    python bench/pytorch/caption_folder.py model.pth model.vocab.json beam file.jpg ...

PIL decodes, resizes and crops; the CNN sees 16 images at a time, and beam search goes on with the beams of all 16 in one
batch. Prints {"seconds", "captions"}; loading is not counted.
"""
import json
import pathlib
import sys
import time

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
from model import Captioner  # noqa: E402

BATCH = 16
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def load(path, short_side, size):
    image = Image.open(path).convert("RGB")
    scale = short_side / min(image.size)
    wide, high = (round(side * scale) if side == min(image.size) else int(side * scale) for side in image.size)
    image = image.resize((wide, high), Image.BILINEAR)
    left, top = round((wide - size) / 2), round((high - size) / 2)
    pixels = np.asarray(image.crop((left, top, left + size, top + size)))
    return ((torch.from_numpy(pixels.copy()).float() / 255 - MEAN) / STD).permute(2, 0, 1)


@torch.inference_mode()
def search(model, images, words, beam, most):
    start, end = words.index("<start>"), words.index("<end>")
    never = torch.tensor([words.index(word) for word in ("<pad>", "<unk>", "<start>")])
    count = len(images)
    feature = model.resnet(images).repeat_interleave(beam, 0).unsqueeze(1)
    given = torch.full((count * beam, 1), start)
    scores = torch.full((count, beam), -torch.inf)
    scores[:, 0] = 0
    state, texts = None, [[[] for _ in range(beam)] for _ in range(count)]
    finished = [(-torch.inf, [])] * count
    for length in range(most + 1):
        out, state = model.lstm(torch.cat((model.embed(given), feature), 2), state)
        steps = model.linear(out[:, -1]).log_softmax(1)
        steps[:, never] = -torch.inf
        if length == 0:
            steps[:, end] = -torch.inf
        if length == most:
            keep = steps[:, end].clone()
            steps[:] = -torch.inf
            steps[:, end] = keep
        total = (scores.view(-1, 1) + steps).view(count, -1)
        scores, places = total.topk(beam, 1)
        parents, chosen = places // steps.shape[1], places % steps.shape[1]
        rows = (torch.arange(count).unsqueeze(1) * beam + parents).flatten()
        state = tuple(part[:, rows] for part in state)
        next_texts = []
        for image in range(count):
            own = []
            for rank in range(beam):
                text, word = texts[image][parents[image, rank]], chosen[image, rank].item()
                if word == end:
                    score = scores[image, rank].item()
                    if score > finished[image][0]:
                        finished[image] = (score, text)
                    scores[image, rank] = -torch.inf
                own.append([*text, word])
            next_texts.append(own)
        texts, given = next_texts, chosen.view(-1, 1)
        if all(finished[image][0] >= scores[image].max().item() for image in range(count)):
            break
    return [" ".join(words[word] for word in text) for _, text in finished]


def main():
    weights, vocabulary, settings, *files = sys.argv[1:]
    words, settings = json.load(open(vocabulary, encoding="utf-8")), json.loads(settings)
    words = words if isinstance(words, list) else words["words"]
    model = Captioner(**settings["model"]).eval()
    model.load_state_dict(torch.load(weights))
    search(model, torch.zeros(BATCH, 3, settings["size"], settings["size"]), words, settings["beam"], settings["most"])
    begin = time.perf_counter()
    captions = []
    for start in range(0, len(files), BATCH):
        images = torch.stack([load(path, settings["short"], settings["size"]) for path in files[start:start + BATCH]])
        captions += search(model, images, words, settings["beam"], settings["most"])
    print(json.dumps({"seconds": time.perf_counter() - begin, "captions": captions}))


if __name__ == "__main__":
    main()
