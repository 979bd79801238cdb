"""Writes notebook_data.json: digests of what pandas and NLTK make of a folder of Flickr8k images.

    python3 tests/golden/notebook_data.py flickr8k-mini NLTK_DATA

The folder has Kaggle's captions.txt. The steps are those of the notebook recipe: every word of every caption gets a
number in the order of first appearance, captions are cut at 30 tokens and padded to 30, and the rows are split 80/10/10.
Needs NLTK 3.10.4. Only digests are written, no caption.
"""
import hashlib
import itertools
import json
import pathlib
import sys

import nltk
import numpy
import pandas
from nltk.tokenize import word_tokenize

assert nltk.__version__ == "3.10.4", nltk.__version__
nltk.data.path.insert(0, sys.argv[2])
LENGTH = 30


def digest(data):
    return hashlib.sha256(data).hexdigest()


table = pandas.read_csv(pathlib.Path(sys.argv[1]) / "captions.txt")
tokens = [word_tokenize(caption.lower()) for caption in table["caption"]]
words = ["<pad>", "<unk>", *dict.fromkeys(itertools.chain.from_iterable(tokens))]
number = {word: index for index, word in enumerate(words)}
encoded = numpy.zeros((len(tokens), LENGTH), dtype="<i4")
for row, caption in zip(encoded, tokens):
    kept = [number[token] for token in caption[:LENGTH]]
    row[: len(kept)] = kept

count = len(table)
train, validation = int(0.8 * count), int(0.1 * count)
golden = {
    "nltk": nltk.__version__,
    "pandas": pandas.__version__,
    "captions": count,
    "images": int(table["image"].nunique()),
    "rowsSha256": digest("".join(f"{image}\t{text}\n" for image, text in table.itertuples(index=False)).encode()),
    "longestCaption": max(map(len, tokens)),
    "vocabularySize": len(words),
    "vocabularySha256": digest("\n".join(words).encode()),
    "encodedSha256": digest(encoded.tobytes()),
    "splits": [train, validation, count - train - validation],
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden, indent=2) + "\n", encoding="utf-8")
