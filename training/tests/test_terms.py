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
    out = {"target": target, "audio": decoded, "speech": torch.ones(len(places), dtype=torch.bool)}
    terms.TERMS["pesq"](out, {}, 44100).backward()
    assert torch.isfinite(decoded.grad).all()
    assert (decoded.grad.abs().amax(-1) > 0).all()
