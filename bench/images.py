"""Draws JPEG files as large as photos: noise with a photo's spectrum.

    python images.py FOLDER COUNT [WIDTH HEIGHT]

By default they have 500 x 375 pixels.
"""
import pathlib
import sys

import numpy as np
from PIL import Image


def photo(random, width, height):
    pixels = np.zeros((height, width, 3))
    for side in (4, 16, 64, 256):
        noise = Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8))
        pixels += np.asarray(noise.resize((width, height), Image.BICUBIC), dtype=float) / side**0.5
    pixels -= pixels.min()
    return Image.fromarray((pixels * 255 / pixels.max()).astype(np.uint8))


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    width, height = map(int, sys.argv[3:5] or (500, 375))
    random = np.random.default_rng(1)
    for index in range(count):
        photo(random, width, height).save(folder / f"{index:04}.jpg", quality=92)


main()
