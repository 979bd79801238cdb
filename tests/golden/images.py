"""Writes images.json: small drawn pictures as JPEG and PNG files, with the pixels that Pillow decodes from them.

    python3 tests/golden/images.py

Transparent pictures are laid over white. Interlaced and 16-bit color PNGs, which Pillow reads but does not write, are
written here; of 16-bit samples the upper byte counts.
"""
import base64
import io
import json
import pathlib
import struct
import zlib

import numpy
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 45, 35


def drawing():
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    picture = Image.fromarray(numpy.stack([x * 5, y * 7, 255 - x * 2 - y * 3], -1).astype(numpy.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((4, 5, 22, 24), fill=(220, 40, 30))
    draw.rectangle((25, 12, 40, 30), fill=(20, 90, 200))
    draw.line((0, 34, 44, 0), fill=(255, 255, 255), width=2)
    return picture


def saved(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name, data):
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(samples, color_type, interlaced=False, before_pixels=b""):
    """A PNG of samples [height, width, channels], 8 or 16 bits, each row unfiltered."""
    height, width = samples.shape[:2]
    wide = samples.astype(samples.dtype.newbyteorder(">"))
    passes = [(0, 0, 1, 1)]
    if interlaced:  # Adam7: first column and row of each pass, and its steps
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for left, top, across, down in passes:
        rows += b"".join(b"\0" + row.tobytes() for row in wide[top::down, left::across])
    header = struct.pack(">IIBBBBB", width, height, 8 * samples.itemsize, color_type, 0, 0, int(interlaced))
    pixels = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before_pixels + pixels + chunk(b"IEND", b"")


def expected(file):
    picture = Image.open(io.BytesIO(file))
    if picture.mode == "I;16":
        gray = (numpy.asarray(picture) >> 8).astype(numpy.uint8)
        return numpy.stack([gray] * 3, -1)
    if picture.mode in ("LA", "RGBA") or "transparency" in picture.info:
        front = numpy.asarray(picture.convert("RGBA")).astype(float)
        alpha = front[..., 3:] / 255
        return numpy.rint(front[..., :3] * alpha + 255 * (1 - alpha)).astype(numpy.uint8)
    return numpy.asarray(picture.convert("RGB"))


def with_ycck_colors(file):
    """The same samples, said to be YCCK: the Adobe segment's last byte is the color transform."""
    at = file.index(b"\xff\xee")
    last = at + 1 + struct.unpack(">H", file[at + 2 : at + 4])[0]
    return file[:last] + b"\x02" + file[last + 1 :]


rgb = drawing()
gray = rgb.convert("L")
array = numpy.asarray(rgb)
y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
alpha = Image.fromarray(((x * 6 + y * 3) % 256).astype(numpy.uint8))
rgba, gray_alpha = rgb.copy(), gray.copy()
rgba.putalpha(alpha)
gray_alpha.putalpha(alpha)
palette = rgb.quantize(16)
deep = array.astype(numpy.uint16) * 256 + ((x * 31 + y * 17) % 256)[..., None].astype(numpy.uint16)
cmyk = saved(rgb.convert("CMYK"), "JPEG", quality=92)

files = {
    "gray.jpg": saved(gray, "JPEG", quality=90),
    "rgb-444.jpg": saved(rgb, "JPEG", quality=90, subsampling=0),
    "rgb-422.jpg": saved(rgb, "JPEG", quality=90, subsampling=1),
    "rgb-420.jpg": saved(rgb, "JPEG", quality=90, subsampling=2),
    "progressive.jpg": saved(rgb, "JPEG", quality=90, progressive=True),
    "progressive-gray.jpg": saved(gray, "JPEG", quality=90, progressive=True),
    "restarts.jpg": saved(rgb, "JPEG", quality=90, restart_marker_blocks=3),
    "untransformed-rgb.jpg": saved(rgb, "JPEG", quality=90, keep_rgb=True),
    "one-pixel.jpg": saved(rgb.crop((10, 10, 11, 11)), "JPEG", quality=90),
    "cmyk.jpg": cmyk,
    "ycck.jpg": with_ycck_colors(cmyk),
    "rgb.png": saved(rgb, "PNG"),
    "gray.png": saved(gray, "PNG"),
    "one-bit.png": saved(rgb.convert("1"), "PNG"),
    "palette.png": saved(palette, "PNG"),
    "palette-transparent.png": saved(palette, "PNG", transparency=bytes([0, 90, 200])),
    "rgb-transparent-color.png": saved(rgb, "PNG", transparency=(220, 40, 30)),
    "rgb-alpha.png": saved(rgba, "PNG"),
    "gray-alpha.png": saved(gray_alpha, "PNG"),
    "gray-16-bit.png": png(deep[..., :1], 0),
    "rgb-16-bit.png": png(deep, 2),
    "interlaced.png": png(array, 2, interlaced=True),
    "interlaced-alpha.png": png(numpy.asarray(rgba), 6, interlaced=True),
    "gamma.png": png(array, 2, before_pixels=chunk(b"gAMA", struct.pack(">I", 100000))),
}
images = {}
for name, file in files.items():
    pixels = expected(file)
    images[name] = {
        "file": base64.b64encode(file).decode(),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "deflatedPixels": base64.b64encode(zlib.compress(pixels.tobytes(), 9)).decode(),
    }
data = {"images": images}
path = pathlib.Path(__file__).with_name("images.json")
path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
