"""Optimizers and schedules, by the numbers of ``[train]``."""

import math

import torch
from pytorch_optimizer import Muon

# What starts as a working codec moves slowly.
SLOW = ("analysis", "synthesis", "encoder")


def for_model(model, train):
    """``optimizer`` of ``[train]``: ``"muon"`` (Muon for the weights of the network's layers, AdamW for all else, the
    encoder and the linear paths at ``slow_share`` of the rate) or ``"adamw"``."""
    betas = tuple(train["betas"])
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    if train["optimizer"] == "adamw":
        return torch.optim.AdamW([{"params": [parameter for _, parameter in named], "scale": 1.0}], lr=0.0, betas=betas)
    groups = {}
    for name, parameter in named:
        slow = name.startswith(SLOW)
        matrix = parameter.ndim == 2 and "depthwise" not in name and name.startswith(("encoder", "decoder"))
        groups.setdefault((slow, matrix), []).append(parameter)
    return Muon(
        [
            {
                "params": parameters, "scale": train["slow_share"] if slow else 1.0, "use_muon": matrix, "lr": 0.0,
                **({"use_adjusted_lr": True} if matrix else {"betas": betas, "eps": 1e-8}),
            }
            for (slow, matrix), parameters in groups.items()
        ]
    )


def learning_rate(train, step):
    """The rate of a step. ``schedule``: ``"cosine"`` down to ``final_rate`` of it, or ``"exponential"`` by ``decay`` a
    step, both after a linear start of ``warmup_steps``."""
    start = min(1.0, (step + 1) / max(1, train["warmup_steps"]))
    if train["schedule"] == "exponential":
        return train["learning_rate"] * start * train["decay"] ** step
    progress = min(1.0, step / train["steps"])
    cosine = train["final_rate"] + (1 - train["final_rate"]) * 0.5 * (1 + math.cos(math.pi * progress))
    return train["learning_rate"] * start * cosine


def set_rate(optimizer, rate):
    """Sets the learning rate of every group, times its scale."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)
