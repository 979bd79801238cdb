"""How a measured program talks: a line of JSON once it is ready, then one for each line that it is sent."""
import json
import sys


def answer(measure):
    """Calls measure() for each line of standard input and prints what it returns."""
    print("{}", flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure()), flush=True)
