"""Writes the PyTorch files that tests/checkpoint/pth_test.ts reads, and verifies what lrcn writes.

Run it with Python 3 and `pip install torch numpy`, from the project's root:

    python3 tests/golden/pth.py                   writes torch.pth and torch.pth.json, and the same as torch_nested.pth,
                                                  torch_legacy.pth and torch_without_crc32.pth
    python3 tests/golden/pth.py verify FILE       holds a file that lrcn wrote against a module with the same weights
    python3 tests/golden/pth.py accept FILE       verifies it and keeps it as lrcn.pth, whose bytes the test compares
"""

import json
import pathlib
import shutil
import sys

import torch

FOLDER = pathlib.Path(__file__).parent / "checkpoint"


def write() -> None:
    torch.manual_seed(0)
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 7
    state = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).state_dict()
    state["1.num_batches_tracked"].fill_(2**40 + 1)
    state["transposed"] = base.t()
    state["strided"] = base[1:, ::2]
    state["column"] = base[:, 3]
    state["expanded"] = torch.tensor([1.5, -2.5]).unsqueeze(1).expand(2, 3)
    state["double"] = torch.tensor([[1 / 3, -2.5e300]], dtype=torch.float64)
    state["half"] = torch.tensor([1.5, -65504.0], dtype=torch.float16)
    state["bfloat"] = torch.tensor([1.5, -3e38], dtype=torch.bfloat16)
    state["bytes"] = torch.tensor([0, 255, 7], dtype=torch.uint8)
    state["parameter"] = torch.nn.Parameter(torch.tensor([0.25, -0.5]))
    state["empty"] = torch.zeros(0, 4)
    state["many"] = torch.arange(300, dtype=torch.int64) - 150
    torch.save(state, FOLDER / "torch.pth")
    torch.save({"epoch": 3, "loss": 0.5, "names": ["a", "b"], "big": 2**70, "pair": (None, True), "state_dict": state}, FOLDER / "torch_nested.pth")
    # The format before PyTorch 1.6.
    torch.save(state, FOLDER / "torch_legacy.pth", _use_new_zipfile_serialization=False)
    # Each CRC-32 of the archive is 0.
    torch.serialization.set_crc32_options(False)
    torch.save(state, FOLDER / "torch_without_crc32.pth")
    torch.serialization.set_crc32_options(True)
    values = {
        name: {
            "dtype": str(tensor.dtype),
            "shape": list(tensor.shape),
            "values": [str(value) if tensor.dtype == torch.int64 else value for value in tensor.flatten().tolist()],
        }
        for name, tensor in state.items()
    }
    (FOLDER / "torch.pth.json").write_text(json.dumps(values, indent=1) + "\n")


class Captioner(torch.nn.Module):
    """The module whose state_dict the test writes: element i of a tensor is (i + 1) / 8, or i + 1 where it is an integer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(300, 2)
        self.bn1 = torch.nn.BatchNorm2d(3)
        self.linear = torch.nn.Linear(2, 5).double()
        self.register_buffer("rng", torch.zeros(4, dtype=torch.uint8))


def verify(path: str) -> None:
    state = torch.load(path, weights_only=True)
    assert type(state).__name__ == "OrderedDict", type(state)
    model = Captioner()
    model.load_state_dict(state, strict=True)
    for name, tensor in model.state_dict().items():
        assert state[name].dtype == tensor.dtype and state[name].is_contiguous(), name
        steps = torch.arange(1, tensor.numel() + 1)
        expected = steps / 8 if tensor.dtype.is_floating_point else steps
        assert torch.equal(tensor, expected.to(tensor.dtype).reshape(tensor.shape)), name
    mapped = torch.load(path, weights_only=True, mmap=True)
    assert all(torch.equal(mapped[name], state[name]) for name in state)
    print("torch loads it")


if sys.argv[1:2] == ["verify"]:
    verify(sys.argv[2])
elif sys.argv[1:2] == ["accept"]:
    verify(sys.argv[2])
    shutil.copyfile(sys.argv[2], FOLDER / "lrcn.pth")
else:
    write()
