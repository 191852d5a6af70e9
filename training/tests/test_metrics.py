"""Figures of merit against those of other implementations."""

import pathlib

import numpy as np
import pytest
import soundfile
from vrvq_training import metrics
from vrvq_training.masking import noise_to_mask

CLIP = pathlib.Path(__file__).parents[2] / "assets" / "demo.flac"


def test_the_noise_to_mask_ratio_is_that_of_gstpeaq():
    """Total NMRB of GstPEAQ 0.6.1, which knows 48 kHz only, of the same samples; the program's test has the same figures."""
    clip = soundfile.read(CLIP, dtype="float32", always_2d=True)[0][100_000:130_001, 0]
    echo = 0.9 * clip + 0.1 * np.roll(clip, 100)
    assert noise_to_mask(clip, echo, 48_000) == pytest.approx(-15.3888, abs=0.01)
    assert noise_to_mask(clip, np.round(clip * 64) / 64, 48_000) == pytest.approx(23.1582, abs=0.01)
    assert noise_to_mask(clip, clip, 48_000) == -100


def test_the_log_spectral_distance_counts_levels():
    clip = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    assert metrics.lsd(clip, clip) == 0
    assert metrics.lsd(clip, clip / 2) == pytest.approx(6.02, abs=0.01)
    assert metrics.lsd(np.zeros_like(clip), 1e-9 * clip) == 0, "what is too quiet is nothing"
