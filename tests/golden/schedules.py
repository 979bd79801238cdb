"""Writes schedules.json: the learning rates of PyTorch's schedulers, as fractions of the highest.

    python3 tests/golden/schedules.py
"""
import json
import pathlib
import random
import warnings

import torch
from torch.optim import lr_scheduler

LENGTHS = [2, 3, 4, 7, 10, 33]
WARMUPS = [0, 1, 6]

# SequentialLR itself calls the schedulers that follow in a way that PyTorch warns of.
warnings.filterwarnings("ignore")


def new_optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def factors(make, steps):
    """The rate that each of `steps` optimizer steps is taken with, of a highest rate of 1."""
    optimizer = new_optimizer()
    scheduler = make(optimizer, steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < steps:
            scheduler.step()
    return rates


def one_cycle(optimizer, steps):
    return lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=steps)


def cosine(optimizer, steps):
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(1, steps))


def constant(optimizer, _):
    return lr_scheduler.ConstantLR(optimizer, factor=1.0)


def linear(optimizer, warmup):
    return lr_scheduler.LinearLR(optimizer, start_factor=1 / (warmup + 1), end_factor=1.0, total_iters=warmup)


def warmed(make, warmup):
    """`make` behind a linear rise of `warmup` steps, over the steps that remain."""
    if warmup == 0:
        return make

    def made(optimizer, steps):
        rise = linear(optimizer, warmup)
        return lr_scheduler.SequentialLR(optimizer, [rise, make(optimizer, steps - warmup)], milestones=[warmup])

    return made


def plateau(scores, mode, factor, patience, warmup=0, epoch_steps=1):
    """The rate after 0, 1, ... epochs, each judged by one of `scores`; with `warmup`, the rate of each step."""
    optimizer = new_optimizer()
    # eps is the least change of a rate: here the rates are factors, and every change is made.
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, mode, factor, patience, threshold=1e-4, eps=0)
    rise = linear(optimizer, warmup) if warmup else None
    rates = [optimizer.param_groups[0]["lr"]]
    for score in scores:
        for step in range(epoch_steps):
            optimizer.step()
            if rise:
                rise.step()
            if step == epoch_steps - 1:
                scheduler.step(score)
            rates.append(optimizer.param_groups[0]["lr"])
    return rates


def score_sequences():
    """Criteria that fall, stay and rise: few different ones, so that many are equal."""
    numbers = random.Random(5)
    yield [round(numbers.uniform(1, 3), 1) for _ in range(24)]
    yield [round(3 - epoch / 12 + numbers.uniform(-0.2, 0.2), 1) for epoch in range(24)]
    # Each better than the last, most by less than the threshold.
    yield [round(2 - 5e-5 * (epoch + epoch // 3 * 10), 5) for epoch in range(24)]
    yield [1.5] * 12
    yield [0.5, 0, 0, 0, 0.1, 0]


plateaus = []
for index, scores in enumerate(score_sequences()):
    for factor, patience in [(0.1, 0), (0.5, 2)]:
        setting = {"plateauFactor": factor, "plateauPatience": patience}
        plateaus.append({**setting, "validationScores": scores, "factors": plateau(scores, "min", factor, patience)})
        if index < 2:
            negated = [-score for score in scores]
            plateaus.append({**setting, "validationScores": negated, "factors": plateau(scores, "max", factor, patience)})

warm_scores = [2, 2, 1.5, 1.5, 1.5, 1.6]
golden = {
    "torch": torch.__version__.split("+")[0],
    "schedules": {
        name: [
            {"steps": steps, "warmupSteps": warmup, "factors": factors(warmed(make, warmup), steps)}
            for warmup in warmups
            for steps in LENGTHS
        ]
        for name, make, warmups in [
            ("one-cycle", one_cycle, [0]),
            ("cosine", cosine, WARMUPS),
            ("constant", constant, WARMUPS[1:]),
        ]
    },
    "plateaus": plateaus,
    "warm plateau": {
        "plateauFactor": 0.5,
        "plateauPatience": 1,
        "warmupSteps": 7,
        "epochSteps": 3,
        "validationScores": warm_scores,
        "factors": plateau(warm_scores, "min", 0.5, 1, warmup=7, epoch_steps=3),
    },
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden) + "\n", encoding="utf-8")
