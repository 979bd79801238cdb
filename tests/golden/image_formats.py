"""Writes image_formats.json: a small picture in the formats beside JPEG and PNG, with and without transparency, and with a
color profile.

    pip install numpy pillow==13.0.0 pillow-heif==1.5.0
    python3 tests/golden/image_formats.py

`converted` holds the pixels of Pillow's convert("RGB"), `managed` those that its ImageCms (LittleCMS) converts to sRGB.
"""
import base64
import io
import json
import pathlib
import struct
import zlib

import numpy
import pillow_heif
from PIL import Image, ImageCms

pillow_heif.register_heif_opener()


def deflated(image):
    return base64.b64encode(zlib.compress(numpy.asarray(image).tobytes(), 9)).decode()


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(width=45, height=35):
    y, x = numpy.mgrid[0:height, 0:width]
    waves = [128 + 100 * numpy.sin(x / 9 + phase) * numpy.cos(y / 7 - phase) for phase in (0, 1, 2)]
    noise = numpy.random.default_rng(0).normal(0, 9, (height, width, 3))
    return Image.fromarray(numpy.clip(numpy.stack(waves, 2) + noise, 0, 255).astype(numpy.uint8))


def wide_profile():
    """The sRGB profile of LittleCMS with Display P3's primaries (SMPTE EG 432-1, adapted to D50)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    for entry in range(struct.unpack(">I", profile[128:132])[0]):
        name, offset, _ = struct.unpack(">4sII", profile[132 + 12 * entry : 144 + 12 * entry])
        if name in primaries:
            values = [round(value * 65536) for value in primaries[name]]
            profile[offset + 8 : offset + 20] = struct.pack(">3i", *values)
    return bytes(profile)


rgb = picture()
width, height = rgb.size
alpha = Image.linear_gradient("L").resize(rgb.size)
rgba = rgb.copy()
rgba.putalpha(alpha)
gray = rgb.convert("L")

files = {
    "lossy.webp": saved(rgb, "WEBP", quality=80),
    "lossless.webp": saved(rgb, "WEBP", lossless=True),
    "alpha.webp": saved(rgba, "WEBP", lossless=True, exact=True),
    "animated.webp": saved(rgb, "WEBP", lossless=True, save_all=True, append_images=[rgb.rotate(180)]),
    "plain.gif": saved(rgb.quantize(64), "GIF"),
    "animated.gif": saved(rgb.quantize(64), "GIF", save_all=True, append_images=[rgb.rotate(180).quantize(64)]),
    "raw.tif": saved(rgb, "TIFF"),
    "lzw.tif": saved(rgb, "TIFF", compression="tiff_lzw"),
    "deflate.tif": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
    "jpeg.tif": saved(rgb, "TIFF", compression="jpeg", quality=90),
    "gray.tif": saved(gray, "TIFF"),
    "alpha.tif": saved(rgba, "TIFF"),
    "cmyk.tif": saved(rgb.convert("CMYK"), "TIFF"),
    "pages.tif": saved(rgb, "TIFF", save_all=True, append_images=[rgb.rotate(180)]),
    "palette.tif": saved(rgb.quantize(64), "TIFF"),
    "plain.avif": saved(rgb, "AVIF", quality=90, subsampling="4:4:4"),
    "alpha.avif": saved(rgba, "AVIF", quality=90, subsampling="4:4:4"),
    "plain.heic": saved(rgb, "HEIF", quality=90, chroma=444),
    "gray-alpha.png": saved(Image.merge("LA", (gray, alpha)), "PNG"),
    "alpha.png": saved(rgba, "PNG"),
    "clear-palette.png": saved(rgba.quantize(64), "PNG"),
}
images = {}
for name, file in files.items():
    image = Image.open(io.BytesIO(file))
    images[name] = {
        "file": base64.b64encode(file).decode(),
        "width": image.width,
        "height": image.height,
        "converted": deflated(image.convert("RGB")),
    }

wide = wide_profile()
srgb = ImageCms.createProfile("sRGB")
profiles = {}
for name, options in {"wide.jpg": {"format": "JPEG", "quality": 95}, "wide.png": {"format": "PNG"}}.items():
    file = io.BytesIO()
    rgb.save(file, icc_profile=wide, **options)
    image = Image.open(file)
    image.load()
    managed = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(wide)), srgb, renderingIntent=0)
    profiles[name] = {"file": base64.b64encode(file.getvalue()).decode(), "managed": deflated(managed)}

out = pathlib.Path(__file__).with_suffix(".json")
out.write_text(json.dumps({"images": images, "profiles": profiles}, indent=1) + "\n")
