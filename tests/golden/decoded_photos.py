"""Writes decoded_photos.json: digests of the pixels that Pillow decodes from 200 photos.

    pip install pillow==13.0.0
    python3 tests/golden/decoded_photos.py LRCN_TEST_DATA

No photo and no pixel is written, only the SHA-256 of all pixels of convert("RGB").
"""
import hashlib
import json
import pathlib
import sys

from PIL import Image

FOLDERS = {"flickr8k-mini": 115, "coco-mini": 80, "flickr8k-full": 5}

data = pathlib.Path(sys.argv[1])
photos = {}
for folder, count in FOLDERS.items():
    paths = sorted(path for path in (data / folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    photos[folder] = [
        {
            "index": index,
            "sha256": hashlib.sha256(Image.open(paths[index]).convert("RGB").tobytes()).hexdigest(),
        }
        for index in (place * len(paths) // count for place in range(count))
    ]
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(photos, indent=1) + "\n")
