"""Figures of merit of decoded audio against its original, one item at a time."""

import warnings

import numpy as np
import torch

from .losses import mel_distance, stft_distance
from .masking import noise_to_mask

SAMPLE_RATE = 44100


def si_sdr(target, decoded):
    """Scale-invariant signal-to-distortion ratio in dB; both ``[samples]``."""
    target, decoded = target - target.mean(), decoded - decoded.mean()
    scale = np.dot(decoded, target) / max(np.dot(target, target), 1e-12)
    projection = scale * target
    return 10 * np.log10(np.dot(projection, projection) / max(np.dot(decoded - projection, decoded - projection), 1e-12))


def mel(target, decoded):
    """Log-mel distance over the paper's seven scales."""
    return float(mel_distance(torch.from_numpy(target)[None], torch.from_numpy(decoded)[None])[0])


def pesq(target, decoded):
    """Wide-band PESQ."""
    import soxr
    from pesq import pesq as measure

    wide = [soxr.resample(x, SAMPLE_RATE, 16000) for x in (target, decoded)]
    return float(measure(16000, *wide, "wb"))


def estoi(target, decoded):
    """Extended short-time objective intelligibility."""
    from pystoi import stoi

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(stoi(target, decoded, SAMPLE_RATE, extended=True))


def stft(target, decoded):
    """Multi-scale STFT distance."""
    return float(stft_distance(torch.from_numpy(target)[None], torch.from_numpy(decoded)[None])[0])


def lsd(target, decoded):
    """Log-spectral distance in dB as the program's view has it (``src/engine/spectrum.rs``): Hann windows of 2048 samples 512
    apart, 0 dB for a sine of full scale, what is below -90 dB counts as that."""
    window = torch.hann_window(2048) * 4 / 2048
    levels = []
    for signal in (target, decoded):
        bins = torch.stft(torch.from_numpy(np.asarray(signal, np.float32)), 2048, 512, window=window, center=False, return_complex=True)
        levels.append((20 * torch.log10(bins.abs() + 1e-12)).clamp(min=-90))
    return float((levels[0] - levels[1]).square().mean(0).sqrt().mean())


def nmr(target, decoded):
    """Noise-to-mask ratio in dB."""
    return noise_to_mask(target, decoded, SAMPLE_RATE)


def visqol(target, decoded):
    """ViSQOL, audio mode, at 48 kHz (``visqol-python``; some seconds an item)."""
    import soxr
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="audio")
    full = [soxr.resample(x, SAMPLE_RATE, 48000) for x in (target, decoded)]
    return float(api.measure_from_arrays(*full, 48000).moslqo)


# By name; those of speech are measured on speech only.
ALL = {"si_sdr": si_sdr, "mel": mel, "stft": stft, "lsd": lsd, "nmr": nmr, "pesq": pesq, "estoi": estoi, "visqol": visqol}
SPEECH = ("pesq", "estoi")
