"""Two architectures behind one interface, chosen by ``architecture`` in the ``[model]`` table.

``live`` (:class:`~vrvq_training.model.LiveModel`): small and causal, what the app ships. ``dac``
(:class:`~vrvq_training.dac.DacModel`): the paper's.

Both have ``config``, ``hop``, ``delay`` (samples by which decoded sound is late), and

- ``analyse(audio [batch, samples])`` -> codes for every count ``[batch, frames, counts, codebooks]`` (see
  :func:`~vrvq_training.quantizer.for_counts`), importance ``[batch, frames]`` or ``None``;
- ``decode(codes [batch, frames, codebooks], counts [batch, frames])`` -> audio ``[batch, frames * hop]``, ``delay`` late;
- ``model(audio, draw, beam)``, a training pass: a dictionary of ``target`` and ``audio`` (aligned, ``[batch, samples]``),
  ``importance``, ``silent`` (``[batch, frames]``, 1 in digital silence), the losses ``commitment`` and ``codebook``, and,
  where the model works on spectra, ``spectra`` (target and decoded, ``[batch, frames, hop]``).
"""

from .dac import DacModel
from .model import LiveModel

ARCHITECTURES = {"live": LiveModel, "dac": DacModel}


def build(config):
    """The model of a ``[model]`` table, freshly drawn."""
    name = config.get("architecture", "live")
    if name not in ARCHITECTURES:
        raise ValueError(f"architecture {name!r} isn't one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name](config)
