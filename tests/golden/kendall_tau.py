"""Writes kendall_tau.json: Kendall's tau-b and tau-c of drawn gradings, by SciPy.

    python3 -m pip install scipy
    python3 tests/golden/kendall_tau.py
"""
import json
import pathlib
import random

import scipy
from scipy.stats import kendalltau


def gradings():
    yield [1, 2, 3, 4, 5], [2, 1, 4, 3, 5]
    yield [1, 1, 2, 2], [1, 2, 1, 2]
    yield [1, 1, 2, 3, 3, 3], [0.5, 0.25, 0.25, 0.75, 0.75, 1]
    numbers = random.Random(5)
    for count, steps in [(7, 3), (40, 4), (64, 1000), (300, 4)]:
        first = [numbers.randint(1, steps) for _ in range(count)]
        # The second follows the first, with noise and some ties.
        yield first, [round(grade / steps + numbers.random(), 2) for grade in first]


golden = {
    "scipy": scipy.__version__,
    "gradings": [
        {
            "first": first,
            "second": second,
            "b": float(kendalltau(first, second, variant="b").statistic),
            "c": float(kendalltau(first, second, variant="c").statistic),
        }
        for first, second in gradings()
    ],
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden) + "\n", encoding="utf-8")
