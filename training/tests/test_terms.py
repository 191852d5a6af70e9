"""Terms of the loss on real audio."""

import pathlib

import pytest
import torch

from vrvq_training import terms
from vrvq_training.audio import decode

CLIP = pathlib.Path(__file__).parents[2] / "assets" / "demo.flac"


def test_pesq_has_a_gradient_where_a_segment_ends_in_silence():
    pytest.importorskip("torch_pesq", reason="needs ../requirements.txt")
    length = 64 * 512
    # Places and ends found by a search: these had none.
    clip, places = torch.from_numpy(decode(CLIP)), [(474034, 22522), (337798, 16779), (58969, 17479)]
    target = torch.stack([clip[start : start + length].clone() for start, _ in places])
    for segment, (_, end) in zip(target, places):
        segment[end:] = 0
    decoded = (0.9 * target).requires_grad_()
    out = {"target": target, "audio": decoded, "speech": torch.arange(len(places))}
    terms.TERMS["pesq"](out, {}, 44100).backward()
    assert torch.isfinite(decoded.grad).all()
    assert (decoded.grad.abs().amax(-1) > 0).all()


def test_pesq_filters_by_convolution_are_the_recursive_ones():
    torch_pesq = pytest.importorskip("torch_pesq", reason="needs ../requirements.txt")
    distance = torch_pesq.PesqLoss(1.0, sample_rate=44100)
    signal = torch.from_numpy(decode(CLIP, 16000))[None, 16000:80000]
    for response in (distance.power_filter, distance.pre_filter):
        expected = torch_pesq.loss.lfilter(signal.double(), response[1].double(), response[0].double(), clamp=False)
        error = terms.filtered(signal, response[1], response[0]) - expected
        assert error.abs().max() < 1e-4 * expected.abs().max()


def test_pesq_of_what_does_not_sound_counts_nothing():
    pytest.importorskip("torch_pesq", reason="needs ../requirements.txt")
    target = torch.from_numpy(decode(CLIP))[None, : 64 * 512].repeat(3, 1)
    target[1] = 0
    decoded = (0.9 * target + 0.01 * torch.randn_like(target)).requires_grad_()
    out = {"target": target, "audio": decoded, "speech": torch.tensor([0, 1])}
    terms.TERMS["pesq"](out, {}, 44100).backward()
    moved = decoded.grad.abs().amax(-1) > 0
    assert moved.tolist() == [True, False, False]
