"""Distortion terms. The adversarial ones are in :mod:`vrvq_training.dac.discriminator`."""

import functools

import torch
import torch.nn.functional as F


def smooth(power, spread, bands):
    """``power`` ``[batch, frames, hop]`` averaged over about ``spread`` of each frequency, at least ``bands`` bins."""
    bins = power.shape[-1]
    index = torch.arange(bins, device=power.device)
    half = (index * spread / 2 + bands).long()
    low = (index - half).clamp(min=0)
    high = (index + half + 1).clamp(max=bins)
    total = F.pad(power.double().cumsum(-1), (1, 0))
    return ((total[..., high] - total[..., low]) / (high - low)).float().clamp(min=0)


def envelope(power, spread, bands):
    """Spectral envelope ``[batch, frames, hop]``: as :func:`smooth`, and averaged over three frames."""
    around = F.pad(smooth(power, spread, bands).transpose(1, 2), (1, 1), mode="replicate")
    return F.avg_pool1d(around, 3, 1).transpose(1, 2)


@functools.cache
def erb_density(bins, rate, device="cpu"):
    """How many auditory bands (ERB, Glasberg and Moore 1990) a bin of 0..rate/2 covers, 1 at the lowest: ``[bins]``."""
    frequency = (torch.arange(bins) + 0.5) / bins * rate / 2
    density = 1 / (24.7 * (4.37 * frequency / 1000 + 1))
    return (density / density.max()).to(device)


def masked_noise(target, decoded, exponent, density, floor=1e-7):
    """Squared MDCT error over the frame's own envelope to the power ``exponent``, relative to the frame's content.

    1 is an output of silence. Exponent 0 is the plain relative error, 1 weighs the error in each band by what masks
    it. ``density`` ``[hop]`` weighs the bins. ``[batch, frames]``; silent frames approach the absolute error over ``floor``.
    """
    smooth = envelope(target.square(), 0.15, 2) + floor
    weight = smooth**-exponent * density
    error = ((target - decoded).square() * weight).sum(-1)
    return error / ((target.square() * weight).sum(-1) + (floor * weight).sum(-1))


def loudness_weight(target, exponent, floor=1e-5):
    """How much each frame of an MDCT ``[batch, frames, hop]`` counts: its energy to the power ``exponent``, relative to
    the item's mean, so that the map learns to spend where there is something to hear. ``[batch, frames]``, mean 1."""
    energy = target.square().sum(-1) + floor
    weight = (energy / energy.mean(-1, keepdim=True)) ** exponent
    return weight / weight.mean(-1, keepdim=True)


_FILTERS = {}


def mel_filters(window, bands, rate=44100, device="cpu"):
    """Triangular mel filters ``[window // 2 + 1, bands]``, each summing to one."""
    key = (window, bands, rate, str(device))
    if key not in _FILTERS:
        mel = lambda f: 2595 * torch.log10(1 + f / 700)
        edges = torch.linspace(0, float(mel(torch.tensor(rate / 2.0))), bands + 2)
        edges = 700 * (10 ** (edges / 2595) - 1)
        bins = torch.linspace(0, rate / 2, window // 2 + 1)[:, None]
        rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
        fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
        filters = torch.minimum(rise, fall).clamp(min=0)
        _FILTERS[key] = (filters / filters.sum(0).clamp(min=1e-3)).to(device)
    return _FILTERS[key]


def log_mel(audio, window, bands, rate=44100):
    """log10 mel magnitudes ``[batch, frames, bands]``, hop window / 4, clamped at 1e-5."""
    hann = torch.hann_window(window, device=audio.device)
    spectrum = torch.stft(audio, window, window // 4, window=hann, return_complex=True, center=True)
    magnitude = spectrum.abs().transpose(1, 2) / window * 4
    return torch.log10((magnitude @ mel_filters(window, bands, rate, audio.device)).clamp(min=1e-5))


# The paper's seven windows and bands.
MEL_SCALES = ((32, 5), (64, 10), (128, 20), (256, 40), (512, 80), (1024, 160), (2048, 320))


def mel_distance(target, decoded, scales=MEL_SCALES, rate=44100):
    """Mean L1 distance of log-mel magnitudes over ``scales``, for each item: ``[batch]``."""
    total = sum((log_mel(target, *s, rate) - log_mel(decoded, *s, rate)).abs().mean((1, 2)) for s in scales)
    return total / len(scales)


THIRD_OCTAVES = 15
SEGMENT, STRIDE = 30, 5


@functools.cache
def _third_octaves(window, rate, device):
    """Bands of ESTOI, 150 Hz and up: ``[window // 2 + 1, bands]`` of 0 and 1."""
    frequency = torch.linspace(0, rate / 2, window // 2 + 1)[:, None]
    centre = 150 * 2 ** (torch.arange(THIRD_OCTAVES) / 3)
    return ((frequency >= centre * 2 ** (-1 / 6)) & (frequency < centre * 2 ** (1 / 6))).float().to(device)


def envelope_mismatch(target, decoded, rate=44100):
    """One minus the mean correlation of third-octave envelopes over segments of some 0.4 s: what ESTOI (Jensen and
    Taal 2016) measures, with a gradient. Segments without sound in the target don't count. A scalar.
    """
    hop = round(0.0128 * rate)
    window = 2 * hop
    bands = _third_octaves(window, rate, target.device)
    hann = torch.hann_window(window, device=target.device)
    parts = []
    for audio in (target, decoded):
        power = torch.stft(audio, window, hop, window=hann, return_complex=True).abs().square()
        envelopes = (power.transpose(1, 2) @ bands + 1e-8).sqrt()
        segments = envelopes.unfold(1, SEGMENT, STRIDE)  # [batch, segments, bands, frames]
        for axis in (-1, -2):
            segments = segments - segments.mean(axis, keepdim=True)
            segments = segments / (segments.square().sum(axis, keepdim=True) + 1e-8).sqrt()
        parts.append(segments)
    audible = (target.unfold(1, SEGMENT * hop, STRIDE * hop).square().mean(-1) > 1e-7).float()
    correlation = (parts[0] * parts[1]).sum((-1, -2)) / SEGMENT
    count = min(correlation.shape[1], audible.shape[1])
    correlation, audible = correlation[:, :count], audible[:, :count]
    return 1 - (correlation * audible).sum() / audible.sum().clamp(min=1)


STFT_WINDOWS = (2048, 512)


def stft_distance(target, decoded):
    """Multi-scale STFT distance for each item: L1 of magnitudes and of their log10, hop window / 4, clamped at 1e-5, summed
    over two windows (as DAC reports it): ``[batch]``."""
    total = 0.0
    for window in STFT_WINDOWS:
        hann = torch.hann_window(window, device=target.device)
        a, b = (
            torch.stft(x, window, window // 4, window=hann, return_complex=True).abs().clamp(min=1e-5)
            for x in (target, decoded)
        )
        total = total + (a - b).abs().mean((1, 2)) + (2 * (a.log10() - b.log10())).abs().mean((1, 2))
    return total
