"""Encoder, quantizer with importance subnet, decoder: the architecture of the paper (its section 2) and of DAC."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .layers import Block, Snake, conv
from .quantizer import ResidualQuantizer


class Encoder(nn.Module):
    """Waveform ``[batch, 1, samples]`` to latent ``[batch, latent, frames]``."""

    def __init__(self, channels, rates, latent):
        super().__init__()
        layers = [conv(1, channels, 7, padding=3)]
        for rate in rates:
            layers.append(Block(channels, 2 * channels, rate, up=False))
            channels *= 2
        self.block = nn.Sequential(*layers, Snake(channels), conv(channels, latent, 3, padding=1))

    def forward(self, audio):
        """The latent, and the features before the last two layers, which the importance subnet sees."""
        features = self.block[:-2](audio)
        return self.block[-2:](features), features


class Decoder(nn.Module):
    """Latent to waveform in -1..1."""

    def __init__(self, latent, channels, rates):
        super().__init__()
        layers = [conv(latent, channels, 7, padding=3)]
        for rate in rates:
            layers.append(Block(channels, channels // 2, rate, up=True))
            channels //= 2
        self.model = nn.Sequential(*layers, Snake(channels), conv(channels, 1, 7, padding=3), nn.Tanh())

    def forward(self, latent):
        return self.model(latent)


class DacModel(nn.Module):
    """See the module; ``config`` is the ``[model]`` table. The interface is that of :mod:`vrvq_training.architectures`.

    Not causal: a frame sees some 0.1 s to both sides. Decoded audio is aligned with the input.
    """

    delay = 0

    def __init__(self, config):
        super().__init__()
        self.config = dict(config)
        encoder_rates, decoder_rates = config["encoder_rates"], config["decoder_rates"]
        self.hop = math.prod(encoder_rates)
        if math.prod(decoder_rates) != self.hop:
            raise ValueError(f"encoder_rates {encoder_rates} and decoder_rates {decoder_rates} have different products")
        latent = config["encoder_channels"] * 2 ** len(encoder_rates)
        self.encoder = Encoder(config["encoder_channels"], encoder_rates, latent)
        self.quantizer = ResidualQuantizer(
            latent, config["codebooks"], config["codebook_size"], config["codebook_dims"], config["importance"]
        )
        self.decoder = Decoder(latent, config["decoder_channels"], decoder_rates)

    def _encode(self, audio):
        """Latent and features of ``audio`` ``[batch, samples]``, padded on the right to whole hops."""
        padding = -audio.shape[-1] % self.hop
        return self.encoder(F.pad(audio, (0, padding)).unsqueeze(1))

    def _importance(self, features):
        if not self.config["importance"]:
            return None
        return self.quantizer.imp_subnet(features.detach() if self.config["detach_importance"] else features)

    def _decode(self, latent):
        """Audio ``[batch, frames * hop]``. Odd rates lose some samples at the end; silence stands in for them."""
        audio = self.decoder(latent).squeeze(1)
        return F.pad(audio, (0, latent.shape[-1] * self.hop - audio.shape[-1]))

    def analyse(self, audio):
        """Codes and importance (``None`` without a subnet): see :mod:`vrvq_training.architectures`. The search is greedy, so
        what a smaller count sends is the start of what a larger one does."""
        latent, features = self._encode(audio)
        codes = self.quantizer(latent)[1].unsqueeze(-2)
        return (codes * torch.ones_like(codes).mT).tril(), self._importance(features)

    def decode(self, codes, counts):
        """Audio of codes of which frame t uses the first ``counts[t]``."""
        mask = (torch.arange(codes.shape[-1], device=codes.device) < counts.unsqueeze(-1)).float()
        return self._decode(self.quantizer.decode(codes, mask))

    def forward(self, audio, draw, beam=1):
        """A training pass, see :mod:`vrvq_training.architectures`; the search is greedy whatever ``beam`` says."""
        latent, features = self._encode(audio)
        importance = self._importance(features)
        frames = (latent.shape[0], latent.shape[-1])
        mask = draw.mask(importance, frames, audio.device)
        additions, _, commitment, codebook = self.quantizer(latent)
        quantized = (additions * mask.transpose(1, 2).unsqueeze(2)).sum(1)
        used = mask.detach()
        return {
            "target": audio,
            "audio": self._decode(quantized)[..., : audio.shape[-1]].float(),
            "importance": importance,
            "silent": self._silent(audio),
            "commitment": (commitment * used).sum(-1).mean(),
            "codebook": (codebook * used).sum(-1).mean(),
        }

    def _silent(self, audio):
        hops = F.pad(audio, (0, -audio.shape[-1] % self.hop)).unflatten(-1, (-1, self.hop))
        return (hops.square().sum(-1) < 1e-10).float()


def load_checkpoint(path, config):
    """A :class:`DacModel` with the weights of a public checkpoint (of DAC, or of the authors' VRVQ), every name and shape
    checked. Raises ``ValueError`` with what differs.

    Only tensors and plain values are unpickled.
    """
    stored = torch.load(path, map_location="cpu", weights_only=True)
    weights = stored.get("state_dict", stored)
    model = DacModel(config)
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise ValueError(f"{path} isn't a model of this configuration: {error}") from error
    return model.eval()
