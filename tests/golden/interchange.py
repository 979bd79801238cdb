"""Weights that PyTorch saved, and logits of PyTorch for them and for weights that lrcn exported.

To make tests/golden/interchange/ again, from the project's root, with Python 3 and `pip install torch numpy safetensors`:

    python3 tests/golden/interchange.py save      state_dicts of small models, by torch.save: torch_*.pth
    deno run -A tests/golden/interchange.ts       the same weights, by lrcn's export: lrcn_*.pth, lrcn_*.safetensors, *.vocab.json
    python3 tests/golden/interchange.py read      loads all of them strictly and writes tests/golden/interchange.json

Models, weights and batches are those of model.py, by its formula; tests/checkpoint/interchange_test.ts reads the results.
"""

import json
import pathlib
import sys

# A script beside this one has the package's name: the script's own folder comes last.
sys.path.append(sys.path.pop(0))

import torch
from safetensors.torch import load_file

from model import Captioner, batch, fill_model

FOLDER = pathlib.Path(__file__).parent / "interchange"
SMALL = {"vocabulary": 11, "embed": 4, "hidden": 5, "width": 1, "blocks": (1, 1, 1, 1)}
SHAPE = {"images": 2, "captionsPerImage": 1, "side": 32}
CASES = {
    "notebook": {
        "model": {**SMALL, "language": 0, "fusion": 1, "inject": "first", "image_step": True}, **SHAPE, "loss": "notebook",
    },
    "1u_every": {
        "model": {**SMALL, "language": 0, "fusion": 1, "inject": "every", "image_step": False}, **SHAPE, "loss": "masked",
    },
    "2f_first": {
        "model": {**SMALL, "language": 1, "fusion": 1, "inject": "first", "image_step": False}, **SHAPE, "loss": "masked",
    },
}
OLD_FORMAT = "1u_every"  # saved as before PyTorch 1.6, too


def new_model(case):
    return Captioner(**case["model"]).float().eval()


def save():
    FOLDER.mkdir(exist_ok=True)
    for name, case in CASES.items():
        model = new_model(case)
        fill_model(model)
        torch.save(model.state_dict(), FOLDER / f"torch_{name}.pth")
        if name == OLD_FORMAT:
            path = FOLDER / f"torch_{name}_legacy.pth"
            torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)
            one = torch.zeros(1)
            expanded = {key: one.expand(tensor.shape) if tensor.is_floating_point() else tensor
                        for key, tensor in model.state_dict().items()}
            torch.save(expanded, FOLDER / "torch_expanded.pth")  # a model that is larger than its file


@torch.no_grad()
def logits(path, name, case):
    is_safetensors = path.suffix == ".safetensors"
    state = load_file(path) if is_safetensors else torch.load(path, weights_only=True)
    model, expected = new_model(case), new_model(case)
    model.load_state_dict(state, strict=True)
    fill_model(expected)
    if not is_safetensors:  # which sorts by name
        assert list(state) == list(expected.state_dict()), f"{path}: another order"
    for key, tensor in expected.state_dict().items():
        assert state[key].dtype == tensor.dtype and torch.allclose(state[key], tensor, rtol=1e-6), f"{path}: {key}"
    return [round(value, 7) for value in model.double()(*batch(name, case)[:3]).flatten().tolist()]


def read():
    cases = {}
    for name, case in CASES.items():
        files = sorted(path for path in FOLDER.glob(f"*_{name}*") if path.suffix in (".pth", ".safetensors"))
        cases[name] = {"case": case, "files": {path.name: logits(path, name, case) for path in files}}
        print(name, *(path.name for path in files))
    text = json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}, separators=(",", ":"))
    (FOLDER.parent / "interchange.json").write_text(text + "\n")


{"save": save, "read": read}[sys.argv[1]]()
