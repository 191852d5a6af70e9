"""Held-out figures: constant counts and levels against bitrate, by kind of audio; silence; use of the codebooks."""

import pathlib

import numpy as np
import torch

from . import metrics, synthesis
from .datasets import KINDS
from .quantizer import count, for_counts

ITEM_SECONDS = 8
COUNT_BITS, CODE_BITS = 3, 10


def items(folder, kind, number, split="test"):
    """``number`` held-out items of 8 s, spread evenly over the file of ``split``: ``[number, samples]``, each a hop whole."""
    source = np.load(pathlib.Path(folder) / f"{kind}-{split}.npy", mmap_mode="r")
    length = min(ITEM_SECONDS * metrics.SAMPLE_RATE, len(source)) // 512 * 512
    starts = np.linspace(0, len(source) - length, number).astype(int)
    return np.stack([source[s : s + length].astype(np.float32) / 32768 for s in starts])


@torch.no_grad()
def encode(model, audio):
    """Codes for every count and importance of ``[items, samples]``; the importance is ``None`` where the model has none."""
    return model.analyse(torch.from_numpy(audio))


def kilobits(counts, frame_rate):
    """Mean kb/s of ``counts`` with the bits of the count."""
    return float((COUNT_BITS + CODE_BITS * counts.double()).mean()) * frame_rate / 1000


@torch.no_grad()
def scores(model, audio, codes, counts, kind, measures=("si_sdr", "mel", *metrics.SPEECH)):
    """Each item's figures at one operating point: ``measures`` by their names in :data:`metrics.ALL`; ``codes`` are those
    that are sent."""
    decoded = model.decode(codes, counts).numpy()[:, model.delay :]
    names = [name for name in measures if kind == "speech" or name not in metrics.SPEECH]
    return [
        {name: float(metrics.ALL[name](target, output)) for name in names}
        for target, output in zip(audio[:, : decoded.shape[-1]], decoded)
    ]


def means(rows):
    """Mean of each figure over items."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def table(model, folder, number=12, counts=(1, 2, 4, 8), levels=(4, 8, 16, 32), kinds=KINDS, split="test", candidates=1, rounds=0):
    """All operating points: ``{kind: {"n=8": {...}, "l=16": {...}}}``; with ``candidates`` codes are chosen of so many by
    :mod:`vrvq_training.synthesis`, refined in so many ``rounds``."""
    result = {}
    for kind in kinds:
        audio = items(folder, kind, number, split)
        codes, importance = encode(model, audio)
        points = {f"n={n}": torch.full(codes.shape[:2], n) for n in counts}
        if importance is not None:
            points |= {f"l={level}": count(importance, level, codes.shape[-1]) for level in levels}
        rate = model.config["sample_rate"] / model.hop
        result[kind] = {}
        for name, used in points.items():
            if candidates > 1:
                sent = synthesis.choose(model, torch.from_numpy(audio), used, candidates, rounds)
            else:
                sent = for_counts(codes, used)
            result[kind][name] = {"kbps": kilobits(used, rate)} | means(scores(model, audio, sent, used, kind))
        if importance is not None:
            result[kind]["importance"] = {"mean": float(importance.mean()), "std": float(importance.std())}
    return result


@torch.no_grad()
def silence(model, folder, seconds=10, level=48.0):
    """Share of frames at one codebook in digital silence at ``level``: from the start, and after speech."""
    hops = int(seconds * 44100 / model.hop)
    from_start = torch.zeros(1, hops * model.hop)
    speech = torch.from_numpy(items(folder, "speech", 4))
    after = torch.cat([speech, torch.zeros(4, hops * model.hop)], 1)
    first = count(model.analyse(from_start)[1], level, 8)
    later = count(model.analyse(after)[1][:, -hops:], level, 8)
    return {"from start": float((first == 1).float().mean()), "after speech": float((later == 1).float().mean())}


@torch.no_grad()
def codebook_use(model, folder, number=24):
    """Share of the entries of each codebook that the held-out items use at least once."""
    used = [set() for _ in range(model.config["codebooks"])]
    for kind in KINDS:
        codes, _ = encode(model, items(folder, kind, number))
        for k, seen in enumerate(used):
            seen.update(codes[..., -1, k].flatten().tolist())
    return [len(seen) / model.config["codebook_size"] for seen in used]


COLUMNS = {
    "si_sdr": ("SI-SDR dB", 2), "mel": ("log-mel", 3), "stft": ("STFT", 3), "lsd": ("LSD dB", 2), "nmr": ("NMR dB", 2),
    "pesq": ("PESQ-wb", 2), "estoi": ("ESTOI", 3),
    "visqol": ("ViSQOL", 2),
}


def markdown(result):
    """The table of :func:`table` as Markdown, with a column for each measure that was taken."""
    rows = [(kind, name, row) for kind, points in result.items() for name, row in points.items() if name != "importance"]
    taken = {key: column for key, column in COLUMNS.items() if any(key in row for *_, row in rows)}
    lines = [
        "| " + " | ".join(["kind", "point", "kb/s", *(title for title, _ in taken.values())]) + " |",
        "|---" * (3 + len(taken)) + "|",
    ]
    for kind, name, row in rows:
        figures = [f"{row[key]:.{digits}f}" if key in row else "–" for key, (_, digits) in taken.items()]
        lines.append("| " + " | ".join([kind, name, f"{row['kbps']:.2f}", *figures]) + " |")
    return "\n".join(lines)
