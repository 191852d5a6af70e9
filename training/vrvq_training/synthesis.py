"""Analysis by synthesis: of the best codes that the search finds for a frame, those that sound nearest are sent.

What the search counts is the latent's error; what is heard is what the decoder makes of it, with the frames before. So
each frame's candidates are decoded from the state that the chosen codes before it left, and the one of least cost is sent.
It needs nothing of the decoder's side. The program does the same (``src/model/synthesis/mod.rs``).

The cost is the logarithm of the squared error of the MDCT, weighted half-way between plain and what masks it, plus a share
of how far the levels of auditory bands are off. The error alone, at few codebooks, favours what is too quiet (RESULTS.md).

Where there is time, the search is refined. What the encoder's latent can't know is what the codes before left to make good,
and what the decoder's network adds to them. So candidates are searched near where the cost is least if the
decoder is taken for linear at the best codes so far: its last steps are known, and what its network adds is taken as it is there.
"""

import numpy as np
import torch
import torch.nn.functional as F

from . import export, losses

DENSITY, EXPONENT = 0.5, 0.3  # of the weight by auditory bands, and of the envelope's power
LEVELS = (0.03, 0.05)  # share of the levels in the cost: at one codebook, and at more
BANDS = 20
FLOOR = 1e-7  # power below which nothing is told apart
TRUST = 1.0  # weight of Euclid's metric and of the encoder's latent beside the decoder's slopes
LEVEL_TRUST = 0.2  # weight of the levels there
KEPT = 0.8  # share of a change of the shape that the decoder's network leaves
WIDTH, WIDEST = 4, 64  # beam of the search near the goal: for each candidate, and at most


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

    def __init__(self, model):
        import onnxruntime  # which training itself doesn't need

        graph, self.size = export.decoder(model, spectrum=True)
        self.session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])

    def __call__(self, state, **inputs):
        """State and spectrum ``[rows, hop]`` after one hop of ``inputs`` from ``state``."""
        after, spectrum = self.session.run(["next_state", "spectrum"], inputs | {"state": state})
        return after, spectrum[:, 0]


def slopes(model, spectrum):
    """How a decoded spectrum ``[hop]`` changes with each dimension of the latent, ``[dims, hop]``, what the network adds taken
    for constant but for its answer to the shape: the gain scales all of it, and a dimension of the shape adds its row of
    ``synthesis`` at the gain of now, of which the network leaves ``KEPT``."""
    exponent = model.config["companding"]
    size = spectrum.abs() ** exponent * model.weighting
    stretch = KEPT * size.norm() * spectrum.abs() ** (1 - exponent) / (exponent * model.weighting)
    return torch.cat([spectrum[None] / exponent, model.synthesis * stretch])


class _Goal:
    """Where the cost of a frame is least if the decoder is linear near the best codes so far: a step of Gauss and Newton's method
    (``src/model/synthesis/goal.rs``)."""

    def __init__(self, model, beam):
        self.model, self.books, self.beam = model, model.quantizer.codebooks, beam

    def candidates(self, codes, here, target, latent, weight, bands, number):
        """Codes ``[number, n]``, for one frame: ``codes`` ``[n]`` are decoded to ``here`` ``[hop]``, which is to be ``target``;
        the encoder's latent is ``latent``."""
        here, target, bands = (torch.from_numpy(x) for x in (here, target, bands))
        sum_ = self.books[torch.arange(len(codes)), torch.from_numpy(codes)].sum(0)
        slope, root = slopes(self.model, here), torch.from_numpy(weight).sqrt()
        missing = (target - here) * root
        power = here.square() @ bands + FLOOR
        share = LEVELS[1] if len(codes) > 1 else LEVELS[0]
        level_root = (LEVEL_TRUST * share / bands.shape[1] * missing.square().sum()).sqrt()
        levels = (target.square() @ bands + FLOOR).log() - power.log()
        missing = torch.cat([missing, levels * level_root])
        slope = torch.cat([slope * root, 2 * (slope * here) @ bands / power * level_root], 1)
        metric = slope @ slope.T
        scale = metric.trace() / len(sum_) + torch.finfo(metric.dtype).tiny
        metric = metric / scale + TRUST * torch.eye(len(sum_))
        factor = torch.linalg.cholesky(metric)
        step = slope @ missing / scale + TRUST * (latent - sum_)
        goal = sum_ + torch.cholesky_solve(step[:, None], factor)[:, 0]
        found = self._search(goal, self.books[: len(codes)])
        sums = self.books[torch.arange(len(codes)), found].sum(1)
        order = ((sums - goal) @ factor).square().sum(-1).argsort()
        return found[order[:number]].numpy()

    def _search(self, goal, books):
        residual, cost, codes = goal[None], torch.zeros(1), torch.zeros(1, 0, dtype=torch.long)
        for book in books:
            costs = (cost[:, None] + 0.5 * book.square().sum(-1) - residual @ book.T).flatten()
            chosen = costs.topk(min(self.beam, len(costs)), largest=False).indices
            parent, code = chosen // len(book), chosen % len(book)
            cost, residual = costs[chosen], residual[parent] - book[code]
            codes = torch.cat([codes[parent], code[:, None]], -1)
        return codes


@torch.no_grad()
def choose(model, audio, counts, number, rounds=0):
    """Codes ``[items, frames, codebooks]`` of ``audio`` ``[items, samples]`` where frame t uses ``counts[t]``, each the best
    of ``number`` candidates by the latent; of more than the beam the beam is as wide. With ``rounds`` frames of more than one
    codebook choose among the best so far and what is near the goal that it makes, as often, first from the best by the latent."""
    latent, _ = model.encode(audio)
    table = model.quantizer.encode_all(latent, max(model.config["beam"], number), number)
    index = (counts - 1)[..., None, None, None].expand(*counts.shape, 1, *table.shape[-2:])
    candidates = table.gather(2, index).squeeze(2).numpy()  # [items, frames, number, codebooks]
    target, rate = model.spectrum(audio), model.config["sample_rate"]
    weight, target, bands = weights(target, rate).numpy(), target.numpy(), _bands(model.hop, rate)
    levels = lambda spectrum: np.log(spectrum**2 @ bands + FLOOR)
    share = np.where(counts.numpy() > 1, LEVELS[1], LEVELS[0])
    decoder, goal = _Decoder(model), _Goal(model, min(WIDTH * number, WIDEST))
    items, frames = counts.shape
    state = np.zeros((items, decoder.size), np.float32)
    chosen = np.zeros((items, frames, candidates.shape[-1]), np.int64)
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

        codes, after, here = best_of(candidates[:, t, :1] if rounds else candidates[:, t])
        for _ in range(rounds):
            more = candidates[:, t].copy()
            for item, n in enumerate(used):
                if n > 1:
                    more[item] = codes[item]
                    arguments = here[item], target[item, t], latent[item, t], weight[item, t]
                    found = goal.candidates(codes[item, :n], *arguments, bands, number - 1)
                    more[item, 1 : len(found) + 1, :n] = found
            codes, after, here = best_of(more)
        chosen[:, t], state = codes, after
    return torch.from_numpy(chosen)
