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
from .quantizer import count, for_counts

LEVELS = (4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32)
COUNTS = tuple(range(1, 9))
MEASURES = ("si_sdr", "mel", "stft", "lsd", "nmr", "pesq", "estoi")  # all but ViSQOL

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


def heard_by_visqol(items, number):
    """Indices of ``number`` of ``items`` items, evenly chosen."""
    return np.linspace(0, items - 1, min(number, items)).round().astype(int).tolist()


def measure(model, folder, path, items, measures=MEASURES, visqol_items=6, split="test"):
    """``{kind: {"points": {"l=4": [row of each item]}, "importance": {...}}}``, kept in ``path`` point by point.

    What ``path`` already holds of the same model and items isn't measured again. ``measures`` are names of
    :data:`metrics.ALL`; ViSQOL takes ten seconds for each point and item, so only ``visqol_items`` of them, evenly chosen,
    have it.
    """
    path = pathlib.Path(path)
    weights = hashlib.sha256(b"".join(t.detach().numpy().tobytes() for t in model.state_dict().values())).hexdigest()
    content = {"key": {"weights": weights, "items": items, "split": split}, "kinds": {}}
    if path.exists() and (before := json.loads(path.read_text()))["key"] == content["key"]:
        content = before
    path.parent.mkdir(parents=True, exist_ok=True)
    heard = heard_by_visqol(items, visqol_items)
    for kind in KINDS:
        wanted = {m: heard if m == "visqol" else list(range(items)) for m in measures}
        wanted = {m: chosen for m, chosen in wanted.items() if kind == "speech" or m not in metrics.SPEECH}
        part = content["kinds"].setdefault(kind, {"points": {}})
        _measure_kind(model, folder, kind, part, content["key"], wanted, lambda: _write(path, content))
    return content["kinds"]


def _write(path, content):
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)


@torch.no_grad()
def _measure_kind(model, folder, kind, part, key, wanted, save):
    """Adds what is missing in ``part`` to it; ``wanted`` is the items of each measure."""
    points = part["points"]

    def missing(name):
        rows = points.get(name)
        left = {m: chosen if rows is None else [i for i in chosen if m not in rows[i]] for m, chosen in wanted.items()}
        return {m: chosen for m, chosen in left.items() if chosen}

    names = [f"n={n}" for n in COUNTS] + ([f"l={level}" for level in LEVELS] if part.get("importance", True) else [])
    if not any(map(missing, names)):
        return
    audio = evaluate.items(folder, kind, key["items"], key["split"])
    codes, importance = evaluate.encode(model, audio)
    part["importance"] = None if importance is None else spikiness(importance)
    frame_rate = model.config["sample_rate"] / model.hop
    for name in names:
        left = missing(name)
        if not left or (importance is None and name.startswith("l")):
            continue
        used = counts_at(name, codes, importance)
        rows = points.setdefault(name, [rates(own, frame_rate, name.startswith("l")) for own in used.numpy()])
        sent = for_counts(codes, used)
        groups = {}  # measures of the same items need one decoding
        for m, chosen in left.items():
            groups.setdefault(tuple(chosen), []).append(m)
        for chosen, together in groups.items():
            at = list(chosen)
            for item, figures in zip(at, evaluate.scores(model, audio[at], sent[at], used[at], kind, together)):
                rows[item] |= figures
        save()
        print(f"{kind} {name}: {', '.join(f'{m} {mean(rows, m):.3f}' for m in left)}", file=sys.stderr, flush=True)


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
