"""Captions images as one writes it in PyTorch; bench/contender.ts runs this.

    python caption.py '{"weights": "model.pth", "vocabulary": "model.vocab.json", "model": {...}, "encoder": "resnet50",
                        "short": 256, "size": 224, "resize": "crop", "beam": 3, "most": 20, "files": [...], "once": false}'

PIL decodes, scales and crops; the CNN sees 16 images at a time, and beam search goes on with the beams of all 16 in one
batch. With "once" it captions the files and ends, with nothing run before.
"""
import json
import pathlib
import sys
import time

import torch

from answer import answer
from images import load

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
from model import Captioner  # noqa: E402

torch.set_default_dtype(torch.float32)  # the golden numbers' model has float64
BATCH = 16


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
        texts = [[[*own[parent], word] for parent, word in zip(*step)]
                 for own, step in zip(texts, zip(parents.tolist(), chosen.tolist()))]
        given, ends = chosen.view(-1, 1), chosen == end
        for image, rank in ends.nonzero().tolist():
            score = scores[image, rank].item()
            if score > finished[image][0]:
                finished[image] = (score, texts[image][rank][:-1])
        scores[ends] = -torch.inf
        if all(score >= best for (score, _), best in zip(finished, scores.amax(1).tolist())):
            break
    return [" ".join(words[word] for word in text) for _, text in finished]


def main():
    settings = json.loads(sys.argv[1])
    words = json.load(open(settings["vocabulary"], encoding="utf-8"))
    words = words if isinstance(words, list) else words["words"]
    model = Captioner(**settings["model"])
    weights = torch.load(settings["weights"])
    if settings["encoder"].startswith("efficientnet"):
        from efficientnet_lite_pytorch import EfficientNet

        overrides = {"num_classes": settings["model"]["embed"], "image_size": None}
        model.resnet = EfficientNet.from_name(settings["encoder"], **overrides)
        weights = {name.replace("efficientnet.", "resnet."): values for name, values in weights.items()}
    model.eval().load_state_dict(weights)
    beam, most = settings["beam"], settings["most"]

    def captions():
        for start in range(0, len(settings["files"]), BATCH):
            files = settings["files"][start:start + BATCH]
            images = torch.stack([load(path, settings) for path in files])
            yield from search(model, images, words, beam, most)

    def measure():
        start = time.perf_counter()
        written = list(captions())
        return {"seconds": time.perf_counter() - start, "captions": written}

    if settings["once"]:
        print("\n".join(captions()))
        return
    warm = min(BATCH, len(settings["files"]))
    search(model, torch.zeros(warm, 3, settings["size"], settings["size"]), words, beam, most)
    answer(measure)


if __name__ == "__main__":
    main()
