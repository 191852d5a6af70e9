"""Random training segments, each kind of audio as often as the others."""

import json
import pathlib
import sys

import numpy as np
import torch

from . import datasets
from .audio import excerpt
from .datasets import KINDS

TRIES = 100  # files that may fail one after another before the set counts as broken


def open_segments(data, length, seed, rate=44100, device="cpu", speeds=(1.0,)):
    """:class:`Segments` of a prepared folder, on a GPU :class:`DeviceSegments`, or :class:`FileSegments` of a TOML file that
    names data sets. ``speeds`` are those of :class:`DeviceSegments`; the others know no other than 1."""
    if pathlib.Path(data).is_file():
        return FileSegments(datasets.load(data), length, seed, rate)
    if torch.device(device).type == "cuda":
        return DeviceSegments(data, length, seed, rate, device, speeds)
    return Segments(data, length, seed, rate)


class _Augmented:
    """Gain, and silence mixed in: about one segment in eight holds digital silence (all of it, its start or its end) or
    very quiet noise, so that the importance map learns what silence is worth."""

    def batch(self, size):
        """``[size, length]`` float32; the kinds take turns."""
        return np.stack([self._augment(self._raw(i)) for i in range(size)])

    def kind(self, number):
        """The kind of item ``number`` of a batch."""
        return self.kinds[number % len(self.kinds)]

    def _augment(self, audio):
        rng, length = self.rng, self.length
        audio = audio * 10 ** (rng.uniform(-18, 6) / 20)
        peak = np.abs(audio).max()
        if peak > 1:
            audio = audio / peak
        case = rng.integers(0, 40)
        cut = rng.integers(0, length)
        if case == 0:
            audio[:] = 0
        elif case == 1:
            audio[:cut] = 0
        elif case in (2, 3):
            audio[cut:] = 0
        elif case == 4:
            audio = rng.normal(size=length).astype(np.float32) * 10 ** rng.uniform(-4.5, -3)
        return audio.astype(np.float32)


class Segments(_Augmented):
    """From the decoded files of a prepared folder."""

    def __init__(self, folder, length, seed, rate=44100):
        """``length`` is in samples. Raises ``ValueError`` where the folder was prepared at another sample rate."""
        folder = pathlib.Path(folder)
        index = folder / "index.json"
        prepared = json.loads(index.read_text()).get("sample_rate", 44100) if index.exists() else 44100
        if prepared != rate:
            raise ValueError(f"{folder} was prepared at {prepared} Hz, the model's rate is {rate} Hz")
        paths = {kind: folder / f"{kind}-train.npy" for kind in KINDS}
        self.kinds = [kind for kind, path in paths.items() if path.exists()]
        self.sources = [np.load(paths[kind], mmap_mode="r") for kind in self.kinds]
        if not self.sources:
            raise ValueError(f"{folder} holds no training audio: run `prepare` first")
        self.length = length
        self.rng = np.random.default_rng(seed)

    def _raw(self, number):
        source = self.sources[number % len(self.sources)]
        start = self.rng.integers(0, len(source) - self.length)
        return source[start : start + self.length].astype(np.float32) / 32768


class DeviceSegments(Segments):
    """The same with all of the audio, and the mixing, on ``device``: a processor couldn't cut segments as fast as a GPU
    trains on them. Each kind is there at every one of ``speeds``, resampled, which moves pitch and tempo; an item takes one
    by chance."""

    BLOCK = 1 << 20  # samples that are resampled at once

    def __init__(self, folder, length, seed, rate, device, speeds=(1.0,)):
        super().__init__(folder, length, seed, rate)
        self.device, self.speeds = torch.device(device), tuple(speeds)
        whole = [torch.from_numpy(np.array(source)).to(self.device) for source in self.sources]
        self.sources = [[self._at(source, speed) for speed in self.speeds] for source in whole]

    def _at(self, source, speed):
        """``source``, int16, played at ``speed``."""
        if speed == 1.0:
            return source
        from torchaudio.functional import resample

        parts = [resample(part / 32768, round(100 * speed), 100) for part in source.split(self.BLOCK)]
        return torch.cat([(part.clamp(-1, 1) * 32767).to(torch.int16) for part in parts])

    def batch(self, size):
        """As :meth:`Segments.batch`, a tensor on the device."""
        rng, length = self.rng, self.length
        pieces, draws = [], []
        for number in range(size):
            sources = self.sources[number % len(self.sources)]
            source = sources[rng.integers(len(sources))]
            start = rng.integers(0, len(source) - length)
            pieces.append(source[start : start + length])
            case, cut = rng.integers(0, 40), rng.integers(0, length)
            begin, end = {0: (0, 0), 1: (cut, length), 2: (0, cut), 3: (0, cut)}.get(case, (0, length))
            level = 10 ** rng.uniform(-4.5, -3) if case == 4 else 0.0
            draws.append((10 ** (rng.uniform(-18, 6) / 20), begin, end, level))
        draws = torch.tensor(draws)
        draws = draws.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else draws
        gain, begin, end, level = draws.unsqueeze(-1).unbind(1)
        audio = torch.stack(pieces).float() / 32768 * gain
        audio = audio / audio.abs().amax(-1, keepdim=True).clamp(min=1)
        at = torch.arange(length, device=self.device)
        audio = audio * ((at >= begin) & (at < end))
        return torch.where(level > 0, level * torch.randn_like(audio), audio)


class FileSegments(_Augmented):
    """Straight from the files of named data sets: kinds take turns, within a kind its sets and their files by chance.

    A file that can't be read is named once on standard error, kept in ``skipped`` and not tried again.
    """

    def __init__(self, sets, length, seed, rate):
        self.length, self.rate, self.rng = length, rate, np.random.default_rng(seed)
        self.skipped = {}
        self.sets, self.kinds = [], list(sets)
        for kind, folders in sets.items():
            found = {name: datasets.files(name, root, "train") for name, root in folders.items()}
            empty = [str(folders[name]) for name, paths in found.items() if not paths]
            if empty:
                raise ValueError(f"no training files of {kind} in {', '.join(empty)}")
            self.sets.append(list(found.values()))
        if not self.sets:
            raise ValueError("no data sets are named")

    def _raw(self, number):
        folders = self.sets[number % len(self.sets)]
        for _ in range(TRIES):
            paths = folders[self.rng.integers(len(folders))]
            path = paths[self.rng.integers(len(paths))]
            if path in self.skipped:
                continue
            try:
                return excerpt(path, self.length, self.rate, self.rng)
            except Exception as error:  # a corrupt file must not end the run
                self.skipped[path] = str(error)
                print(f"skipped {path}: {error}", file=sys.stderr, flush=True)
        raise ValueError(f"{TRIES} files one after another can't be read, the last: {path}: {self.skipped.get(path)}")
