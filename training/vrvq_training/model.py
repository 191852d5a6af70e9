"""The live model: a linear MDCT codec with network branches that start at zero.

Without its branches it is a codec of its own (MDCT, long-term weighting, normalisation, PCA, residual k-means), so
training can only improve on it. The spectrum is companded (|x| ** a) before all else, which lets the quantization
noise follow the spectrum without side information. The packet has no room for a gain, so the frame's log gain is one more dimension of
the latent, quantized together with its shape; an error of the gain in nats and an error of the shape relative to the
frame count the same, which needs no further weight between them.

Everything is causal. Frame t sees the hops up to t; decoded audio of step t is that of hop t - 1.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .postfilter import Postfilter
from .quantizer import ResidualQuantizer

EPSILON = 1e-5


def mdct_basis(hop):
    """Windowed MDCT basis ``[2 * hop, hop]`` with the sine window; its transpose inverts it by overlap-add."""
    n = torch.arange(2 * hop, dtype=torch.float64)[:, None]
    k = torch.arange(hop, dtype=torch.float64)[None]
    window = torch.sin(math.pi / (2 * hop) * (n + 0.5))
    phase = math.pi / hop * (n + 0.5 + hop / 2) * (k + 0.5)
    return (window * math.sqrt(2 / hop) * torch.cos(phase)).float()


def normalise(x):
    """Root-mean-square normalisation over the last dimension."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON)


def compand(x, exponent):
    """``sign(x) * |x| ** exponent``."""
    return torch.sign(x) * (x.abs() + 1e-12) ** exponent


class CausalDepthwise(nn.Module):
    """Causal convolution along frames, a filter of ``kernel`` taps for each channel. ``[batch, frames, width]``."""

    def __init__(self, width, kernel):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(kernel, width) / math.sqrt(kernel))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        kernel = self.weight.shape[0]
        filters = self.weight.T.unsqueeze(1).to(x.dtype)
        y = F.conv1d(F.pad(x.transpose(1, 2), (kernel - 1, 0)), filters, groups=x.shape[-1])
        return y.transpose(1, 2) + self.bias


class Block(nn.Module):
    """ConvNeXt-like block: depthwise along frames, normalise, widen, SiLU, narrow, add."""

    def __init__(self, width, kernel, expansion):
        super().__init__()
        self.depthwise = CausalDepthwise(width, kernel)
        self.widen = nn.Linear(width, width * expansion)
        self.narrow = nn.Linear(width * expansion, width)
        nn.init.normal_(self.narrow.weight, std=0.3 / math.sqrt(width * expansion))

    def forward(self, x):
        return x + self.narrow(F.silu(self.widen(normalise(self.depthwise(x)))))


def causal_mean(x, frames):
    """Mean over this and the ``frames - 1`` frames before, as far as there are any: ``[batch, frames, 1]`` to the same."""
    known = torch.cat([x, torch.ones_like(x)], -1).transpose(1, 2)
    total, count = F.avg_pool1d(F.pad(known, (frames - 1, 0)), frames, 1).transpose(1, 2).chunk(2, -1)
    return total / count


