"""Small models and synthetic audio, so that the tests take seconds."""

import pathlib
import sys

import numpy as np
import pytest
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
torch.set_num_threads(1)

from vrvq_training import train  # noqa: E402
from vrvq_training.config import load  # noqa: E402


@pytest.fixture
def config():
    config = load(pathlib.Path(__file__).parents[1] / "configs" / "live.toml")
    config["model"] |= {
        "width": 32, "encoder_blocks": 2, "decoder_blocks": 2, "codebook_size": 64, "shape_dims": 24, "importance_hidden": 8,
        "postfilter_channels": 4, "postfilter_bins": 100, "postfilter_past": 3, "postfilter_taps": 2, "postfilter_layers": 1,
    }
    config["init"] |= {"frames": 3600, "kmeans_iterations": 3}
    config["train"] |= {"batch": 6, "steps": 40, "warmup_steps": 1}
    return config


@pytest.fixture
def audio_folder(tmp_path):
    """Harmonic tones, noise bursts and clicks as the three kinds."""
    rng, count = np.random.default_rng(0), 44100 * 6
    time = np.arange(count) / 44100
    tone = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 9)) * (0.3 + 0.2 * np.sin(2 * np.pi * 3 * time))
    noise = rng.normal(size=count) * (np.sin(2 * np.pi * 2 * time) > 0)
    clicks = np.where(rng.random(count) < 1e-3, 3.0, 0.0)
    for kind, samples in zip(("speech", "music", "general"), (tone, noise, clicks)):
        for split in ("train", "test"):
            np.save(tmp_path / f"{kind}-{split}.npy", (samples * 6000).clip(-32768, 32767).astype(np.int16))
    return tmp_path


@pytest.fixture
def trainer(config, audio_folder):
    """One that stands at the linear codec."""
    trainer = train.Trainer(config, audio_folder)
    trainer.initialise()
    return trainer
