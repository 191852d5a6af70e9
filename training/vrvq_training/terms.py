"""The loss terms that ``[loss]`` of a configuration may weigh. A term of weight 0 or left out isn't computed."""

import functools

import numpy as np
import scipy.signal
import torch

from . import losses


def _noise(out, weights, rate):
    target, decoded = out["spectra"]
    density = losses.erb_density(target.shape[-1], rate, target.device)
    error = losses.masked_noise(target, decoded, weights["noise_exponent"], density)
    return (error * losses.loudness_weight(target, weights["noise_loudness"])).mean()


def _error(out, weights, rate):
    target, decoded = out["spectra"]
    error = losses.masked_noise(target, decoded, 0.0, torch.ones_like(target[0, 0]))
    return (error * losses.loudness_weight(target, weights["error_loudness"])).mean()


def _mel(out, weights, rate):
    scales = losses.MEL_SCALES
    if weights["mel_scales"] < len(scales):
        scales = [scales[i] for i in torch.randperm(len(scales))[: weights["mel_scales"]]]
    return losses.mel_distance(out["target"], out["audio"], scales, rate).mean()


def _mel_sum(out, weights, rate):
    return losses.mel_distance(out["target"], out["audio"], rate=rate).mean() * len(losses.MEL_SCALES)


def _envelope(out, weights, rate):
    return losses.envelope_mismatch(out["target"], out["audio"], rate)


FAINT = 1e-5


@functools.cache
def _pesq_distance(rate, device):
    # Only where it is weighed: the package needs more than the rest of the training does.
    import torch_pesq

    if device.type == "cuda":
        # On a GPU the recursive filter takes a step for each sample.
        torch_pesq.loss.lfilter = filtered
    return torch_pesq.PesqLoss(1.0, sample_rate=rate).to(device)


RESPONSE = 4096  # samples after which the responses of PESQ's filters, at 16 kHz, are below -120 dB
_RESPONSES = {}


def filtered(signal, a, b, clamp=False):
    """What torchaudio's ``lfilter`` gives for ``signal`` ``[batch, samples]``, by convolution with the filter's first
    ``RESPONSE`` samples."""
    key = (a.data_ptr(), b.data_ptr())
    if key not in _RESPONSES:
        impulse = np.zeros(RESPONSE)
        impulse[0] = 1.0
        response = scipy.signal.lfilter(b.cpu().double().numpy(), a.cpu().double().numpy(), impulse)
        _RESPONSES[key] = torch.from_numpy(response).to(signal)
    length = signal.shape[-1]
    size = 1 << (length + RESPONSE - 1).bit_length()
    product = torch.fft.rfft(signal, size) * torch.fft.rfft(_RESPONSES[key], size)
    result = torch.fft.irfft(product, size)[..., :length]
    return result.clamp(-1, 1) if clamp else result


def _pesq(out, weights, rate):
    speech = out["speech"]  # it is a measure of speech
    if len(speech) == 0:
        return out["audio"].sum() * 0
    target, decoded = (out[name].index_select(0, speech) for name in ("target", "audio"))
    # Its level alignment divides by the energy, so both halves must sound. What doesn't counts as noise without an error.
    halves = torch.stack(target.tensor_split(2, -1)) if target.shape[-1] % 2 == 0 else target.unsqueeze(0)
    sounding = (halves.square().mean(-1) > 1e-6).all(0).unsqueeze(-1)
    noise = 0.1 * torch.randn_like(target)
    target, decoded = torch.where(sounding, target, noise), torch.where(sounding, decoded, noise)
    # Where a segment ends in digital silence its gradient is not a number for one in some fifty; noise at -100 dB mends it.
    faint = lambda audio: audio + FAINT * torch.randn_like(audio)
    with torch.autocast(target.device.type, enabled=False):
        distance = _pesq_distance(rate, target.device)(faint(target), faint(decoded))
    sounding = sounding.squeeze(-1)
    return (distance * sounding).sum() / sounding.sum().clamp(min=1)


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
    """The sum of the weighted terms, and each term's plain value. ``rate`` is the sample rate.

    ``out`` is a training pass of :mod:`vrvq_training.architectures` with the numbers of the batch's speech, ``speech``.
    """
    values = {name: term(out, weights, rate) for name, term in TERMS.items() if weights.get(name)}
    return sum(weights[name] * value for name, value in values.items()), {k: v.detach() for k, v in values.items()}
