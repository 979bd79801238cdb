"""The most floating-point operations a second that this machine's libtorch reaches in a product of two matrices,
by torch.mm or as a convolution of single pixels, which another library computes.

    python matrix_product.py '{"precision": "fp32" or "bf16", "device": "cpu"}'
"""
import json
import sys
import time

import torch

from answer import answer

settings = json.loads(sys.argv[1])
dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[settings["precision"]]
SIDES = (1024, 2048, 4096)


def products(side):
    """The same product, a convolution's channels being the matrices' inner side."""
    a, b = (torch.randn(side, side, device=settings["device"]).to(dtype) for _ in range(2))
    images = a.view(16, side // 16, side, 1).permute(0, 2, 1, 3)
    return (lambda: a @ b), (lambda: torch.conv2d(images, b.view(side, side, 1, 1)))


@torch.inference_mode()
def speed(side):
    best = 0.0
    for product in products(side):
        product()
        for _ in range(3):
            start = time.perf_counter()
            product().flatten()[0].item()
            best = max(best, 2 * side**3 / (time.perf_counter() - start))
    return best


answer(lambda: {"flops": max(map(speed, SIDES))})
