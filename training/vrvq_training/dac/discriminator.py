"""The two kinds of discriminators of DAC: waveforms folded by period, and complex spectrograms by band."""

import torch
import torch.nn.functional as F
from torch import nn

from .layers import conv2d

SLOPE = 0.1
QUIET = 0.01  # peak


def _stack(layers, x, features):
    for layer in layers:
        x = F.leaky_relu(layer(x), SLOPE)
        features.append(x)
    return x


class PeriodDiscriminator(nn.Module):
    """Sees the waveform as rows of ``period`` samples (Kong et al. 2020)."""

    def __init__(self, period, channels):
        super().__init__()
        self.period = period
        widths = (1, *channels)
        strides = [3] * (len(channels) - 1) + [1]
        self.convs = nn.ModuleList(
            conv2d(a, b, (5, 1), (stride, 1), padding=(2, 0)) for a, b, stride in zip(widths, widths[1:], strides)
        )
        self.post = conv2d(channels[-1], 1, (3, 1), padding=(1, 0))

    def forward(self, audio):
        """Feature maps of audio ``[batch, samples]``, the last of them the verdict."""
        audio = F.pad(audio.unsqueeze(1), (0, -audio.shape[-1] % self.period), mode="reflect")
        features = []
        x = _stack(self.convs, audio.unflatten(-1, (-1, self.period)), features)
        return [*features, self.post(x)]


class BandDiscriminator(nn.Module):
    """Sees the complex spectrogram of one window length, split into bands with layers of their own."""

    def __init__(self, window, channels, bands):
        super().__init__()
        self.window = window
        bins = window // 2 + 1
        self.edges = [(int(low * bins), int(high * bins)) for low, high in bands]
        c = channels
        make = lambda: nn.ModuleList(
            [conv2d(2, c, (3, 9), padding=(1, 4))]
            + [conv2d(c, c, (3, 9), (1, 2), padding=(1, 4)) for _ in range(3)]
            + [conv2d(c, c, (3, 3), padding=(1, 1))]
        )
        self.bands = nn.ModuleList(make() for _ in bands)
        self.post = conv2d(channels, 1, (3, 3), padding=(1, 1))

    def forward(self, audio):
        """As :class:`PeriodDiscriminator`."""
        window = torch.hann_window(self.window, device=audio.device)
        spectrum = torch.stft(audio, self.window, self.window // 4, window=window, return_complex=True)
        planes = torch.view_as_real(spectrum).permute(0, 3, 2, 1)  # [batch, 2, frames, bins]
        features = []
        ends = [_stack(layers, planes[..., low:high], features) for layers, (low, high) in zip(self.bands, self.edges)]
        return [*features, self.post(torch.cat(ends, -1))]


class Discriminators(nn.Module):
    """All of them; ``config`` is the ``[adversarial]`` table."""

    def __init__(self, config):
        super().__init__()
        periods = [PeriodDiscriminator(p, config["period_channels"]) for p in config["periods"]]
        bands = [BandDiscriminator(w, config["band_channels"], config["bands"]) for w in config["windows"]]
        self.parts = nn.ModuleList(periods + bands)

    def forward(self, audio):
        """Feature maps of each discriminator for audio ``[batch, samples]``, brought to one level first, unless it is next
        to silence: what a decoder makes of silence would be judged, and its gradient grow, a million times as large."""
        audio = audio - audio.mean(-1, keepdim=True)
        audio = 0.8 * audio / audio.abs().amax(-1, keepdim=True).clamp(min=QUIET)
        return [part(audio) for part in self.parts]


def discriminator_loss(real, fake):
    """Least squares: the real is to be judged 1, the decoded 0. Both are lists of feature maps."""
    return sum((1 - r[-1]).square().mean() + f[-1].square().mean() for r, f in zip(real, fake))


def generator_losses(real, fake):
    """Adversarial and feature-matching loss of the decoded sound."""
    adversarial = sum((1 - f[-1]).square().mean() for f in fake)
    matching = sum((a - b.detach()).abs().mean() for f, r in zip(fake, real) for a, b in zip(f[:-1], r[:-1]))
    return adversarial, matching