class Importance(nn.Module):
    """Importance subnet: causal convolution of 3 frames on the encoder's features, then frame by frame to one value.

    With ``gain_frames`` it is also told the frame's log gain, and how far that is above its mean over so many frames:
    the encoder's features hardly tell how loud a frame is beside its neighbours, which is what decides where a codebook
    removes most error (RESULTS.md).
    """

    def __init__(self, width, hidden, gain_frames=0):
        super().__init__()
        self.gain_frames = gain_frames
        self.depthwise = CausalDepthwise(width, 3)
        self.first = nn.Linear(width + (2 if gain_frames else 0), hidden)
        self.second = nn.Linear(hidden, hidden // 2)
        self.last = nn.Linear(hidden // 2, 1)

    def forward(self, features, gain):
        x = normalise(self.depthwise(features))
        if self.gain_frames:
            x = torch.cat([x, gain, gain - causal_mean(gain, self.gain_frames)], -1)
        return torch.sigmoid(self.last(F.silu(self.second(F.silu(self.first(x))))).float()).squeeze(-1)


class LiveModel(nn.Module):
    """See the module. ``config`` is the ``[model]`` table; the interface is that of :mod:`vrvq_training.architectures`."""

    def __init__(self, config):
        super().__init__()
        self.config = dict(config)
        self.delay = config["hop"]
        hop, width, shape = config["hop"], config["width"], config["shape_dims"]
        self.hop = hop
        self.register_buffer("basis", mdct_basis(hop))
        self.register_buffer("weighting", torch.ones(hop))  # 1 / long-term rms ** exponent
        self.register_buffer("gain_mean", torch.zeros(()))
        self.analysis = nn.Parameter(torch.randn(hop, shape) / math.sqrt(hop))
        self.synthesis = nn.Parameter(torch.randn(shape, hop) / math.sqrt(hop))
        make = lambda n: nn.ModuleList(Block(width, config["kernel"], config["expansion"]) for _ in range(n))
        self.encoder_in, self.encoder_blocks = nn.Linear(hop + 1, width), make(config["encoder_blocks"])
        self.encoder_out = nn.Linear(width, shape + 1)
        self.decoder_in, self.decoder_blocks = nn.Linear(shape + 1, width), make(config["decoder_blocks"])
        self.decoder_out = nn.Linear(width, hop + 1)
        # None in models from before there was one.
        self.postfilter = Postfilter(config) if config.get("postfilter_channels") else None
        for layer in (self.encoder_out, self.decoder_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.importance = Importance(width, config["importance_hidden"], config.get("importance_gain_frames", 0))
        self.quantizer = ResidualQuantizer(config["codebooks"], config["codebook_size"], shape + 1)

    def spectrum(self, audio):
        """MDCT ``[batch, frames, hop]`` of ``audio`` ``[batch, frames * hop]``, silence before its start."""
        hops = audio.reshape(audio.shape[0], -1, self.hop)
        previous = F.pad(hops, (0, 0, 1, 0))[:, :-1]
        return torch.cat([previous, hops], -1) @ self.basis

    def waveform(self, spectrum):
        """Audio ``[batch, frames * hop]`` of an MDCT, one hop late: hop t of it is hop t - 1 of the input."""
        pieces = spectrum @ self.basis.T
        first, second = pieces[..., : self.hop], pieces[..., self.hop :]
        overlap = F.pad(second, (0, 0, 1, 0))[:, :-1]
        return (first + overlap).reshape(spectrum.shape[0], -1)

    def features(self, spectrum):
        """Normalised companded spectrum ``[batch, frames, hop]`` and log gain ``[batch, frames, 1]`` (0 at silence)."""
        weighted = compand(spectrum, self.config["companding"]) * self.weighting
        norm = weighted.square().sum(-1, keepdim=True).sqrt()
        floor = self.config["gain_floor"]
        return weighted / (norm + floor), torch.log1p(norm / floor)

    def encode(self, audio):
        """Latent ``[batch, frames, dims]`` and importance ``[batch, frames]`` of ``audio``."""
        return self.encode_spectrum(self.spectrum(audio))

    def encode_spectrum(self, spectrum):
        shape, gain = self.features(spectrum)
        centred = gain - self.gain_mean
        hidden = self.encoder_in(torch.cat([shape * math.sqrt(self.hop) * 0.5, centred], -1))
        for block in self.encoder_blocks:
            hidden = block(hidden)
        latent = torch.cat([centred, shape @ self.analysis], -1).float() + self.encoder_out(normalise(hidden)).float()
        return latent, self.importance(hidden.detach() if self.config["detach_importance"] else hidden, centred)

    def analyse(self, audio):
        """Codes for every count, searched with the configured beam, and importance: see :mod:`vrvq_training.architectures`."""
        latent, importance = self.encode(audio)
        return self.quantizer.encode_all(latent, self.config["beam"]), importance

    def forward(self, audio, draw, beam=1):
        """A training pass, see :mod:`vrvq_training.architectures`. What must be exact stays in single precision."""
        single = lambda: torch.autocast(audio.device.type, enabled=False)
        with single(), torch.no_grad():
            spectrum = self.spectrum(audio)
            silent = (spectrum.square().sum(-1) < 1e-10).float()
        latent, importance = self.encode_spectrum(spectrum)
        with single():
            mask = draw.mask(importance, importance.shape, audio.device)
            given = 0 if draw.codes is None else len(draw.codes)
            quantized, _, commitment = self.quantizer(latent[given:], mask[given:], beam)
            if given:
                sent = draw.codes.to(audio.device)
                sums = self.quantizer.decode(sent.clamp(min=0), (sent >= 0).float())
                quantized = torch.cat([sums, quantized])
        decoded = self.decode_spectrum(quantized).float()
        with single():
            heard = self.waveform(decoded)[:, self.hop :]
        return {
            "target": audio[:, : -self.hop], "audio": heard, "spectra": (spectrum, decoded), "importance": importance,
            "silent": silent, "commitment": commitment,
        }

    def decode_spectrum(self, latent):
        """MDCT ``[batch, frames, hop]`` of a quantized latent."""
        hidden = self.decoder_in(latent * self.config["decoder_scale"])
        for block in self.decoder_blocks:
            hidden = block(hidden)
        hidden = normalise(hidden)
        correction = self.decoder_out(hidden).float()
        latent = latent.float()
        gain = latent[..., :1] + self.gain_mean + correction[..., :1]
        size = self.config["gain_floor"] * torch.expm1(gain.clamp(0, 16))
        shape = latent[..., 1:] @ self.synthesis + correction[..., 1:]
        companded = shape * size / self.weighting
        spectrum = compand(companded, 1 / self.config["companding"])
        return spectrum if self.postfilter is None else self.postfilter(companded, spectrum, hidden).float()

    def decode(self, codes, counts):
        """Audio of ``codes`` ``[batch, frames, codebooks]`` where frame t uses the first ``counts[t]`` codebooks."""
        mask = (torch.arange(codes.shape[-1], device=codes.device) < counts.unsqueeze(-1)).float()
        return self.waveform(self.decode_spectrum(self.quantizer.decode(codes, mask)))
