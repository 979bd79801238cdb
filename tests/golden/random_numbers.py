"""Writes random_numbers.json: xoshiro128** seeded by splitmix32, in Python's unbounded integers.

    python3 tests/golden/random_numbers.py
"""
import json
import pathlib

MASK = 0xFFFFFFFF


def rotate(value, bits):
    return ((value << bits) | (value >> (32 - bits))) & MASK


def state_of(seed):
    counter = (seed & MASK) ^ (((seed >> 32) * 0x85EBCA6B) & MASK)
    state = []
    for _ in range(4):
        counter = (counter + 0x9E3779B9) & MASK
        mixed = ((counter ^ (counter >> 16)) * 0x21F0AAAD) & MASK
        mixed = ((mixed ^ (mixed >> 15)) * 0x735A2D97) & MASK
        state.append(mixed ^ (mixed >> 15))
    return state


def words(state, count):
    a, b, c, d = state
    result = []
    for _ in range(count):
        result.append((rotate((b * 5) & MASK, 7) * 9) & MASK)
        shifted = (b << 9) & MASK
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = rotate(d, 11)
    return result


def shuffled(seed, length):
    stream = iter(words(state_of(seed), 10 * length))
    values = list(range(length))
    for last in range(length - 1, 0, -1):
        limit = 2**32 - 2**32 % (last + 1)
        word = next(stream)
        while word >= limit:
            word = next(stream)
        chosen = word % (last + 1)
        values[chosen], values[last] = values[last], values[chosen]
    return values


# The published first numbers from the state 1, 2, 3, 4 hold this script itself to the generator.
assert words([1, 2, 3, 4], 6) == [11520, 0, 5927040, 70819200, 2031721883, 1637235492]

seeds = [0, 1, 42, 2**32 - 1, 2**32, 2**53 - 1]
golden = {
    "words": [{"seed": seed, "words": words(state_of(seed), 8)} for seed in seeds],
    "shuffles": [{"seed": seed, "values": shuffled(seed, 12)} for seed in seeds],
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden) + "\n", encoding="utf-8")
