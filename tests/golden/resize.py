"""Writes resize.json: what Pillow's Resize(256) and CenterCrop(224), as torchvision computes them, make of pictures,
and of the drawn ones Resize((224, 224)), which stretches them.

    python3 tests/golden/resize.py FLICKR8K_MINI

FLICKR8K_MINI is a folder with Images/. Of its 20 images no more is written than a sparse sample and the means;
the same 20 sizes are used for pictures that drawn_image.ts and this script compute alike, with a larger sample.

A sample of n pixels of an image of N holds pixel floor((2 k + 1) N / (2 n)) for k from 0 to n - 1, counted row by row.
"""
import base64
import hashlib
import json
import pathlib
import sys

import numpy
from PIL import Image

SHORT_SIDE, CROP = 256, 224
IMAGES, IMAGE_SAMPLES, DRAWN_SAMPLES = 20, 300, 2000


def drawn(width, height):
    """Two slow waves and a fast pattern a channel, mixed 1 : 1 : 2, all in integers."""
    y, x, channel = numpy.ogrid[0:height, 0:width, 0:3]

    def wave(position):
        return abs((position & 511) - 255) & 255

    slow = wave(3 * x + 85 * channel) + wave(2 * y + 40 * channel)
    fast = (37 * x + 91 * y + (channel + 1) * x * y) & 255
    return ((slow + 2 * fast) >> 2).astype(numpy.uint8)


def resize_crop(picture):
    width, height = picture.size
    short, long = min(width, height), max(width, height)
    scaled = int(SHORT_SIDE * long / short)
    size = (SHORT_SIDE, scaled) if width <= height else (scaled, SHORT_SIDE)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    top, left = (int(round((side - CROP) / 2.0)) for side in (size[1], size[0]))
    return numpy.asarray(picture.crop((left, top, left + CROP, top + CROP)))


def sample(pixels, count):
    flat = pixels.reshape(-1, 3)
    return base64.b64encode(flat[(2 * numpy.arange(count) + 1) * len(flat) // (2 * count)].tobytes()).decode()


def means(pixels):
    return [round(float(value), 6) for value in pixels.reshape(-1, 3).mean(0)]


folder = pathlib.Path(sys.argv[1]) / "Images"
paths = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")
images, drawings = [], []
for place in range(IMAGES):
    index = place * len(paths) // IMAGES
    picture = Image.open(paths[index]).convert("RGB")
    decoded, cropped = numpy.asarray(picture), resize_crop(picture)
    images.append({
        "index": index,
        "sha256": hashlib.sha256(paths[index].read_bytes()).hexdigest(),
        "width": picture.width,
        "height": picture.height,
        "decodedMeans": means(decoded),
        "decodedSample": sample(decoded, IMAGE_SAMPLES),
        "croppedMeans": means(cropped),
        "croppedSample": sample(cropped, IMAGE_SAMPLES),
    })
    # Images of one size would make one picture; each is a pixel wider than a former one like it.
    width, height = picture.size
    while any((width, height) == (other["width"], other["height"]) for other in drawings):
        width += 1
    pixels = drawn(width, height)
    picture = Image.fromarray(pixels)
    cropped = resize_crop(picture)
    stretched = numpy.asarray(picture.resize((CROP, CROP), Image.Resampling.BILINEAR))
    drawings.append({
        "width": width,
        "height": height,
        "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "croppedMeans": means(cropped),
        "croppedSample": sample(cropped, DRAWN_SAMPLES),
        "stretchedSample": sample(stretched, DRAWN_SAMPLES),
    })
data = {
    "shortSide": SHORT_SIDE,
    "crop": CROP,
    "imageSamples": IMAGE_SAMPLES,
    "drawnSamples": DRAWN_SAMPLES,
    "images": images,
    "drawings": drawings,
}
path = pathlib.Path(__file__).with_name("resize.json")
path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
