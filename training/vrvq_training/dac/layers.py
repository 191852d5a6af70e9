"""Convolutions and activations of the encoder and decoder (Kumar et al. 2023, section 3). Tensors are ``[batch,
channels, time]``."""

import math
import warnings

import torch
from torch import nn


def _normed(layer):
    """``layer`` with weight normalisation and a zero bias.

    The older of PyTorch's two ways: it names the parameters ``weight_g`` and ``weight_v``, as public checkpoints do.
    """
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(layer)


def conv(*arguments, **options):
    """A weight-normalised ``Conv1d``."""
    return _normed(nn.Conv1d(*arguments, **options))


def conv_transpose(*arguments, **options):
    """A weight-normalised ``ConvTranspose1d``."""
    return _normed(nn.ConvTranspose1d(*arguments, **options))


def conv2d(*arguments, **options):
    """A weight-normalised ``Conv2d``."""
    return _normed(nn.Conv2d(*arguments, **options))


class Snake(nn.Module):
    """x + sin²(αx)/α with an α for each channel (Ziyin et al. 2020)."""

    def __init__(self, channels):
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x):
        return x + torch.sin(self.alpha * x).square() / (self.alpha + 1e-9)


class ResidualUnit(nn.Module):
    """Snake, dilated convolution of 7 taps, Snake, convolution of 1 tap, added to the input."""

    def __init__(self, channels, dilation):
        super().__init__()
        self.block = nn.Sequential(
            Snake(channels),
            conv(channels, channels, 7, dilation=dilation, padding=3 * dilation),
            Snake(channels),
            conv(channels, channels, 1),
        )

    def forward(self, x):
        return x + self.block(x)


DILATIONS = (1, 3, 9)


class Block(nn.Module):
    """Residual units and a strided convolution, down (encoder) or up (decoder)."""

    def __init__(self, channels_in, channels_out, stride, up):
        super().__init__()
        size = {"kernel_size": 2 * stride, "stride": stride, "padding": math.ceil(stride / 2)}
        units = [ResidualUnit(channels_out if up else channels_in, d) for d in DILATIONS]
        change = [Snake(channels_in), (conv_transpose if up else conv)(channels_in, channels_out, **size)]
        self.block = nn.Sequential(*(change + units if up else units + change))

    def forward(self, x):
        return self.block(x)
