"""Draws a dataset to measure on: JPEG files of 500 x 375 pixels, as large as images, and five captions of each.

    python images.py FOLDER COUNT

The pictures are noise with a image's spectrum; the captions, in Kaggle's form, have some 3,000 words that occur as
often as words do (Zipf), and 11.8 tokens on average, as Flickr8k's.
"""
import pathlib
import sys

import numpy as np
from PIL import Image

WIDTH, HEIGHT, CAPTIONS = 500, 375, 5


def image(random):
    pixels = np.zeros((HEIGHT, WIDTH, 3))
    for side in (4, 16, 64, 256):
        noise = Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8))
        pixels += np.asarray(noise.resize((WIDTH, HEIGHT), Image.BICUBIC), dtype=float) / side**0.5
    pixels -= pixels.min()
    return Image.fromarray((pixels * 255 / pixels.max()).astype(np.uint8))


def caption(random):
    word = lambda kind, count: f"{kind}{min(random.zipf(1.3), 10**6) % count}"
    thing = lambda: f"a {word('kind', 800)} {word('thing', 1200)}"
    sentence = f"{thing()} {word('does', 400)} {word('near', 40)} {thing()}"
    if random.random() < 0.5:
        sentence += f" and {thing()}"
    return f"{sentence} on the {word('place', 600)} ."


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    (folder / "Images").mkdir(parents=True)
    random = np.random.default_rng(1)
    lines = ["image,caption"]
    for index in range(count):
        name = f"{index:04}.jpg"
        image(random).save(folder / "Images" / name, quality=92)
        lines += [f"{name},{caption(random)}" for _ in range(CAPTIONS)]
    (folder / "captions.txt").write_text("\n".join(lines) + "\n")


main()
