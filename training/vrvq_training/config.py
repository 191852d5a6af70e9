"""Configuration files: TOML, every number of a training run."""

import pathlib
import tomllib


def load(path):
    """A configuration as nested dictionaries. ``base`` names a file beside it that it changes."""
    path = pathlib.Path(path)
    changes = tomllib.loads(path.read_text())
    base = changes.pop("base", None)
    return _merged(load(path.parent / base), changes) if base else changes


def _merged(base, changes):
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = _merged(base[key], value) if both else value
    return result
