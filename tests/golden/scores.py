"""Writes scores.json: BLEU-1 to BLEU-4, ROUGE-L and CIDEr-D of sentences written for the purpose, by pycocoevalcap.

    python3 -m pip install pycocoevalcap==1.2
    python3 tests/golden/scores.py
"""
import importlib.metadata
import json
import pathlib
import random

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

# A candidate and its references, as tokens parted by spaces.
PAIRS = [
    ("a red circle above a blue square", ["a red circle above a blue square"]),
    ("a red circle", ["a red circle above a blue square", "one red circle over a square"]),  # shorter than all
    ("a small red circle stands above a very large blue square today", ["a red circle", "a blue square below"]),  # longer
    ("", ["a green triangle", "one triangle"]),
    ("triangle", ["a green triangle", "triangle"]),
    ("dog", ["a cat sleeps"]),
    ("a a a a a a a", ["a cat on a mat", "there is a cat on the mat"]),  # counts at most as often as in a reference
    ("the kite the kite the kite", ["the kite flies over the kite shop", "a kite"]),
    ("two birds sit here", ["two birds", "two birds sit on wire"]),
    # Lengths 3 and 5 are equally close to 4: the shorter one counts.
    ("two birds sit there", ["two birds sit on wires", "two birds sit"]),
    ("two birds sit there", ["two birds sit", "two birds sit on wires"]),
    ("a boat with a striped sail", ["boats sail", "a boat with one striped sail", "a striped sail of a boat", "sea"]),
    ("nothing here agrees", ["a lamp beside the window", "a lamp"]),
    ("constructor __proto__ toString", ["__proto__ toString constructor", "constructor __proto__"]),
    ("ein Hund läuft über die Straße 🐕", ["ein Hund läuft über die Straße", "der Hund 🐕 läuft"]),
]


def drawn(numbers, length):
    words = "a the red blue big small cat dog bird runs sits flies on under near tree box".split()
    return " ".join(numbers.choice(words) for _ in range(length))


def corpora():
    yield PAIRS
    yield from ([pair] for pair in PAIRS)
    numbers = random.Random(3)
    yield [
        (drawn(numbers, numbers.randint(0, 14)), [drawn(numbers, numbers.randint(1, 16)) for _ in range(numbers.randint(1, 5))])
        for _ in range(30)
    ]


def scored(pairs):
    candidates = {index: [candidate] for index, (candidate, _) in enumerate(pairs)}
    references = {index: references for index, (_, references) in enumerate(pairs)}
    corpus, captions = Bleu(4).compute_score(references, candidates, verbose=0)
    rouge_l = Rouge().compute_score(references, candidates)
    cider = Cider().compute_score(references, candidates)
    return {
        "candidates": [candidate for candidate, _ in pairs],
        "references": [references for _, references in pairs],
        "bleu": {
            "corpus": corpus,
            # pycocoevalcap gives a list for each n.
            "captions": [list(scores) for scores in zip(*captions)] if len(pairs) > 1 else None,
        },
        "rougeL": {"mean": float(rouge_l[0]), "captions": [float(score) for score in rouge_l[1]]},
        "cider": {"mean": float(cider[0]), "captions": [float(score) for score in cider[1]]},
    }


golden = {
    "pycocoevalcap": importlib.metadata.version("pycocoevalcap"),
    "corpora": [scored(pairs) for pairs in corpora()],
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
