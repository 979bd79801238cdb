# Values and their bytes in PyTorch's float types: python tests/golden/float_types.py > tests/golden/float_types.json
import json

import torch

values = [0.0, -0.0, 1.0, -1.5, 3.14159265358979, 1 / 3, 65504.0, 65519.0, 65520.0, -1e30, 1e-8, 6.1e-5, 5.96e-8,
          1.00390625, 1.01171875, 2.0**-133, 3.38e38, float("inf")]
TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
single = torch.tensor(values, dtype=torch.float32)


def hexadecimal(tensor):
    return bytes(tensor.contiguous().view(torch.uint8).tolist()).hex()


print(json.dumps({
    "torch": torch.__version__.split("+")[0],
    # [from][to]: float32 numbers in the first type, converted to the second.
    "converted": {a: {b: hexadecimal(single.to(x).to(y)) for b, y in TYPES.items()} for a, x in TYPES.items()},
}, indent=1))
