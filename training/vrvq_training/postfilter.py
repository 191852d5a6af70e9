"""A postfilter over time and frequency, the decoder's last stage before the inverse MDCT.

The decoder's network works on a latent for each frame, in which harmonics are hard to follow: they cross bins and turn their phase
from frame to frame. This stage looks at what was decoded, a few frames back and some bins around, with the same small
layers all along the spectrum, and gives each bin a filter over itself and its neighbours in this frame and the ones before (deep
filtering: Mack and Habets 2020, DeepFilterNet's Schröter et al. 2022, there of complex spectra). It starts as one that changes nothing,
sends no bits and adds no delay. What it brings is in RESULTS.md.

Its layers work on groups of bins, as products of matrices, and nothing is transposed: with convolutions over single bins the built-in
runtime took some four times as long for it.
"""

import torch
import torch.nn.functional as F
from torch import nn

GROUP = 4  # bins that a layer works on at once; an even number, so that each has its parity, by which a steady tone's signs go
SHIFTS = 3  # bins that a filter reaches over: its own and one on either side
FLOOR = 1e-6  # mean square of companded bins that counts as nothing


def beside(x):
    """``[..., groups, n]`` with the groups before and after, ``[..., groups, 3 * n]``; beyond the last there is nothing."""
    padded = F.pad(x, (0, 0, 1, 1))
    return torch.cat([padded[..., :-2, :], x, padded[..., 2:, :]], -1)


class Layer(nn.Module):
    """Residual: a group and its neighbours, widen, SiLU, narrow. ``[..., groups, channels]``."""

    def __init__(self, channels):
        super().__init__()
        self.widen, self.narrow = nn.Linear(3 * channels, 2 * channels), nn.Linear(2 * channels, channels)

    def forward(self, x):
        return x + self.narrow(F.silu(self.widen(beside(x))))


class Postfilter(nn.Module):
    """``config`` is the ``[model]`` table: ``postfilter_channels``; ``postfilter_bins``, the lowest so many are filtered;
    ``postfilter_past``, frames it looks back; ``postfilter_taps``, frames its filters reach over, this one included;
    ``postfilter_layers``. Raises ``ValueError`` where they don't fit together."""

    def __init__(self, config):
        super().__init__()
        channels, self.bins = config["postfilter_channels"], config["postfilter_bins"]
        self.past, self.taps = config["postfilter_past"], config["postfilter_taps"]
        if not 2 <= self.taps <= self.past + 1:
            raise ValueError(f"postfilter_taps is {self.taps}, with postfilter_past {self.past} it may be 2 to {self.past + 1}")
        if self.bins % GROUP:
            raise ValueError(f"postfilter_bins is {self.bins}, not a multiple of {GROUP}")
        groups = self.bins // GROUP
        self.first = nn.Linear(2 * 3 * GROUP * (self.past + 1), channels)
        self.place = nn.Parameter(0.3 * torch.randn(groups, channels))  # where in the spectrum a group is
        self.told = nn.Linear(config["width"], channels)  # what the decoder's network knows of the frame
        self.layers = nn.ModuleList(Layer(channels) for _ in range(config["postfilter_layers"]))
        self.last = nn.Linear(channels, SHIFTS * self.taps * GROUP)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, companded, spectrum, hidden):
        """The filtered ``spectrum`` ``[batch, frames, hop]``, which comes ``companded`` too; ``hidden`` ``[batch, frames, width]`` is
        the decoder's."""
        frames = spectrum.shape[1]
        grouped = lambda x: x.unflatten(-1, (-1, GROUP))
        low = F.pad(companded[..., : self.bins], (0, 0, self.past, 0))
        near = beside(grouped(low))
        # Every frame with its past, as loud as may be: [batch, frames, groups, (past + 1) * 3 * GROUP].
        seen = torch.cat([near[:, at : at + frames] for at in range(self.past + 1)], -1)
        seen = seen * (seen.square().mean((2, 3), keepdim=True) + FLOOR) ** -0.5
        x = self.first(torch.cat([seen, seen.abs()], -1))
        x = F.silu(x + self.place + self.told(hidden).unsqueeze(2))
        for layer in self.layers:
            x = layer(x)
        low = F.pad(spectrum[..., : self.bins], (SHIFTS // 2, SHIFTS // 2, self.taps - 1, 0))
        shifted = [grouped(low[..., at : at + self.bins]) for at in range(SHIFTS)]
        reached = torch.cat([x[:, at : at + frames] for x in shifted for at in range(self.taps)], -1)
        change = grouped(self.last(x) * reached).sum(-2).flatten(2)
        return torch.cat([spectrum[..., : self.bins] + change, spectrum[..., self.bins :]], -1)
