"""Analysis by synthesis: of the best codes that the search finds for a frame, those that sound nearest are sent.

What the search counts is the latent's error; what is heard is what the decoder makes of it, with the frames before. So
each frame's candidates are decoded from the state that the chosen codes before it left, and the one of least cost is sent.
It needs nothing of the decoder's side. The program does the same (``src/model/synthesis.rs``).

The cost is the logarithm of the squared error of the MDCT, weighted half-way between plain and what masks it, plus a share
of how far the levels of auditory bands are off. The error alone, at few codebooks, favours what is too quiet (RESULTS.md).
"""

import numpy as np
import torch
import torch.nn.functional as F

from . import export, losses

DENSITY, EXPONENT = 0.5, 0.3  # of the weight by auditory bands, and of the envelope's power
LEVELS = (0.03, 0.05)  # share of the levels in the cost: at one codebook, and at more
BANDS = 20
FLOOR = 1e-7  # power below which nothing is told apart


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


@torch.no_grad()
def choose(model, audio, counts, number):
    """Codes ``[items, frames, codebooks]`` of ``audio`` ``[items, samples]`` where frame t uses ``counts[t]``, each the best
    of ``number`` candidates; of more than the beam the beam is as wide."""
    import onnxruntime  # which training itself doesn't need

    latent, _ = model.encode(audio)
    table = model.quantizer.encode_all(latent, max(model.config["beam"], number), number)
    index = (counts - 1)[..., None, None, None].expand(*counts.shape, 1, *table.shape[-2:])
    candidates = table.gather(2, index).squeeze(2).numpy()  # [items, frames, number, codebooks]
    target, rate = model.spectrum(audio), model.config["sample_rate"]
    weight, target, bands = weights(target, rate).numpy(), target.numpy(), _bands(model.hop, rate)
    levels = lambda spectrum: np.log(spectrum**2 @ bands + FLOOR)
    share = np.where(counts.numpy() > 1, LEVELS[1], LEVELS[0])
    graph, size = export.decoder(model, spectrum=True)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    items, frames = counts.shape
    state = np.zeros((items, size), np.float32)
    chosen = np.zeros((items, frames, candidates.shape[-1]), np.int64)
    rows = np.arange(items)
    for t in range(frames):
        inputs = {
            "codes": candidates[:, t].reshape(items * number, 1, -1),
            "count": np.repeat(counts[:, t].numpy(), number)[:, None],
            "state": np.repeat(state, number, 0),
        }
        after, spectrum = session.run(["next_state", "spectrum"], inputs)
        spectrum, wanted = spectrum.reshape(items, number, -1), target[:, t, None]
        error = ((spectrum - wanted) ** 2 * weight[:, t, None]).sum(-1)
        off = ((levels(spectrum) - levels(wanted)) ** 2).mean(-1)
        best = (np.log(error + 1e-12) + share[:, t, None] * off).argmin(-1)
        chosen[:, t] = candidates[rows, t, best]
        state = after[rows * number + best]
    return torch.from_numpy(chosen)
