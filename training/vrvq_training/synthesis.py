"""Analysis by synthesis: of the best codes that the search finds for a frame, those whose decoded spectrum is nearest.

What the search counts is the latent's error; what is heard is what the decoder makes of it, with the frames before. So
each frame's candidates are decoded from the state that the chosen codes before it left, and the one is sent whose
spectrum has the least error, weighted half-way between plain and what masks it. It needs nothing of the decoder's side.
A lead: the program doesn't do it yet (RESULTS.md).
"""

import numpy as np
import torch

from . import export, losses

DENSITY, EXPONENT = 0.5, 0.3  # of the weight by auditory bands, and of the envelope's power


def weights(spectrum, rate):
    """Weight of the squared error of each bin: ``[items, frames, hop]`` of an MDCT of that shape; nothing of it comes from
    later frames."""
    smooth = losses.envelope(spectrum.square(), 0.15, 2) + 1e-7
    smooth = torch.cat([smooth[:, :1], smooth[:, :-1]], 1)  # its mean over three frames ends with this one
    return smooth**-EXPONENT * losses.erb_density(spectrum.shape[-1], rate) ** DENSITY


@torch.no_grad()
def choose(model, audio, counts, number):
    """Codes ``[items, frames, codebooks]`` of ``audio`` ``[items, samples]`` where frame t uses ``counts[t]``, each the best
    of ``number`` candidates; raises ``ValueError`` where the model's search doesn't keep so many."""
    import onnxruntime  # which training itself doesn't need

    kept = model.config.get("beam", 1)
    if number > kept:
        raise ValueError(f"{number} candidates are asked for, the model's search keeps {kept}")
    latent, _ = model.encode(audio)
    table = model.quantizer.encode_all(latent, model.config["beam"], number)
    index = (counts - 1)[..., None, None, None].expand(*counts.shape, 1, *table.shape[-2:])
    candidates = table.gather(2, index).squeeze(2).numpy()  # [items, frames, number, codebooks]
    target = model.spectrum(audio)
    weight, target = weights(target, model.config["sample_rate"]).numpy(), target.numpy()
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
        error = (spectrum.reshape(items, number, -1) - target[:, t, None]) ** 2 * weight[:, t, None]
        best = error.sum(-1).argmin(-1)
        chosen[:, t] = candidates[rows, t, best]
        state = after[rows * number + best]
    return torch.from_numpy(chosen)
