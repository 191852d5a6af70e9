"""Noise-to-mask ratio by the ear model of ITU-R BS.1387-1 (PEAQ, basic version), as the program has it (``src/masking``)."""

import functools

import numpy as np

WINDOW, HOP = 2048, 1024
WIDTH = 0.25  # Bark
FULL_SCALE = 10**9.2 / 0.84971762641205**2  # 92 dB SPL, for a sine between two bins
EXPONENT = 0.4  # of powers before they add up


def _quiet_db(kilohertz):
    with np.errstate(divide="ignore"):
        return 3.64 * np.asarray(kilohertz) ** -0.8


@functools.cache
def _ear(rate):
    """Weights of the bins in each band ``[bins, bands]``, own noise, decay and mask's offset ``[bands]``, centres in Hz."""
    bark, hertz = lambda f: 7 * np.arcsinh(f / 650), lambda z: 650 * np.sinh(z / 7)
    low = np.arange(bark(80.0), bark(18000.0), WIDTH)
    high = np.minimum(low + WIDTH, bark(18000.0))
    centre = hertz((low + high) / 2)
    heard = centre < rate / 2
    low, high, centre = low[heard], high[heard], centre[heard]
    bins = np.arange(WINDOW // 2 + 1)
    spacing = rate / WINDOW
    share = np.minimum((bins[:, None] + 0.5) * spacing, hertz(high)) - np.maximum((bins[:, None] - 0.5) * spacing, hertz(low))
    share = np.clip(share / spacing, 0, 1)
    kilohertz = bins * spacing / 1000
    db = -0.6 * _quiet_db(kilohertz) + 6.5 * np.exp(-0.6 * (kilohertz - 3.3) ** 2) - 1e-3 * kilohertz**3.6
    own = 10 ** (0.04 * _quiet_db(centre / 1000))
    decay = np.exp(-HOP / rate / (0.008 + 100 / centre * (0.030 - 0.008)))
    offset = 10 ** (-np.maximum(0.25 * WIDTH * np.arange(len(centre)), 3.0) / 10)
    return FULL_SCALE * 10 ** (db / 10)[:, None] * share, own, decay, offset, centre


def _spread(powers, centre):
    """``[frames, bands]``: each band's power spread over all."""
    bands = len(centre)
    steps = np.arange(bands)[None, :] - np.arange(bands)[:, None]  # [from, to]
    upper = (-24 - 230 / centre + 0.2 * 10 * np.log10(powers)) * WIDTH
    slope = np.where(steps < 0, 27 * WIDTH * steps, 0) + np.minimum(upper, -WIDTH)[..., None] * np.maximum(steps, 0)
    shape = 10 ** (slope / 10)
    shape *= (powers / shape.sum(-1))[..., None]
    return (shape**EXPONENT).sum(-2) ** (1 / EXPONENT)


def noise_to_mask(target, decoded, rate):
    """Total NMR in dB of ``decoded`` against ``target``, both ``[samples]`` at ``rate`` Hz and aligned; -100 at least."""
    weights, own, decay, offset, centre = _ear(rate)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)) * 4 / WINDOW
    frames = 1 + -(-max(len(target) - WINDOW, 0) // HOP)

    def amplitudes(signal):
        signal = np.pad(np.asarray(signal, np.float64), (0, (frames - 1) * HOP + WINDOW - len(signal)))
        cut = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::HOP]
        return np.abs(np.fft.rfft(cut * window))

    target, decoded = amplitudes(target), amplitudes(decoded)
    noise = (target - decoded) ** 2 @ weights
    powers = _spread(target**2 @ weights + own, centre) / _spread(np.ones((1, len(centre))), centre)
    held = np.zeros(len(centre))
    ratios = []
    for power, wrong in zip(powers, noise):
        held = decay * held + (1 - decay) * power
        ratios.append(np.mean(wrong / (offset * np.maximum(held, power))))
    return float(max(10 * np.log10(max(np.mean(ratios), 1e-30)), -100.0))
