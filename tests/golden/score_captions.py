"""Writes score_captions.json: all scores of captions written for the purpose, from their texts on, by pycocoevalcap.

    python3 -m pip install pycocoevalcap==1.2        (and Java)
    python3 tests/golden/score_captions.py
"""
import importlib.metadata
import json
import pathlib

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

CAPTIONS = {
    "kite": ("A red kite flies over the sea .", ["A kite is flying over the sea.", "The kite, red and small, flies over waves"]),
    "boat": ("two boats at anchor", ["Two boats lie at anchor!", "Boats in a quiet harbour", "Two of the boats don't move."]),
    "baker": ("the baker 's van isn't here", ["The baker's van isn't here.", "A van that is the baker's"]),
    "clock": ("a clock shows 3 1/2 minutes past ten", ["The clock is at 3 1/2 past", "a clock shows 3 1/2 minutes past 10:00 a.m."]),
    "call": ("call (555) 123-4567 for a tram", ["A sign says : call (555) 123-4567", "A sign with a number for trams"]),
    "goat": ("A goat-like animal sits; it's gray", ["a goat - like thing sits", "It's a gray goat (or two)"]),
    "none": ("...", ["nothing to be seen here", "an empty field"]),
    "quote": ('He says "stop" and waits', ["A man says ``stop''", "'stop' , says he , and waits"]),
    "same": ("a tram stops at the bridge", ["a tram stops at the bridge"]),
    "other": ("a tram stops at the bridge", ["three geese cross a lawn", "geese on grass"]),
    "long": ("a girl with a hat and a scarf and a coat and a bag and a cat walks", ["a girl walks", "a girl with a cat walks home"]),
    "short": ("girl", ["a girl walks over a wooden bridge in the morning", "The girl, alone"]),
}

tokenizer = PTBTokenizer()
people = tokenizer.tokenize({image: [{"caption": text} for text in own] for image, (_, own) in CAPTIONS.items()})
predictions = tokenizer.tokenize({image: [{"caption": caption}] for image, (caption, _) in CAPTIONS.items()})
bleu, bleus = Bleu(4).compute_score(people, predictions, verbose=0)
rouge, rouges = Rouge().compute_score(people, predictions)
cider, ciders = Cider().compute_score(people, predictions)
names = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"]
golden = {
    "pycocoevalcap": importlib.metadata.version("pycocoevalcap"),
    "captions": [
        {"image": image, "caption": caption, "references": own} for image, (caption, own) in CAPTIONS.items()
    ],
    "corpus": dict(zip(names, map(float, [*bleu, rouge, cider]))),
    "perImage": [dict(zip(names, map(float, scores))) for scores in zip(*bleus, rouges, ciders)],
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
