"""The loss terms that ``[loss]`` of a configuration may weigh. A term of weight 0 or left out isn't computed."""

import functools

import torch

from . import losses


def _noise(out, weights, rate):
    target, decoded = out["spectra"]
    density = losses.erb_density(target.shape[-1], rate).to(target.device)
    error = losses.masked_noise(target, decoded, weights["noise_exponent"], density)
    return (error * losses.loudness_weight(target, weights["noise_loudness"])).mean()


def _error(out, weights, rate):
    target, decoded = out["spectra"]
    error = losses.masked_noise(target, decoded, 0.0, torch.ones_like(target[0, 0]))
    return (error * losses.loudness_weight(target, weights["error_loudness"])).mean()


def _mel(out, weights, rate):
    scales = [losses.MEL_SCALES[i] for i in torch.randperm(len(losses.MEL_SCALES))[: weights["mel_scales"]]]
    return losses.mel_distance(out["target"], out["audio"], scales, rate).mean()


def _mel_sum(out, weights, rate):
    return losses.mel_distance(out["target"], out["audio"], rate=rate).mean() * len(losses.MEL_SCALES)


def _envelope(out, weights, rate):
    return losses.envelope_mismatch(out["target"], out["audio"], rate)


FAINT = 1e-5


@functools.cache
def _pesq_distance(rate, device):
    # Only where it is weighed: the package needs more than the rest of the training does.
    from torch_pesq import PesqLoss

    return PesqLoss(1.0, sample_rate=rate).to(device)


def _pesq(out, weights, rate):
    target, decoded = out["target"], out["audio"]
    # Its level alignment divides by the energy, so both halves must sound.
    halves = torch.stack(target.tensor_split(2, -1)) if target.shape[-1] % 2 == 0 else target.unsqueeze(0)
    # And it is a measure of speech.
    sounding = (halves.square().mean(-1) > 1e-6).all(0) & out["speech"]
    if not sounding.any():
        return decoded.sum() * 0
    # Where a segment ends in digital silence its gradient is not a number for one in some fifty; noise at -100 dB mends it.
    faint = lambda audio: audio + FAINT * torch.randn_like(audio)
    with torch.autocast(target.device.type, enabled=False):
        distance = _pesq_distance(rate, target.device)
        return distance(faint(target[sounding]), faint(decoded[sounding])).mean()


def _codec(name):
    return lambda out, weights, rate: out[name]


TERMS = {
    "noise": _noise,  # error weighted by the frame's own envelope; needs spectra
    "error": _error,  # plain relative error; needs spectra
    "mel": _mel,  # log-mel distance, mean of mel_scales of the seven scales, drawn each step
    "mel_sum": _mel_sum,  # the paper's: summed over all seven
    "envelope": _envelope,  # mismatch of third-octave envelopes, as ESTOI measures it
    "pesq": _pesq,  # of speech: disturbance of PESQ's perceptual model, with a gradient (package torch-pesq)
    "commitment": _codec("commitment"),
    "codebook": _codec("codebook"),
}


def weighted(out, weights, rate):
    """The sum of the weighted terms, and each term's plain value. ``rate`` is the sample rate."""
    values = {name: term(out, weights, rate) for name, term in TERMS.items() if weights.get(name)}
    return sum(weights[name] * value for name, value in values.items()), {k: float(v.detach()) for k, v in values.items()}
