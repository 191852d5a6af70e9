"""Initial values that make the untrained model a working linear codec: weighting, PCA and residual k-means."""

import numpy as np
import torch

from .losses import erb_density
from .model import compand
from .segments import open_segments


def kmeans(points, entries, iterations, generator):
    """Lloyd's algorithm on ``[points, dims]``; empty clusters are re-seeded from random points."""
    book = points[torch.randperm(len(points), generator=generator)[:entries]].clone()
    for _ in range(iterations):
        codes = nearest(points, book)
        sums = torch.zeros_like(book).index_add_(0, codes, points)
        sizes = torch.bincount(codes, minlength=entries).unsqueeze(-1)
        book = torch.where(sizes > 0, sums / sizes.clamp(min=1), book)
        empty = (sizes.squeeze(-1) == 0).nonzero().squeeze(-1)
        if len(empty):
            book[empty] = points[torch.randperm(len(points), generator=generator)[: len(empty)]]
    return book


def nearest(points, book):
    """Index of the nearest entry for each point, in chunks: ``[points]``."""
    half = 0.5 * book.square().sum(-1)
    return torch.cat([(chunk @ book.T - half).argmax(-1) for chunk in points.split(8192)])


@torch.no_grad()
def initialise(model, folder, config, seed):
    """Sets the model's buffers, linear paths and codebooks from random training segments."""
    hop, frames = model.hop, config["frames"]
    generator = torch.Generator().manual_seed(seed)
    rate = model.config["sample_rate"]
    segments = open_segments(folder, hop * 60, seed, rate)
    audio = torch.from_numpy(np.concatenate([segments.batch(30) for _ in range(max(1, frames // 1800))]))
    spectrum = model.spectrum(audio).reshape(-1, hop)
    sounding = spectrum[spectrum.square().sum(-1) > 1e-6]
    rms = compand(sounding, model.config["companding"]).square().mean(0).sqrt()
    kernel = torch.ones(1, 1, 9) / 9
    rms = torch.nn.functional.conv1d(torch.nn.functional.pad(rms[None, None], (4, 4), mode="replicate"), kernel)[0, 0]
    rms = rms.clamp(min=float(rms.max()) * 1e-3)
    weighting = rms ** -model.config["weighting_exponent"]
    weighting = weighting * erb_density(hop, rate) ** model.config["density_exponent"]
    model.weighting.copy_((weighting * 2.5 / weighting.mean()).half().float())
    shape, gain = model.features(sounding)
    model.gain_mean.copy_(gain.mean().half().float())
    covariance = (shape.T @ shape / len(shape)).double()
    basis = torch.linalg.eigh(covariance)[1].flip(-1)[:, : model.config["shape_dims"]].float()
    model.analysis.copy_(basis)
    model.synthesis.copy_(basis.T)
    latent = torch.cat([gain - model.gain_mean, shape @ basis], -1)
    silent = int(len(latent) * config["silent_share"])
    nothing = torch.zeros(silent, latent.shape[-1])
    nothing[:, 0] = -model.gain_mean
    residual = torch.cat([latent, nothing])
    for book in model.quantizer.codebooks:
        book.copy_(kmeans(residual, book.shape[0], config["kmeans_iterations"], generator))
        residual = residual - book[nearest(residual, book)]
        print(f"codebook residual {float(residual.square().sum(-1).mean()):.4f}", flush=True)
