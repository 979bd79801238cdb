"""Weights that PyTorch saved, and logits of PyTorch for them and for weights that lrcn exported.

To make tests/golden/interchange/ again, from the project's root, with Python 3 and `pip install torch numpy safetensors`:

    python3 tests/golden/interchange.py save                state_dicts of small models, by torch.save: torch_*.pth
    deno run -A tests/golden/interchange.ts                 the same weights, by lrcn's export: lrcn_*.pth, lrcn_*.safetensors, *.vocab.json
    python3 tests/golden/interchange.py read [REFERENCE]    loads all of them strictly and writes tests/golden/interchange.json

Models, weights and batches are those of model.py, by its formula; tests/checkpoint/interchange_test.ts reads the results.

REFERENCE is the folder of lrcn_reference.py, which is not part of this project: PyTorch's own classes of the models, NotebookLRCN
and LRCN. Given it, `read` loads the files into these too and holds their logits against the others. The test does likewise with
files that it has just exported, and reads those that the classes save, by

    python3 tests/golden/interchange.py check REFERENCE FOLDER

with FOLDER/cases.json and FOLDER/lrcn_*.pth; it writes FOLDER/reference_*.pth, prints the logits by file and needs torch alone.
"""

import json
import pathlib
import sys

# A script beside this one has the package's name: the script's own folder comes last.
sys.path.append(sys.path.pop(0))

import torch

FOLDER = pathlib.Path(__file__).parent / "interchange"
SMALL = {"vocabulary": 11, "embed": 4, "hidden": 5, "width": 1, "blocks": (1, 1, 1, 1)}
SHAPE = {"images": 2, "captionsPerImage": 1, "side": 32}
LAYERS = {"1u": (0, 1), "2u": (0, 2), "2f": (1, 1), "4f": (2, 2)}
VARIANTS = ("1u_every", "1u_first", "2u_every", "2f_first", "2f_every", "4f_every")
OLD_FORMAT = "1u_every"  # saved as before PyTorch 1.6, too


def variant(name):
    layers, inject = name.split("_")
    language, fusion = LAYERS[layers]
    model = {**SMALL, "language": language, "fusion": fusion, "inject": inject, "image_step": False}
    return {"model": model, **SHAPE, "loss": "masked"}


CASES = {
    "notebook": {
        "model": {**SMALL, "language": 0, "fusion": 1, "inject": "first", "image_step": True}, **SHAPE, "loss": "notebook",
    },
    **{name: variant(name) for name in VARIANTS},
}


def new_model(case, fill=False):
    from model import Captioner, fill_model

    model = Captioner(**case["model"]).float().eval()
    if fill:
        fill_model(model)
    return model


def reference_model(folder, case):
    sys.dont_write_bytecode = True  # the folder is not ours
    if folder not in sys.path:
        sys.path.append(folder)
    from lrcn_reference import LRCN, NotebookLRCN

    model = case["model"]
    sizes = {
        **{"vocab_size": model["vocabulary"], "embed_size": model["embed"], "hidden_size": model["hidden"]},
        **{"width": model["width"], "blocks": model["blocks"]},
    }
    if case["loss"] == "notebook":
        return NotebookLRCN(**sizes)
    return LRCN(**sizes, language_layers=model["language"], fusion_layers=model["fusion"], inject=model["inject"])


@torch.no_grad()
def reference_logits(model, images, inputs):
    one_more = torch.nn.functional.pad(inputs, (0, 1))  # the last one is not read
    return model.double().eval()(images.double(), one_more)


def save():
    FOLDER.mkdir(exist_ok=True)
    for name, case in CASES.items():
        state = new_model(case, fill=True).state_dict()
        torch.save(state, FOLDER / f"torch_{name}.pth")
        if name == OLD_FORMAT:
            torch.save(state, FOLDER / f"torch_{name}_legacy.pth", _use_new_zipfile_serialization=False)
            one = torch.zeros(1)
            expanded = {key: one.expand(tensor.shape) if tensor.is_floating_point() else tensor
                        for key, tensor in state.items()}
            torch.save(expanded, FOLDER / "torch_expanded.pth")  # a model that is larger than its file


@torch.no_grad()
def logits(path, name, reference):
    from model import batch
    from safetensors.torch import load_file

    is_safetensors = path.suffix == ".safetensors"
    state = load_file(path) if is_safetensors else torch.load(path, weights_only=True)
    case = CASES[name]
    model, expected = new_model(case), new_model(case, fill=True).state_dict()
    model.load_state_dict(state, strict=True)
    if not is_safetensors:  # which sorts by name
        assert list(state) == list(expected), f"{path}: another order"
    for key, tensor in expected.items():
        assert state[key].dtype == tensor.dtype and torch.allclose(state[key], tensor, rtol=1e-6), f"{path}: {key}"
    images, image_of_row, inputs, _ = batch(name, case)
    found = model.double()(images, image_of_row, inputs)
    if reference is not None:
        other = reference_model(reference, case)
        other.load_state_dict(state, strict=True)
        assert torch.allclose(reference_logits(other, images, inputs), found, rtol=0, atol=1e-12), f"{path}: other logits"
    return rounded(found)


def rounded(tensor):
    return [round(value, 7) for value in tensor.flatten().tolist()]


def read(reference=None):
    cases = {}
    for name, case in CASES.items():
        files = sorted(path for path in FOLDER.glob(f"*_{name}*") if path.suffix in (".pth", ".safetensors"))
        cases[name] = {"case": case, "files": {path.name: logits(path, name, reference) for path in files}}
        print(name, *(path.name for path in files))
    text = json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}, separators=(",", ":"))
    (FOLDER.parent / "interchange.json").write_text(text + "\n")
    print("the reference takes them too" if reference is not None else "not held against the reference: name its folder")


def check(reference, folder):
    torch.manual_seed(0)
    folder, results = pathlib.Path(folder), {}
    for name, entry in json.loads((folder / "cases.json").read_text()).items():
        case = entry["case"]
        side = case["side"]
        images = torch.tensor(entry["pixels"]).view(-1, side, side, 3).permute(0, 3, 1, 2) / 255
        images = (images - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
        inputs = torch.tensor(entry["inputs"]).view(len(images) * case["captionsPerImage"], -1)

        model = reference_model(reference, case)
        model.load_state_dict(torch.load(folder / f"lrcn_{name}.pth", weights_only=True), strict=True)
        results[f"lrcn_{name}.pth"] = rounded(reference_logits(model, images, inputs))

        model = reference_model(reference, case)
        model.train()(images, inputs)  # sets BatchNorm's statistics
        for file, is_zip in (f"reference_{name}.pth", True), (f"reference_{name}_legacy.pth", False):
            torch.save(model.float().state_dict(), folder / file, _use_new_zipfile_serialization=is_zip)
            results[file] = rounded(reference_logits(model, images, inputs))
    print(json.dumps(results))


if __name__ == "__main__":
    {"save": save, "read": read, "check": check}[sys.argv[1]](*sys.argv[2:])
