"""Writes src/text/punkt_english.json: what NLTK's English Punkt model knows about lower-cased text.

    python3 tests/golden/punkt_english.py NLTK_DATA

NLTK_DATA is a folder with tokenizers/punkt_tab/english, as `nltk.download("punkt_tab")` makes it.
"""
import json
import pathlib
import sys

import nltk
from nltk.tokenize.punkt import _ORTHO_BEG_LC, _ORTHO_UC, PunktTokenizer

nltk.data.path.insert(0, sys.argv[1])
model = PunktTokenizer("english")._params

# Lower-cased text can start a word with an upper-case letter only where that letter has no lower-case one (mathematical
# capitals). The model has seen no such word, so its frequent sentence starters and the half of its orthographic contexts
# that speaks of capitalised words are out of reach.
assert not any(word[0].isupper() for word in model.ortho_context)

# A lower-case word surely does not start a sentence, unless the model saw it start one in lower case and never in upper.
starters = [
    word
    for word, context in model.ortho_context.items()
    if word[0].islower() and context & _ORTHO_BEG_LC and not context & _ORTHO_UC
]

# The collocations are an initial or a number before a lower-case word of another kind: no break there, known or not.
assert all(
    (first == "##number##" or len(first) == 1) and second[0].islower() and second not in starters
    for first, second in model.collocations
)

data = {
    "source": "Punkt English sentence model of NLTK (https://www.nltk.org), package punkt_tab; "
    "Kiss and Strunk (2006), Unsupervised Multilingual Sentence Boundary Detection",
    "license": "Apache-2.0",
    "copyright": "Copyright (C) 2001-2026 NLTK Project",
    "changes": "Only the parts that lower-cased text can reach; made by tests/golden/punkt_english.py",
    "abbreviations": sorted(model.abbrev_types),
    "lowerCaseStarters": sorted(starters),
}
path = pathlib.Path(__file__).parents[2] / "src" / "pipeline" / "tokenizer" / "punkt_english.json"
path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
