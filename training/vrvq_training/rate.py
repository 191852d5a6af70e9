"""Which codebooks each item of a training batch may use, and what the bits cost (paper, section 2.3).

``[rate]`` of a configuration:

- ``mode`` ``"vbr"``: a random level for each item scales its importance; ``full_share`` of the batch gets all codebooks.
  ``"cbr"``: plain DAC; ``dropout`` of the batch gets a random constant count, the rest all codebooks; no rate loss.
- ``control`` ``"fixed"``: the rate loss is ``beta`` times the mean importance, as in the paper. ``"target"``: beta moves
  so that the mean importance of what sounds goes to ``importance_target`` (a small model with a fixed beta drove it to
  0.03 before its distortion terms had settled).
"""

import torch

from .quantizer import importance_mask


class Draw:
    """What was drawn for one batch: a level for each item, and a count where the importance isn't asked."""

    codes = None  # of the batch's first items, where they are given (coded.py): `[items, frames, codebooks]`

    def __init__(self, rate, batch, codebooks):
        self.rate, self.codebooks = rate, codebooks
        self.counts = torch.zeros(batch, dtype=torch.long)  # 0: by importance
        if rate["mode"] == "cbr":
            self.levels = None
            self.counts[:] = codebooks
            dropped = torch.randperm(batch)[: round(batch * rate["dropout"])]
            self.counts[dropped] = torch.randint(1, codebooks + 1, (len(dropped),))
        else:
            self.levels = self._levels(batch)
            share = rate["full_share"]
            self.counts[torch.randperm(batch)[: max(1, round(batch * share)) if share else 0]] = codebooks

    def to(self, device):
        """The same draw, on ``device``; the copy waits for nothing there."""
        if torch.device(device).type == "cuda":
            move = lambda tensor: tensor.pin_memory().to(device, non_blocking=True)
            self.counts, self.levels = move(self.counts), None if self.levels is None else move(self.levels)
        return self

    def copy_(self, other):
        """Takes over what ``other`` drew, in the memory of this one."""
        self.counts.copy_(other.counts)
        if self.levels is not None:
            self.levels.copy_(other.levels)

    def _levels(self, batch):
        low, high, draw = self.rate["level_min"], self.rate["level_max"], torch.rand(batch, 1)
        if self.rate["level_sampling"] == "log-uniform":
            return low * (high / low) ** draw
        return low + (high - low) * draw

    @property
    def by_importance(self):
        """``[batch, 1]``: 1 where an item's counts follow its importance."""
        return (self.counts == 0).float().unsqueeze(-1)

    def mask(self, importance, shape, device):
        """``[batch, frames, codebooks]`` with the estimator's gradient; ``shape`` is ``(batch, frames)``."""
        counts = self.counts.to(device)[:, None, None]
        constant = (torch.arange(self.codebooks, device=device) < counts).float().expand(*shape, -1)
        if self.levels is None:
            return constant
        rate = self.rate
        mask = importance_mask(importance, self.levels.to(device), self.codebooks, rate["alpha"], rate["estimator"])
        return torch.where(counts > 0, constant, mask)


class Controller:
    """The weight of the rate loss, ``beta``: a double on the training's device, always in the same memory."""

    def __init__(self, rate, device="cpu"):
        self.rate, self.beta = rate, torch.tensor(rate.get("beta", 0.0), dtype=torch.float64, device=device)

    def follow(self, mean_importance):
        """After a step whose items by importance had this mean, a tensor."""
        if self.rate["mode"] == "cbr" or self.rate["control"] == "fixed":
            return
        target = self.rate["importance_target"]
        drift = ((mean_importance - target) / target).clamp(-1.0, 1.0)
        self.beta.copy_((self.beta * torch.exp(0.01 * drift)).clamp(0.01, 5.0))


def rate_terms(importance, silent, draw):
    """Mean importance of the items by importance where there is sound, and the pull in digital silence.

    In silence nothing opposes the rate loss, but the sigmoid's slope fades, so the pull is on the logit. ``importance``
    and ``silent`` are ``[batch, frames]``.
    """
    counted = draw.by_importance.to(importance.device) * (1 - silent)
    mean = (importance * counted).sum() / counted.sum().clamp(min=1)
    logit = torch.logit(importance.clamp(1e-6, 1 - 1e-6))
    pull = (torch.relu(logit + 6) * silent).sum() / silent.sum().clamp(min=1)
    return mean, pull
