"""Writes schedules.json: the learning rates of PyTorch's OneCycleLR and CosineAnnealingLR, as shares of the highest.

    python3 tests/golden/schedules.py
"""
import json
import pathlib

import torch

LENGTHS = [2, 3, 4, 7, 10, 33, 100]


def shares(make, steps):
    """The rate that each of `steps` optimizer steps is taken with, of a highest rate of 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer, steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < steps:
            scheduler.step()
    return rates


def one_cycle(optimizer, steps):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=steps)


def cosine(optimizer, steps):
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)


golden = {
    "torch": torch.__version__.split("+")[0],
    "schedules": {
        name: [{"steps": steps, "shares": shares(make, steps)} for steps in LENGTHS]
        for name, make in {"one-cycle": one_cycle, "cosine": cosine}.items()
    },
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden) + "\n", encoding="utf-8")
