"""Operating points of a model on held-out items: variable against constant bitrate, with all that is counted.

Points are kept item by item, so that what comes of them has a spread, and in a file, since measuring takes many minutes.
"""

import hashlib
import json
import pathlib
import sys

import numpy as np
import torch

from . import evaluate, metrics
from .datasets import KINDS
from .quantizer import count

LEVELS = (4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32)
COUNTS = tuple(range(1, 9))

# The adaptive model of the counts in a .vrvq file (src/codec/entropy/counts.rs), whose ideal code length is taken here.
START = (96, 24, 6, 2)
STEP = 32


def adaptive_bits(counts, codebooks=8):
    """Ideal length in bits of ``counts`` ``[frames]`` under the adaptive model of the file format, one channel.

    Contexts are the count before and whether the last two rose or fell; all start anew, so what learning costs is in it.
    """
    start = [START[min(distance, len(START) - 1)] for distance in range(codebooks)]
    rows, bits = {}, 0.0
    for frame, n in enumerate(counts):
        last = counts[frame - 1] if frame else 1
        moved = None if frame < 2 else int(np.sign(int(last) - int(counts[frame - 2])))
        row = rows.setdefault((int(last), moved), np.array([start[abs(k + 1 - last)] for k in range(codebooks)], float))
        bits -= np.log2(row[n - 1] / row.sum())
        row[n - 1] += STEP
    return float(bits)


def rates(counts, frame_rate, variable):
    """kb/s of ``counts`` ``[frames]``: without the count, with its plain 3 bits, and with its ideal adaptive code. A
    constant count isn't sent, so all three are one."""
    codes = evaluate.CODE_BITS * float(np.mean(counts))
    extra = (0, evaluate.COUNT_BITS, adaptive_bits(counts) / len(counts)) if variable else (0, 0, 0)
    return dict(zip(("kbps_codes", "kbps", "kbps_adaptive"), ((codes + bits) * frame_rate / 1000 for bits in extra)))


def counts_at(name, codes, importance):
    """Counts ``[items, frames]`` of the point ``name``: ``n=4`` or ``l=16``."""
    mode, value = name.split("=")
    if mode == "n":
        return torch.full(codes.shape[:2], int(value))
    return count(importance, float(value), codes.shape[-1])


def measure(model, folder, path, items, visqol_items=0, split="test"):
    """``{kind: {"points": {"l=4": [row of each item]}, "importance": {...}}}``, kept in ``path`` point by point.

    What ``path`` already holds of the same model and items isn't measured again. ViSQOL takes seconds for each point and
    item, so ``visqol_items`` of them, evenly chosen, have it.
    """
    path = pathlib.Path(path)
    weights = hashlib.sha256(b"".join(t.detach().numpy().tobytes() for t in model.state_dict().values())).hexdigest()
    content = {"key": {"weights": weights, "items": items, "split": split}, "kinds": {}}
    if path.exists() and (before := json.loads(path.read_text()))["key"] == content["key"]:
        content = before
    path.parent.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        _measure_kind(model, folder, kind, content["kinds"].setdefault(kind, {"points": {}}), content["key"], visqol_items,
                      lambda: _write(path, content))
    return content["kinds"]


def _write(path, content):
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)


@torch.no_grad()
def _measure_kind(model, folder, kind, part, key, visqol_items, save):
    """Adds what is missing in ``part`` to it."""
    points, items = part["points"], key["items"]
    heard = np.linspace(0, items - 1, min(visqol_items, items)).round().astype(int).tolist()
    whole = lambda name: name in points and all("visqol" in points[name][item] for item in heard)
    names = [f"n={n}" for n in COUNTS] + ([f"l={level}" for level in LEVELS] if part.get("importance", True) else [])
    if all(map(whole, names)):
        return
    audio = evaluate.items(folder, kind, items, key["split"])
    codes, importance = evaluate.encode(model, audio)
    part["importance"] = None if importance is None else spikiness(importance)
    frame_rate = model.config["sample_rate"] / model.hop
    for name in names:
        if whole(name) or (importance is None and name.startswith("l")):
            continue
        used = counts_at(name, codes, importance)
        if name not in points:
            points[name] = evaluate.scores(model, audio, codes, used, kind, extra=("stft",))
            for row, own in zip(points[name], used.numpy()):
                row |= rates(own, frame_rate, name.startswith("l"))
        missing = [item for item in heard if "visqol" not in points[name][item]]
        if missing:
            decoded = model.decode(codes[missing], used[missing]).numpy()[:, model.delay :]
            for item, output in zip(missing, decoded):
                points[name][item]["visqol"] = metrics.visqol(audio[item, : len(output)], output)
        save()
        print(f"{kind} {name}: SI-SDR {mean(points[name], 'si_sdr'):.2f} dB", file=sys.stderr, flush=True)


def spikiness(importance):
    """How uneven a map is: ``[items, frames]`` to mean, standard deviation, and what level 26 makes of it."""
    counts = count(importance, 26.0, 8).float()
    return {
        "mean": float(importance.mean()), "std": float(importance.std()), "mean_count_26": float(counts.mean()),
        "full_26": float((counts == 8).float().mean()), "one_26": float((counts == 1).float().mean()),
    }


def mean(rows, key):
    """Mean of ``key`` over the rows that have it; ``None`` where none has."""
    values = [row[key] for row in rows if key in row]
    return float(np.mean(values)) if values else None
