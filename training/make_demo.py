"""Builds ``assets/demo.flac`` from CC0 samples of the sonic-pi-samples package: 16 s, stereo, 44.1 kHz.

Choir, guitar, one second of digital silence, drums, a full loop, percussion: tonal, noisy and silent parts for the
importance map to tell apart. Usage: ``python make_demo.py FOLDER_OF_SAMPLES OUTPUT``.
"""

import pathlib
import sys

import numpy as np
import soundfile
import soxr

RATE = 44100
# name, start and length in seconds, peak
PARTS = [
    ("ambi_choir", 0.0, 1.5, 0.5),
    ("guit_em9", 0.2, 4.0, 0.6),
    (None, 0.0, 1.0, 0.0),
    ("loop_amen", 0.0, 1.75, 0.8),
    ("loop_mika", 0.0, 4.0, 0.6),
    ("loop_compus", 0.0, 3.75, 0.6),
]


def part(folder, name, start, length, peak):
    """Stereo ``[length, 2]`` with 10 ms fades."""
    count = int(length * RATE)
    if name is None:
        return np.zeros((count, 2))
    samples, rate = soundfile.read(folder / f"{name}.flac", always_2d=True)
    samples = soxr.resample(samples, rate, RATE) if rate != RATE else samples
    samples = np.repeat(samples, 2, 1) if samples.shape[1] == 1 else samples
    samples = samples[int(start * RATE) :][:count]
    samples = np.pad(samples, ((0, count - len(samples)), (0, 0)))
    ramp = np.minimum(1, np.arange(count) / (0.01 * RATE))
    return samples / np.abs(samples).max() * peak * (ramp * ramp[::-1])[:, None]


if __name__ == "__main__":
    folder, output = map(pathlib.Path, sys.argv[1:])
    soundfile.write(output, np.concatenate([part(folder, *p) for p in PARTS]), RATE, subtype="PCM_16")
