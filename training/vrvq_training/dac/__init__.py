"""The paper's architecture, with the parameter names of the authors' public models, so that their checkpoints load."""

from .model import DacModel, load_checkpoint

__all__ = ["DacModel", "load_checkpoint"]
