"""Opus and Codec2 on the held-out items, by their own command-line tools (Debian: opus-tools, codec2)."""

import pathlib
import shutil
import subprocess
import tempfile

import numpy as np
import soundfile
import soxr

from . import evaluate, metrics, operating
from .datasets import KINDS

OPUS_KBPS = 7
CODEC2_MODE = "3200"


def opus(audio, folder):
    """``audio`` through Opus, and the bytes of the file it made."""
    source, coded, decoded = (str(folder / name) for name in ("in.wav", "coded.opus", "out.wav"))
    soundfile.write(source, audio, metrics.SAMPLE_RATE)
    subprocess.run(["opusenc", "--quiet", "--bitrate", str(OPUS_KBPS), source, coded], check=True)
    subprocess.run(["opusdec", "--quiet", "--rate", str(metrics.SAMPLE_RATE), coded, decoded], check=True)
    return soundfile.read(decoded, dtype="float32")[0], pathlib.Path(coded).stat().st_size


def codec2(audio, folder):
    """``audio`` through Codec2 (8 kHz), and the bytes of the file it made."""
    source, coded, decoded = (str(folder / name) for name in ("in.raw", "coded.c2", "out.raw"))
    narrow = np.clip(soxr.resample(audio, metrics.SAMPLE_RATE, 8000), -1, 1)
    (narrow * 32767).astype("<i2").tofile(source)
    subprocess.run(["c2enc", CODEC2_MODE, source, coded], check=True, capture_output=True)
    subprocess.run(["c2dec", CODEC2_MODE, coded, decoded], check=True, capture_output=True)
    wide = soxr.resample(np.fromfile(decoded, "<i2").astype(np.float32) / 32768, 8000, metrics.SAMPLE_RATE)
    return wide, pathlib.Path(coded).stat().st_size


MEASURES = ("si_sdr", "mel", "pesq", "estoi")


def table(folder, number, split, kinds=KINDS, measures=MEASURES, visqol_items=6):
    """As :func:`evaluate.table`, with a codec in place of an operating point; kb/s by size of the file. ``measures`` are
    names of :data:`metrics.ALL`; ViSQOL hears the same ``visqol_items`` items as in :func:`operating.measure`."""
    heard = operating.heard_by_visqol(number, visqol_items)
    codecs = {"Opus": ("opusenc", opus, kinds), f"Codec2 {CODEC2_MODE}": ("c2enc", codec2, ("speech",))}
    result = {kind: {} for kind in kinds}
    for name, (tool, run, which) in codecs.items():
        if not shutil.which(tool):
            print(f"{name} is left out: {tool} isn't installed")
            continue
        for kind in [kind for kind in kinds if kind in which]:
            rows = []
            for index, audio in enumerate(evaluate.items(folder, kind, number, split)):
                with tempfile.TemporaryDirectory() as work:
                    decoded, size = run(audio, pathlib.Path(work))
                decoded = np.pad(decoded[: len(audio)], (0, max(0, len(audio) - len(decoded))))
                row = {"kbps": size * 8 / 1000 / (len(audio) / metrics.SAMPLE_RATE)}
                wanted = [m for m in measures if kind == "speech" or m not in metrics.SPEECH]
                wanted = [m for m in wanted if m != "visqol" or index in heard]
                rows.append(row | {m: metrics.ALL[m](audio, decoded) for m in wanted})
            taken = dict.fromkeys(key for row in rows for key in row)
            result[kind][name] = {key: operating.mean(rows, key) for key in taken}
    return result
