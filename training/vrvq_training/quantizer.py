"""Residual vector quantization and the importance mask (paper, sections 2 and 3)."""

import torch
import torch.nn.functional as F
from torch import nn

from . import parallel

SURROGATE = "smooth"
CHUNK = {"cpu": 2048, "cuda": 16384}  # frames that are searched at once


def surrogate(x, alpha):
    """Smooth step f_alpha(x) of the paper: 0 far below 0, 1 far above, in a form that doesn't overflow.

    ``ln(cosh(a)/cosh(b))`` is ``|a| - |b| + ln1p(e^-2|a|) - ln1p(e^-2|b|)``.
    """
    a, b = (alpha * (x + 0.5)).abs(), (alpha * (x - 0.5)).abs()
    log_ratio = a - b + torch.log1p(torch.exp(-2 * a)) - torch.log1p(torch.exp(-2 * b))
    return log_ratio / (2 * alpha) + 0.5


def importance_mask(importance, level, codebooks, alpha=2.0, estimator=SURROGATE):
    """Mask of used codebooks, ``[..., codebooks]`` of 0 and 1, for ``importance`` ``[...]`` and ``level`` (broadcast).

    Codebook k is used where ``level * importance >= k``. Backward, either the derivative of the smooth step
    (``smooth``) or that of an identity on the scaled importance (``straight-through``, the baseline).
    """
    x = (level * importance).unsqueeze(-1) - torch.arange(codebooks, device=importance.device)
    hard = (x >= 0).to(x.dtype)
    soft = surrogate(x, alpha) if estimator == SURROGATE else x
    # The first codebook is always used, so nothing can be learned from its mask.
    gradient = (soft - soft.detach()) * (torch.arange(codebooks, device=x.device) > 0)
    return hard + gradient


def count(importance, level, codebooks):
    """Number of codebooks n = min(floor(level * importance) + 1, codebooks)."""
    return torch.clamp(torch.floor(level * importance).long() + 1, max=codebooks)


def for_counts(codes, counts):
    """Of codes for every count, ``[batch, frames, counts, codebooks]``, those that are sent where frame t uses
    ``counts[t]``: ``[batch, frames, codebooks]``."""
    index = (counts - 1)[..., None, None].expand(*counts.shape, 1, codes.shape[-1])
    return codes.gather(-2, index).squeeze(-2)


