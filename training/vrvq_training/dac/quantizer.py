"""Residual vector quantization in factorised dimensions, and the importance subnet. Tensors are ``[batch, channels,
frames]`` inside, as in the public checkpoints."""

import torch
import torch.nn.functional as F
from torch import nn

from .layers import Snake, conv

SUBNET_CHANNELS = (512, 128, 32, 8, 1)


class VectorQuantizer(nn.Module):
    """One codebook: project to few dimensions, take the entry of the nearest direction, project back."""

    def __init__(self, latent, entries, dims):
        super().__init__()
        self.in_proj = conv(latent, dims, 1)
        self.out_proj = conv(dims, latent, 1)
        self.codebook = nn.Embedding(entries, dims)

    def search(self, projected):
        """Codes ``[batch, frames]`` of projected latents: the entry of largest cosine."""
        points = F.normalize(projected.float(), dim=1).transpose(1, 2)
        book = F.normalize(self.codebook.weight.float(), dim=1)
        return (points @ book.T).argmax(-1)

    def entry(self, codes):
        """The un-normalised entries ``[batch, dims, frames]`` of codes."""
        return self.codebook(codes).transpose(1, 2)

    def forward(self, residual):
        """What the codebook adds, its codes, and the commitment and codebook losses of each frame ``[batch, frames]``."""
        projected = self.in_proj(residual)
        codes = self.search(projected)
        chosen = self.entry(codes)
        commitment = (projected - chosen.detach()).square().mean(1)
        codebook = (chosen - projected.detach()).square().mean(1)
        straight = projected + (chosen - projected).detach()
        return self.out_proj(straight), codes, commitment, codebook


class ImportanceSubnet(nn.Module):
    """One value in (0, 1) a frame from the encoder's features (paper, section 2.2)."""

    def __init__(self, features, channels):
        super().__init__()
        self.in_block = nn.Sequential(Snake(features), conv(features, channels, 3, padding=1))
        widths = (channels, *SUBNET_CHANNELS)
        self.blocks = nn.ModuleList(
            nn.Sequential(Snake(a), conv(a, b, 3, padding=1)) for a, b in zip(widths, widths[1:])
        )

    def forward(self, features):
        """Importance ``[batch, frames]`` of features ``[batch, channels, frames]``."""
        x = self.in_block(features)
        for block in self.blocks:
            x = block(x)
        return torch.sigmoid(x.float()).squeeze(1)


class ResidualQuantizer(nn.Module):
    """Codebooks one after another, each on what the earlier ones left, and the importance subnet beside them."""

    def __init__(self, latent, codebooks, entries, dims, importance):
        super().__init__()
        self.quantizers = nn.ModuleList(VectorQuantizer(latent, entries, dims) for _ in range(codebooks))
        if importance:
            self.imp_subnet = ImportanceSubnet(latent, latent)

    def forward(self, latent):
        """All codebooks: additions ``[batch, codebooks, channels, frames]``, codes ``[batch, frames, codebooks]``, and
        the two losses of each frame and codebook ``[batch, frames, codebooks]``."""
        residual, parts = latent, []
        for quantizer in self.quantizers:
            part = quantizer(residual)
            residual = residual - part[0]
            parts.append(part)
        additions, codes, commitment, codebook = zip(*parts)
        return torch.stack(additions, 1), *(torch.stack(x, -1) for x in (codes, commitment, codebook))

    def decode(self, codes, mask):
        """Sum of what the used codebooks add, ``[batch, channels, frames]``; both ``[batch, frames, codebooks]``."""
        total = 0.0
        for k, quantizer in enumerate(self.quantizers):
            total = total + quantizer.out_proj(quantizer.entry(codes[..., k])) * mask[..., k].unsqueeze(1)
        return total
