"""Analysis by synthesis: of the best codes that the search finds for a frame, those that sound nearest are sent.

What the search counts is the latent's error; what is heard is what the decoder makes of it, with the frames before. So
each frame's candidates are decoded from the state that the chosen codes before it left, and the one of least cost is sent.
It needs nothing of the decoder's side. The program does the same (``src/model/synthesis/mod.rs``).

The cost is the logarithm of the squared error of the MDCT, weighted half-way between plain and what masks it, plus a share
of how far the levels of auditory bands are off. The error alone, at few codebooks, favours what is too quiet (RESULTS.md).
Where there is time, the search is refined by how the decoder answers to small changes of its latent.
"""

import numpy as np
import torch
import torch.nn.functional as F

from . import export, losses

DENSITY, EXPONENT = 0.5, 0.3  # of the weight by auditory bands, and of the envelope's power
LEVELS = (0.03, 0.05)  # share of the levels in the cost: at one codebook, and at more
BANDS = 20
FLOOR = 1e-7  # power below which nothing is told apart
TRUST = 2.0  # weight of Euclid's metric and of the encoder's latent beside what the decoder answers, where the search is refined
CHANGE = 0.01  # of a dimension, whose answer is looked at
WIDEST = 64  # beam of that search


def weights(spectrum, rate):
    """Weight of the squared error of each bin: ``[items, frames, hop]`` of an MDCT of that shape; nothing of it comes from
    later frames."""
    past = F.pad(losses.smooth(spectrum.square(), 0.15, 2).transpose(1, 2), (2, 0), mode="replicate")
    envelope = F.avg_pool1d(past, 3, 1).transpose(1, 2)
    return (envelope + FLOOR) ** -EXPONENT * losses.erb_density(spectrum.shape[-1], rate) ** DENSITY


def _bands(hop, rate):
    """Which bins are in which of the bands, ``[hop, BANDS]``: each as wide in auditory bands as the others."""
    reached = losses.erb_density(hop, rate).double().cumsum(0)
    band = (reached / reached[-1] * BANDS).long().clamp(max=BANDS - 1)
    bands = F.one_hot(band, BANDS).float()
    return bands[:, bands.sum(0) > 0].numpy()


class _Decoder:
    """The exported decoder, of which the spectrum is looked at."""

    def __init__(self, model, by_latent=False):
        import onnxruntime  # which training itself doesn't need

        graph, self.size = export.decoder(model, spectrum=True, by_latent=by_latent)
        self.session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])

    def __call__(self, state, **inputs):
        """State and spectrum ``[rows, hop]`` after one hop of ``inputs`` from ``state``."""
        after, spectrum = self.session.run(["next_state", "spectrum"], inputs | {"state": state})
        return after, spectrum[:, 0]


class _Refinement:
    """The search in the metric of what the decoder answers to small changes, near the best codes so far: a step of Gauss and
    Newton's method (``src/model/synthesis/refine.rs``)."""

    def __init__(self, model):
        self.decoder = _Decoder(model, by_latent=True)
        self.books = model.quantizer.codebooks

    def candidates(self, codes, here, state, target, latent, weight, number):
        """Codes ``[number, n]``, for one frame: ``codes`` ``[n]`` from ``state`` are decoded to ``here`` ``[hop]``, which is to be
        ``target``; the encoder's latent is ``latent``."""
        dims = len(latent)
        sum_ = self.books[torch.arange(len(codes)), torch.from_numpy(codes)].sum(0)
        changed = (sum_ + CHANGE * torch.eye(dims)).unsqueeze(1).numpy()
        _, answers = self.decoder(np.repeat(state[None], dims, 0), latent=changed)
        root = np.sqrt(weight)
        slopes = torch.from_numpy((answers - here) / CHANGE * root)  # [dims, hop]
        missing = torch.from_numpy((target - here) * root)
        metric = slopes @ slopes.T
        scale = metric.trace() / dims + torch.finfo(metric.dtype).tiny
        metric = metric / scale + TRUST * torch.eye(dims)
        step = slopes @ missing / scale + TRUST * (latent - sum_)
        factor = torch.linalg.cholesky(metric)
        goal = sum_ + torch.cholesky_solve(step[:, None], factor)[:, 0]
        return self._search(goal @ factor, self.books[: len(codes)] @ factor, number)

    @staticmethod
    def _search(goal, books, number):
        residual, cost, codes = goal[None], torch.zeros(1), torch.zeros(1, 0, dtype=torch.long)
        for stage, book in enumerate(books):
            costs = (cost[:, None] + 0.5 * book.square().sum(-1) - residual @ book.T).flatten()
            width = min(number if stage + 1 == len(books) else WIDEST, len(costs))
            chosen = costs.topk(width, largest=False).indices
            parent, code = chosen // len(book), chosen % len(book)
            cost, residual = costs[chosen], residual[parent] - book[code]
            codes = torch.cat([codes[parent], code[:, None]], -1)
        return codes.numpy()


@torch.no_grad()
def choose(model, audio, counts, number, refine=False):
    """Codes ``[items, frames, codebooks]`` of ``audio`` ``[items, samples]`` where frame t uses ``counts[t]``, each the best
    of ``number`` candidates; of more than the beam the beam is as wide. With ``refine`` as many more are searched for near the
    best of them."""
    latent, _ = model.encode(audio)
    table = model.quantizer.encode_all(latent, max(model.config["beam"], number), number)
    index = (counts - 1)[..., None, None, None].expand(*counts.shape, 1, *table.shape[-2:])
    candidates = table.gather(2, index).squeeze(2).numpy()  # [items, frames, number, codebooks]
    target, rate = model.spectrum(audio), model.config["sample_rate"]
    weight, target, bands = weights(target, rate).numpy(), target.numpy(), _bands(model.hop, rate)
    levels = lambda spectrum: np.log(spectrum**2 @ bands + FLOOR)
    share = np.where(counts.numpy() > 1, LEVELS[1], LEVELS[0])
    decoder, refinement = _Decoder(model), _Refinement(model) if refine else None
    (items, frames), codebooks = counts.shape, candidates.shape[-1]
    state = np.zeros((items, decoder.size), np.float32)
    chosen = np.zeros((items, frames, codebooks), np.int64)
    for t in range(frames):
        used = counts[:, t].numpy()

        def best_of(codes):
            """Of ``codes`` ``[items, rows, codebooks]`` the best of each item, and the state and spectrum after it."""
            rows = codes.shape[1]
            flat = {"codes": codes.reshape(items * rows, 1, -1), "count": np.repeat(used, rows)[:, None]}
            after, spectrum = decoder(np.repeat(state, rows, 0), **flat)
            spectrum, wanted = spectrum.reshape(items, rows, -1), target[:, t, None]
            error = ((spectrum - wanted) ** 2 * weight[:, t, None]).sum(-1)
            off = ((levels(spectrum) - levels(wanted)) ** 2).mean(-1)
            best = (np.log(error + 1e-12) + share[:, t, None] * off).argmin(-1)
            at = np.arange(items)
            return codes[at, best], after[at * rows + best], spectrum[at, best]

        codes, after, here = best_of(candidates[:, t])
        if refine:
            more = np.zeros((items, number + 1, codebooks), np.int64)
            more[:, 0] = codes
            for item, n in enumerate(used):
                found = refinement.candidates(
                    codes[item, :n], here[item], state[item], target[item, t], latent[item, t], weight[item, t], number
                )
                more[item, 1 : len(found) + 1, :n] = found
            codes, after, _ = best_of(more)
        chosen[:, t], state = codes, after
    return torch.from_numpy(chosen)
