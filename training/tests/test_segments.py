"""Segments that are cut and mixed on the training's device."""

import numpy as np
import pytest
import torch

from vrvq_training.segments import DeviceSegments, Segments


def test_device_segments_repeat_and_hold_silence(audio_folder):
    first, second = (DeviceSegments(audio_folder, 4096, 3, 44100, "cpu") for _ in range(2))
    torch.manual_seed(0)
    batch = torch.cat([first.batch(60) for _ in range(8)])
    torch.manual_seed(0)
    assert torch.equal(batch, torch.cat([second.batch(60) for _ in range(8)]))
    assert batch.shape == (480, 4096) and batch.dtype == torch.float32 and batch.abs().max() <= 1
    assert [first.kind(i) for i in range(4)] == ["speech", "music", "general", "speech"]
    # About one in eight is silent somewhere or next to it; the tone never is by itself.
    tones = batch[::3]
    longest = tones.unfold(1, 32, 32).abs().amax(-1) == 0
    quiet = (tones.abs().amax(-1) > 0) & (tones.abs().amax(-1) < 0.01)
    silent = (longest.any(-1) | quiet).float().mean()
    assert 0.05 < silent < 0.25


def test_a_faster_tone_is_a_higher_one(audio_folder):
    plain = DeviceSegments(audio_folder, 16384, 0, 44100, "cpu")
    fast = DeviceSegments(audio_folder, 16384, 0, 44100, "cpu", speeds=(1.16,))
    pitch = lambda samples: int(np.abs(np.fft.rfft(samples.float().numpy() * np.hanning(len(samples)))).argmax())
    source, moved = plain.sources[0][0], fast.sources[0][0]
    assert len(moved) == pytest.approx(len(source) / 1.16, abs=16)
    assert pitch(moved[:65536]) == pytest.approx(1.16 * pitch(source[:65536]), abs=2)


def test_on_a_processor_the_numpy_way_is_taken(audio_folder):
    from vrvq_training.segments import open_segments

    assert type(open_segments(audio_folder, 4096, 0)) is Segments
