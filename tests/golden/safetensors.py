"""Writes tests/golden/checkpoint/python.safetensors with the package `safetensors`, and the values it holds as JSON.

Run it with Python 3 and `pip install safetensors numpy`, from the project's root:

    python3 tests/golden/safetensors.py                 writes the two files
    python3 tests/golden/safetensors.py check FILE      prints what Python reads in a file that lrcn wrote
"""

import json
import pathlib
import sys

# The script's own folder is on the path, and its name is the package's.
sys.path = [entry for entry in sys.path if pathlib.Path(entry or ".").resolve() != pathlib.Path(__file__).parent.resolve()]

import numpy
from safetensors import safe_open
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "checkpoint"


def write() -> None:
    tensors = {
        "resnet.conv1.weight": numpy.arange(24, dtype=numpy.float32).reshape(2, 3, 2, 2) / 7,
        "resnet.bn1.num_batches_tracked": numpy.array(1234567890123, dtype=numpy.int64),
        "linear.bias": numpy.array([1 / 3, -2.5e300, 0.0], dtype=numpy.float64),
        "rng": numpy.array([0, 1, 254, 255, 7], dtype=numpy.uint8),
        "empty": numpy.zeros((0, 4), dtype=numpy.float32),
    }
    save_file(tensors, FOLDER / "python.safetensors", metadata={"lrcn": "1", "words": '["d\u00f6g", "\U0001f415"]'})
    values = {
        name: {"shape": list(tensor.shape), "values": [str(value) if tensor.dtype == numpy.int64 else float(value) for value in tensor.flatten()]}
        for name, tensor in tensors.items()
    }
    (FOLDER / "python.safetensors.json").write_text(json.dumps(values, indent=2) + "\n")


def check(path: str) -> None:
    with safe_open(path, framework="numpy") as file:
        print(json.dumps({"metadata": file.metadata(), "tensors": {
            name: [str(file.get_tensor(name).dtype), list(file.get_tensor(name).shape), file.get_tensor(name).flatten().tolist()]
            for name in sorted(file.keys())
        }}, sort_keys=True))


if sys.argv[1:2] == ["check"]:
    check(sys.argv[2])
else:
    write()
