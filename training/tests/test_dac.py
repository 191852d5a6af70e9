"""The paper's architecture: names and shapes of the public checkpoints, discriminators, and a training that runs."""

import io
import pathlib

import numpy as np
import pytest
import torch

from vrvq_training import architectures, evaluate
from vrvq_training.config import load
from vrvq_training.dac import load_checkpoint
from vrvq_training.dac.discriminator import Discriminators, discriminator_loss, generator_losses
from vrvq_training.train import Trainer

CONFIGS = pathlib.Path(__file__).parents[1] / "configs"


def small(name="dac"):
    """The configuration with few channels."""
    config = load(CONFIGS / f"{name}.toml")
    config["model"] |= {"encoder_channels": 4, "decoder_channels": 32, "codebook_size": 32}
    config["train"] |= {"batch": 3, "segment_frames": 12, "steps": 20}
    config["adversarial"] |= {"periods": [2, 3], "period_channels": [4, 8], "windows": [256], "band_channels": 4}
    return config


# What the public checkpoints hold, at 44.1 kHz: a selection that covers each kind of layer.
SHAPES = {
    "encoder.block.0.weight_v": (64, 1, 7),
    "encoder.block.1.block.2.block.1.weight_v": (64, 64, 7),
    "encoder.block.4.block.3.alpha": (1, 512, 1),
    "encoder.block.4.block.4.weight_v": (1024, 512, 16),
    "encoder.block.6.weight_g": (1024, 1, 1),
    "quantizer.quantizers.7.in_proj.weight_v": (8, 1024, 1),
    "quantizer.quantizers.7.out_proj.bias": (1024,),
    "quantizer.quantizers.7.codebook.weight": (1024, 8),
    "quantizer.imp_subnet.in_block.1.weight_v": (1024, 1024, 3),
    "quantizer.imp_subnet.blocks.0.1.weight_v": (512, 1024, 3),
    "quantizer.imp_subnet.blocks.4.1.weight_v": (1, 8, 3),
    "decoder.model.0.weight_v": (1536, 1024, 7),
    "decoder.model.1.block.1.weight_v": (1536, 768, 16),
    "decoder.model.4.block.4.block.3.bias": (96,),
    "decoder.model.6.weight_v": (1, 96, 7),
}


def test_names_and_shapes_are_those_of_the_public_checkpoints():
    with torch.device("meta"):
        state = architectures.build(load(CONFIGS / "dac.toml")["model"]).state_dict()
    assert len(state) == 318
    assert {name: tuple(state[name].shape) for name in SHAPES} == SHAPES


@pytest.mark.parametrize("name", ["dac", "dac-cbr", "dac-16k", "dac-24k"])
def test_sound_comes_back_aligned_at_every_rate(name):
    model = architectures.build(small(name)["model"]).eval()
    audio = torch.randn(2, 10 * model.hop)
    codes, importance = evaluate.encode(model, audio.numpy())
    codebooks = model.config["codebooks"]
    assert codes.shape == (2, 10, codebooks, codebooks)
    # A greedy search: with fewer codebooks the same codes.
    assert torch.equal(codes[:, :, 2, :3], codes[:, :, -1, :3]) and not codes[:, :, 2, 3:].any()
    assert (importance is None) == (name == "dac-cbr")
    with torch.no_grad():
        decoded = model.decode(codes[:, :, 2], torch.full((2, 10), 3))
    assert decoded.shape == audio.shape and decoded.abs().max() <= 1


def test_a_checkpoint_loads_strictly(tmp_path):
    config = small()["model"]
    model = architectures.build(config)
    torch.save({"state_dict": model.state_dict(), "metadata": {"kwargs": {}}}, tmp_path / "weights.pth")
    again = load_checkpoint(tmp_path / "weights.pth", config)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))
    with pytest.raises(ValueError, match="(?s)weights.pth.*imp_subnet"):
        load_checkpoint(tmp_path / "weights.pth", config | {"importance": False})


def test_discriminators_of_the_paper_have_their_shapes():
    parts = Discriminators(load(CONFIGS / "dac.toml")["adversarial"])
    with torch.no_grad():
        maps = parts(torch.randn(2, 16384))
    assert len(maps) == 8
    assert [len(part) for part in maps] == [6] * 5 + [26] * 3
    for period, part in zip((2, 3, 5, 7, 11), maps):
        assert part[0].shape == (2, 32, -(-(-(-16384 // period)) // 3), period) and part[-1].shape[1] == 1
    for window, part in zip((2048, 1024, 512), maps[5:]):
        assert part[0].shape == (2, 32, 16384 // (window // 4) + 1, int((window // 2 + 1) * 0.1))
    assert float(discriminator_loss(maps, maps)) > 0
    assert float(generator_losses(maps, maps)[1]) == 0


@pytest.mark.parametrize("name", ["dac", "dac-cbr"])
def test_training_runs_and_resumes_exactly(name, audio_folder):
    config = small(name)
    trainer = Trainer(config, audio_folder)
    for _ in range(2):
        figures = trainer.step()
    assert {"mel_sum", "adversarial", "feature_matching", "discriminator", "commitment", "codebook"} <= set(figures)
    assert figures["beta"] == config["rate"]["beta"]
    file = io.BytesIO()
    torch.save(trainer.state(), file)
    expected = [trainer.step() for _ in range(2)]
    file.seek(0)
    other = Trainer(config, audio_folder)
    other.restore(torch.load(file, weights_only=False))
    assert [other.step() for _ in range(2)] == expected


def test_loss_falls(audio_folder):
    config = small()
    config["rate"]["full_share"] = 1.0
    config["train"]["learning_rate"] = 2e-3
    trainer = Trainer(config, audio_folder)
    batch = trainer.segments.batch(3)
    trainer.segments.batch = lambda size: batch
    losses = [trainer.step()["mel_sum"] for _ in range(25)]
    assert np.mean(losses[-5:]) < 0.9 * losses[0]


def test_a_detached_importance_leaves_the_encoder_alone():
    for detached in (False, True):
        model = architectures.build(small()["model"] | {"detach_importance": detached})
        model.analyse(torch.randn(1, 8 * model.hop))[1].sum().backward()
        assert (model.encoder.block[0].weight_v.grad is None) == detached
