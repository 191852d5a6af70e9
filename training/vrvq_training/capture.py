"""A training step's gradients as a CUDA graph.

A step of the live model is some thousand small kernels, which a processor launches more slowly than a GPU runs them.
Captured once and replayed, they cost one launch. What is captured must not depend on values (shapes, branches) nor draw on
the processor: optimizers, learning rate and the drawing of a batch stay outside.
"""

import torch

from . import parallel
from .losses import MEL_SCALES

EAGER_STEPS = 3  # before the capture: caches and plans come to be


def capturable(config, device):
    """Whether steps of this configuration can be replayed: on one GPU, without discriminators (their optimizer steps in
    between), and with all mel scales (else some are drawn for each step); and not where codes are given."""
    loss = config["loss"]
    scales = not loss.get("mel") or loss["mel_scales"] >= len(MEL_SCALES)
    plain = not loss.get("adversarial") and not config["train"].get("coded")
    return device.type == "cuda" and parallel.size() == 1 and plain and scales


class Captured:
    """``gradients(audio, draw, beam)`` of ``model``, replayed after the first steps; another beam is captured anew.

    The gradients stay where they are, in memory that each replay overwrites: nobody may set them to ``None``.
    """

    def __init__(self, gradients, model):
        self.gradients, self.model = gradients, model
        self.steps, self.beam, self.graph = 0, None, None

    def __call__(self, audio, draw, beam):
        """As ``gradients``; the figures are overwritten by the next call."""
        if beam != self.beam:
            self.steps, self.beam, self.graph = 0, beam, None
        self.steps += 1
        if self.graph is None:
            self.model.zero_grad(set_to_none=True)
            if self.steps <= EAGER_STEPS:
                return self.gradients(audio, draw, beam)
            self._capture(audio, draw)
        self.audio.copy_(audio)
        self.draw.copy_(draw)
        self.graph.replay()
        return self.figures

    def _capture(self, audio, draw):
        self.audio, self.draw = audio.clone(), draw
        self.graph = torch.cuda.CUDAGraph()
        # Recording runs nothing.
        with torch.cuda.graph(self.graph, stream=torch.cuda.current_stream()):
            self.figures = self.gradients(self.audio, self.draw, self.beam)
