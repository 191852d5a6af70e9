"""Reads a model file back into PyTorch, so that it can be evaluated, and trained on without its checkpoint."""

import json
import zipfile

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from . import export
from .graph import Graph
from .model import LiveModel


SUFFIX = ".vrvqmodel"


class NotThisModel(ValueError):
    """The file isn't a model of the given configuration."""


class _Reader(Graph):
    """Walks the export's way through the model; where the export stores a tensor, this fills it from the file."""

    def __init__(self, path, stored):
        super().__init__()
        self.path, self.stored, self.filled = path, stored, set()

    def weight(self, tensor):
        name = f"weight_{len(self.initializers)}"
        if name not in self.stored:
            raise NotThisModel(f"{self.path} holds no {name} (of shape {list(tensor.shape)})")
        array = self.stored[name]
        if tensor.ndim == 0 and array.shape == (1,):  # the export has no tensors without dimensions
            array = array.reshape(())
        if array.shape != tuple(tensor.shape):
            raise NotThisModel(f"{self.path}: {name} has shape {list(array.shape)}, expected {list(tensor.shape)}")
        # Views (rows, transposes) of a parameter write through to it.
        tensor.detach().copy_(torch.from_numpy(array.astype(np.float32)))
        self.filled.add(name)
        return super().weight(tensor)

    def constant(self, value, dtype=np.float32):
        name = super().constant(value, dtype)
        array = np.asarray(value, dtype=dtype)
        if not np.array_equal(self.stored.get(name), array):
            raise NotThisModel(f"{self.path}: {name} is {self.stored.get(name)}, expected {array}")
        return name

    def model(self, *_):
        unused = {name for name in self.stored if name.startswith("weight_")} - self.filled
        if unused:
            raise NotThisModel(f"{self.path} holds {len(unused)} tensors more than the configuration has")


def card(path):
    """The card of a model file."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("card.json"))


def read(path, config=None):
    """The :class:`LiveModel` in ``path``, equal to what :func:`export.rounded` gave for it; and its card.

    ``config`` is the ``[model]`` table it was built by, needed for files whose card doesn't hold it. Raises
    :class:`NotThisModel` where shapes or constants differ.
    """
    details = card(path)
    config = details.get("config", config)
    if config is None:
        raise NotThisModel(f"the card of {path} holds no configuration: name the one it was trained by")
    model = LiveModel(config)
    with zipfile.ZipFile(path) as archive:
        for part, walk in (("encoder", export.encoder), ("decoder", export.decoder)):
            graph = onnx.load_from_string(archive.read(f"{part}.onnx")).graph
            stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
            walk(model, _Reader(f"{part}.onnx in {path}", stored))
    return model.eval(), details