class ResidualQuantizer(nn.Module):
    """Codebooks ``[codebooks, entries, dims]``, searched by Euclidean distance with a beam of partial sums.

    The entries follow the encoder as running means of what they are chosen for (counting only used codebooks). Moved
    by gradients, as the paper does it, they fell behind a pre-initialised encoder here: in 400 steps the residuals
    grew tenfold. What an entry follows is the latent less the earlier entries, which is best where it is the last one used;
    with ``joint``, less all other used ones, which is best for all codebooks together.
    """

    joint = False
    held = False  # the entries don't follow

    def __init__(self, codebooks, entries, dims, decay=0.99):
        super().__init__()
        self.decay = decay
        self.register_buffer("codebooks", torch.randn(codebooks, entries, dims) * 0.1)
        self.register_buffer("sizes", torch.ones(codebooks, entries))

    @torch.no_grad()
    def follow(self, targets, codes, mask):
        """Moves the entries towards ``targets`` ``[batch, frames, codebooks, dims]``; unused ones are planted anew."""
        for k, book in enumerate(self.codebooks):
            # Shapes that don't depend on the values, so that nothing waits for a GPU.
            used, points, code = mask[..., k].flatten(), targets[..., k, :].flatten(0, 1), codes[..., k].flatten()
            hits = parallel.total(torch.zeros_like(self.sizes[k]).index_add_(0, code, used))
            sums = parallel.total(torch.zeros_like(book).index_add_(0, code, points * used.unsqueeze(-1)))
            old = self.sizes[k] * self.decay
            new = old + hits * (1 - self.decay)
            moved = (book * old.unsqueeze(-1) + sums * (1 - self.decay)) / new.clamp(min=1e-6).unsqueeze(-1)
            chosen = torch.randint(len(points), (len(book),), device=points.device)
            planted = parallel.from_first(points[chosen])
            dead = (new < 0.02) & (parallel.from_first(used[chosen]) > 0)
            book.copy_(torch.where(dead.unsqueeze(-1), planted, moved))
            self.sizes[k].copy_(torch.where(dead, 0.2, new))

    @torch.no_grad()
    def encode(self, latent, beam=1, counts=None):
        """Codes ``[batch, frames, codebooks]`` of ``latent`` ``[batch, frames, dims]``; no gradient.

        With ``beam`` partial sums carried from codebook to codebook; 1 takes the nearest entry each time. What is best of
        them after some codebooks needn't be the start of what is best after more: where ``counts`` ``[batch, frames]`` are
        given, the first of a frame's codes are best for its count, and the others go on from there.
        """
        counts = None if counts is None else counts.flatten()
        codes = self._in_chunks(latent, lambda part, at: self._search(part, beam, None if counts is None else counts[at])[0])
        return codes.unflatten(0, latent.shape[:-1])

    @torch.no_grad()
    def encode_all(self, latent, beam=1, number=None):
        """Codes for every count, ``[batch, frames, counts, codebooks]``: row n - 1 is sent by a frame that uses n codebooks.
        Later codes of a row are 0. With ``number`` not the best alone but so many, at most ``beam``, the best first:
        ``[batch, frames, counts, number, codebooks]``."""
        codes = self._in_chunks(latent, lambda part, _: self._search(part, beam, number=number or 1)[1])
        return (codes if number else codes.squeeze(2)).unflatten(0, latent.shape[:-1])

    def _in_chunks(self, latent, search):
        with torch.autocast(latent.device.type, enabled=False):
            points = latent.detach().float().flatten(0, -2)
            chunk = CHUNK[points.device.type]
            return torch.cat([search(points[at : at + chunk], slice(at, at + chunk)) for at in range(0, len(points), chunk)])

    def _search(self, points, beam, counts=None, number=1):
        """Codes ``[points, codebooks]``, and the best after each codebook, ``[points, counts, number, codebooks]``."""
        residual, cost = points.unsqueeze(1), torch.zeros(len(points), 1, device=points.device)
        codes = torch.zeros(len(points), 1, 0, dtype=torch.long, device=points.device)
        pick = lambda x, parent: torch.gather(x, 1, parent.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
        best = []
        for stage, book in enumerate(self.codebooks):
            costs = cost.unsqueeze(-1) + 0.5 * book.square().sum(-1) - residual @ book.T
            width = min(number if stage + 1 == len(self.codebooks) else beam, costs[0].numel())
            costs = costs.flatten(1)
            if width == 1:
                chosen = costs.argmin(-1, keepdim=True)
            else:
                chosen = costs.topk(width, largest=False).indices
            cost = costs.gather(1, chosen)
            parent, code = chosen // len(book), chosen % len(book)
            residual = pick(residual, parent) - book[code]
            codes = torch.cat([pick(codes, parent), code.unsqueeze(-1)], -1)
            best.append(F.pad(codes[:, :number], (0, len(self.codebooks) - stage - 1)))
            if counts is not None:
                # Where the frame's codes are complete only the best partial sum is carried on; it comes first.
                others = torch.arange(width, device=points.device) > 0
                cost = cost.masked_fill((counts == stage + 1).unsqueeze(-1) & others, torch.inf)
        return codes[:, 0], torch.stack(best, 1)

    def entries(self, codes):
        """The chosen entries, ``[batch, frames, codebooks, dims]``."""
        return torch.stack([book[codes[..., k]] for k, book in enumerate(self.codebooks)], -2)

    def decode(self, codes, mask):
        """Sum of the used entries: ``[batch, frames, dims]``; ``mask`` is ``[batch, frames, codebooks]``."""
        return (self.entries(codes) * mask.unsqueeze(-1)).sum(-2)

    def forward(self, latent, mask, beam=1):
        """Quantized latent with gradients to encoder and mask, its codes and the commitment loss.

        The loss is the squared error summed over dimensions, averaged over the used codebooks of all frames. While
        training, the entries follow.
        """
        latent = latent.float()
        hard = mask.detach()
        codes = self.encode(latent, beam, hard.sum(-1))
        fixed = self.entries(codes).clone()
        value = (fixed * hard.unsqueeze(-1)).sum(-2)
        through_mask = (fixed * (mask - hard).unsqueeze(-1)).sum(-2)
        quantized = latent + (value - latent).detach() + through_mask
        # What each stage was asked to code: the latent less all earlier entries.
        targets = latent.unsqueeze(-2) - (torch.cumsum(fixed, -2) - fixed)
        commitment = ((targets - fixed).square().sum(-1) * hard).sum() / hard.sum().clamp(min=1)
        if self.training and not self.held:
            followed = (latent - value).unsqueeze(-2) + fixed if self.joint else targets
            self.follow(followed.detach(), codes, hard)
        return quantized, codes, commitment
