"""Writes image_kinds.json: a tiny picture as a PNG of every color type and depth, plain and interlaced, with and without
transparency; as JPEGs of rarer kinds; and turned by EXIF in all ways.

    python3 tests/golden/image_kinds.py

The pixels are those that Pillow decodes, laid over white where they are transparent, the upper byte where samples have 16
bits. Where Pillow has another notion (the one transparent gray of a PNG with less or more than 8 bits) they come from the
samples that the file was made of.
"""
import base64
import io
import itertools
import json
import pathlib
import struct
import zlib

import numpy
from PIL import Image, ImageOps

WIDTH, HEIGHT = 13, 11
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, data):
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def packed(row, depth):
    """Bytes of one row of samples."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = "".join(format(int(sample), f"0{depth}b") for sample in row.ravel())
    return bytes(int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(kind, row, above, step):
    out = bytearray([kind])
    for at, value in enumerate(row):
        a = row[at - step] if at >= step else 0
        c = above[at - step] if at >= step else 0
        b = above[at]
        out.append((value - [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) % 256)
    return bytes(out)


def png(samples, color_type, depth, interlaced=False, before=b"", exif=None):
    """A PNG of samples [height, width, channels]; its rows take the five filters in turn."""
    height, width, channels = samples.shape
    step = max(1, channels * depth // 8)
    rows, kinds = b"", itertools.cycle([4, 3, 2, 1, 0])
    for left, top, across, down in PASSES if interlaced else [(0, 0, 1, 1)]:
        part = samples[top::down, left::across]
        if part.size == 0:
            continue
        above = bytes(len(packed(part[0], depth)))
        for row in part:
            row = packed(row, depth)
            rows += filtered(next(kinds), row, above, step)
            above = row
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    body = chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows, 9))
    if exif is not None:
        body += chunk(b"eXIf", exif)
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def over_white(front, alpha):
    alpha = alpha.astype(float) / 255
    return numpy.rint(front * alpha + 255 * (1 - alpha)).astype(numpy.uint8)


def by_pillow(file):
    picture = Image.open(io.BytesIO(file))
    if picture.mode == "I;16":
        return numpy.stack([(numpy.asarray(picture) >> 8).astype(numpy.uint8)] * 3, -1)
    if picture.mode in ("LA", "RGBA") or "transparency" in picture.info:
        front = numpy.asarray(picture.convert("RGBA")).astype(float)
        return over_white(front[..., :3], front[..., 3:])
    return numpy.asarray(picture.convert("RGB"))


def with_clear(samples, depth, clear):
    """8-bit colors of gray or RGB samples of which one value is transparent."""
    eight = samples >> 8 if depth == 16 else numpy.rint(samples * 255 / (2**depth - 1))
    eight = numpy.broadcast_to(eight, eight.shape[:2] + (3,)).copy()
    eight[(samples == clear).all(-1)] = 255
    return eight.astype(numpy.uint8)


y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]


def samples_of(channels, depth):
    wave = [x * 9001 + y * 301, x * 401 + y * 12007 + 3000, 65535 - x * 3001 - y * 1009, x * 2503 + y * 4001 + 900]
    return numpy.stack([w % 65536 >> (16 - depth) for w in wave[:channels]], -1)


files = {}
for depth, interlaced in itertools.product((1, 2, 4, 8, 16), (False, True)):
    form = f"{depth}-bit{'-interlaced' if interlaced else ''}.png"
    gray = samples_of(1, depth)
    clear = gray[3, 4]
    files[f"gray-{form}"] = (png(gray, 0, depth, interlaced), None)
    files[f"gray-clear-{form}"] = (
        png(gray, 0, depth, interlaced, chunk(b"tRNS", struct.pack(">H", clear[0]))),
        with_clear(gray, depth, clear),
    )
    if depth <= 8:
        palette = bytes((place * 53 + 31 * color) % 256 for place in range(2**depth) for color in range(3))
        opacity = bytes((place * 77 + 40) % 256 for place in range(2**depth // 2))
        files[f"palette-{form}"] = (png(gray, 3, depth, interlaced, chunk(b"PLTE", palette)), None)
        before = chunk(b"PLTE", palette) + chunk(b"tRNS", opacity)
        files[f"palette-clear-{form}"] = (png(gray, 3, depth, interlaced, before), None)
    if depth >= 8:
        rgb = samples_of(3, depth)
        clear = rgb[5, 6]
        files[f"rgb-{form}"] = (png(rgb, 2, depth, interlaced), None)
        before = chunk(b"tRNS", struct.pack(">HHH", *clear))
        files[f"rgb-clear-{form}"] = (png(rgb, 2, depth, interlaced, before), with_clear(rgb, depth, clear))
        files[f"gray-alpha-{form}"] = (png(samples_of(2, depth), 4, depth, interlaced), None)
        files[f"rgb-alpha-{form}"] = (png(samples_of(4, depth), 6, depth, interlaced), None)


def saved(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


def without(file, marker):
    at = file.index(marker)
    return file[:at] + file[at + 2 + struct.unpack(">H", file[at + 2 : at + 4])[0] :]


def columns_to_rows(file):
    """4:2:2 to 4:4:0 by its sampling factors alone: the blocks side by side are then one above the other."""
    at = file.index(b"\xff\xc0") + 11
    return file[:at] + b"\x12" + file[at + 1 :]


v, u = numpy.mgrid[0:32, 0:48]
smooth = Image.fromarray(numpy.stack([u * 5, v * 7, 255 - u * 2 - v * 3], -1).astype(numpy.uint8))
cmyk = smooth.convert("CMYK")
cmyk_file = saved(cmyk)
adobe = cmyk_file.index(b"\xff\xee")
ycck = lambda file: file.replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\x02")
files["440.jpg"] = (columns_to_rows(saved(smooth, subsampling=1)), None)
files["progressive-444.jpg"] = (saved(smooth, progressive=True, subsampling=0), None)
files["rgb-by-names.jpg"] = (without(saved(smooth, keep_rgb=True), b"\xff\xee"), None)
files["cmyk-without-marker.jpg"] = (without(cmyk_file, b"\xff\xee"), None)
files["cmyk-progressive.jpg"] = (saved(cmyk, progressive=True), None)
files["ycck-progressive.jpg"] = (ycck(saved(cmyk, progressive=True)), None)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    tiff = exif.tobytes()[6:]
    jpeg = saved(smooth.crop((0, 0, 24, 16)), exif=exif)
    deep = png(samples_of(3, 8), 2, 8, orientation % 2 == 0, exif=tiff)
    for name, file in ((f"turned-{orientation}.jpg", jpeg), (f"turned-{orientation}.png", deep)):
        files[name] = (file, numpy.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")))

images = {}
for name, (file, pixels) in files.items():
    pixels = by_pillow(file) if pixels is None else pixels
    images[name] = {
        "file": base64.b64encode(file).decode(),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "deflatedPixels": base64.b64encode(zlib.compress(pixels.tobytes(), 9)).decode(),
    }
path = pathlib.Path(__file__).with_name("image_kinds.json")
path.write_text(json.dumps({"images": images}, indent=2) + "\n", encoding="utf-8")
