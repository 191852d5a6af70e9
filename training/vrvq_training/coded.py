"""Training audio whose codes the program has chosen ahead.

A refined search looks at what the decoder made of the frames before, so its codes can't be found for all frames of a batch at once
(and found that way they are worse than those by the latent, RESULTS.md), and frame by frame it takes longer than the audio lasts.
A decoder that is to hear such codes while it learns is given some that were made before.
"""

import pathlib
import struct
import subprocess
import tempfile

import numpy as np
import scipy.io.wavfile

from .datasets import KINDS
from .evaluate import CODE_BITS, COUNT_BITS
from .segments import Segments

SECONDS = 20  # of one excerpt
# How the program is asked for bits, in turn: all codebooks, and levels from low to high.
ASKED = (("-c", 8), ("-l", 48), ("-l", 32), ("-c", 8), ("-l", 24), ("-l", 12), ("-c", 8), ("-l", 40), ("-l", 6))
UNUSED = -1  # in the place of a code that isn't sent


def make(folder, program, minutes, candidates, rate, hop, codebooks, seed=11):
    """Encodes ``minutes`` of each kind of the prepared ``folder`` by ``program``, the path of ``vrvq``, and writes there
    ``coded-<kind>.npy`` (int16 ``[excerpts, samples]``) and ``coded-<kind>-codes.npy`` (int16 ``[excerpts, frames, codebooks]``,
    ``UNUSED`` from each frame's count on). Gains are drawn as in training. The program's model must have the codebooks of the
    one that is to be trained."""
    folder, frames = pathlib.Path(folder), SECONDS * rate // hop
    source = Segments(folder, frames * hop, seed, rate)
    number = round(minutes * 60 / SECONDS)
    excerpts = []
    for i in range(number):
        batch = (source.batch(len(source.kinds)) * 32767).round().astype(np.int16)
        excerpts += [(kind, i, audio) for kind, audio in zip(source.kinds, batch)]
    found = {}
    for at, asked in enumerate(ASKED):
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            turn = [(kind, i, audio) for kind, i, audio in excerpts if i % len(ASKED) == at]
            for kind, i, audio in turn:
                scipy.io.wavfile.write(place / f"{kind}-{i}.wav", rate, audio)
            options = [str(part) for part in asked]
            search = ["--search", "refined", "--candidates", str(candidates)]
            wavs = [str(path) for path in sorted(place.glob("*.wav"))]
            if wavs:
                subprocess.run([program, "encode", "--quiet", "--plain", *options, *search, *wavs], check=True)
            for kind, i, _ in turn:
                found[kind, i] = read(place / f"{kind}-{i}.vrvq", codebooks)[:frames]
        print(f"{at + 1} of {len(ASKED)} settings", flush=True)
    for kind in source.kinds:
        mine = [(audio, found[kind, i]) for name, i, audio in excerpts if name == kind]
        np.save(folder / f"coded-{kind}.npy", np.stack([audio for audio, _ in mine]))
        np.save(folder / f"coded-{kind}-codes.npy", np.stack([codes for _, codes in mine]))


def read(path, codebooks):
    """Codes of a plain ``.vrvq`` file of one channel, int16 ``[frames, codebooks]`` (docs/format.md). ``ValueError`` where
    it isn't one."""
    data, at, rows = pathlib.Path(path).read_bytes(), 0, []
    while at < len(data):
        magic, kind, size = struct.unpack_from("<4scH", data, at)
        if magic != b"VRVQ":
            raise ValueError(f"{path}: no block at byte {at}")
        if kind == b"F":
            rows += _frames(data[at + 8 : at + 8 + size], codebooks, len(rows), path)
        at += size + 12
    return np.array(rows, np.int16).reshape(-1, codebooks)


def _frames(payload, codebooks, first, path):
    start, at = _varint(payload, 0)
    number, at = _varint(payload, at)
    flags, at = payload[at], at + 1
    if start != first or flags & ~(4 | 16):
        raise ValueError(f"{path}: frames of another kind (flags {flags}) or frames missing before {start}")
    constant, at = (payload[at], at + 1) if flags & 4 else (None, at)
    bits = np.unpackbits(np.frombuffer(payload, np.uint8, offset=at))
    place, rows = 0, []

    def take(width):
        nonlocal place
        place += width
        return int(bits[place - width : place] @ (1 << np.arange(width)[::-1]))

    for _ in range(number):
        count = constant or take(COUNT_BITS) + 1
        rows.append([take(CODE_BITS) for _ in range(count)] + [UNUSED] * (codebooks - count))
    return rows


def _varint(payload, at):
    value = shift = 0
    while True:
        byte, at = payload[at], at + 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


class Coded:
    """Segments of what :func:`make` wrote, as long as those of training."""

    def __init__(self, folder, frames, hop, rng):
        """``frames`` of ``hop`` samples each, drawn by ``rng``. ``FileNotFoundError`` where nothing was made."""
        folder = pathlib.Path(folder)
        paths = [folder / f"coded-{kind}.npy" for kind in KINDS if (folder / f"coded-{kind}.npy").exists()]
        if not paths:
            raise FileNotFoundError(f"{folder} holds no coded audio: run `code` first")
        self.audio = [np.load(path, mmap_mode="r") for path in paths]
        self.codes = [np.load(path.with_name(f"{path.stem}-codes.npy"), mmap_mode="r") for path in paths]
        self.frames, self.hop, self.rng = frames, hop, rng

    def batch(self, size):
        """Audio, float32 ``[size, frames * hop]``, and codes, int64 ``[size, frames, codebooks]``; the kinds take turns."""
        audio, codes = [], []
        for number in range(size):
            source, table = (each[number % len(self.audio)] for each in (self.audio, self.codes))
            excerpt = self.rng.integers(len(table))
            first = self.rng.integers(0, table.shape[1] - self.frames + 1)
            audio.append(source[excerpt, first * self.hop : (first + self.frames) * self.hop].astype(np.float32) / 32768)
            codes.append(table[excerpt, first : first + self.frames].astype(np.int64))
        return np.stack(audio), np.stack(codes)
