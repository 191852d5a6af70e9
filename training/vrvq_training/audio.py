"""Reading sound files."""

import functools
import pathlib

import numpy as np
import soundfile
import soxr


@functools.cache
def suffixes():
    """Suffixes of files that can be read here, with the dot."""
    known = {f".{name.lower()}" for name in soundfile.available_formats()}
    return frozenset(known | {".aif", ".aiff", ".oga", ".opus"})


def decode(path, rate=44100):
    """Mono float32 samples of ``path`` at ``rate``, shape ``[samples]``; raises on empty or silent files."""
    if pathlib.Path(path).suffix == ".g722":
        samples, own_rate = _telephone(path)
    else:
        samples, own_rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = mono_at(samples, own_rate, rate)
    if len(mono) < rate // 10 or not np.isfinite(mono).all() or np.abs(mono).max() < 1e-4:
        raise ValueError("empty, silent or not finite")
    return mono


def _telephone(path):
    """``[samples, 1]`` and the sample rate of a G.722 file, which libsndfile doesn't know."""
    import av

    with av.open(str(path), format="g722") as file:
        blocks = [frame.to_ndarray().ravel() for frame in file.decode(audio=0)]
        return np.concatenate(blocks)[:, None].astype(np.float32) / 32768, file.streams.audio[0].rate


def excerpt(path, length, rate, rng):
    """``[length]`` samples at ``rate`` from a random place of ``path``, padded with silence where it is shorter."""
    with soundfile.SoundFile(path) as file:
        if file.frames <= 0:
            raise ValueError("empty")
        wanted = int(np.ceil(length * file.samplerate / rate)) + 1
        file.seek(int(rng.integers(0, max(1, file.frames - wanted))))
        mono = mono_at(file.read(wanted, dtype="float32", always_2d=True), file.samplerate, rate)
    if len(mono) == 0 or not np.isfinite(mono).all():
        raise ValueError("empty or not finite")
    return np.pad(mono, (0, max(0, length - len(mono))))[:length]


def mono_at(samples, own_rate, rate):
    """``[samples, channels]`` mixed to one channel and resampled, within -1..1."""
    mono = samples.mean(axis=1)
    if own_rate != rate:
        mono = soxr.resample(mono, own_rate, rate)
    return np.clip(mono, -1, 1)
