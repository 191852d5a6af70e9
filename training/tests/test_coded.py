"""Codes that the program chose ahead: read from its file, given to the decoder in training."""

import pathlib

import numpy as np
import pytest
import soundfile
import torch

from vrvq_training import coded, evaluate, restore
from vrvq_training.config import load
from vrvq_training.train import Trainer

ROOT = pathlib.Path(__file__).parents[2]
# One second of the bundled clip from its third on, as one channel: `vrvq encode --plain -l 20`.
FILE = pathlib.Path(__file__).with_name("plain.vrvq")


def test_a_file_of_the_program_sounds_like_what_it_was_made_of():
    codes = coded.read(FILE, 8)
    counts = (codes >= 0).sum(-1)
    assert codes.shape == (88, 8) and counts.min() == 2 and counts.max() == 8
    assert all((row[:count] >= 0).all() for row, count in zip(codes, counts))
    audio, rate = soundfile.read(ROOT / "assets" / "demo.flac", dtype="float32")
    audio = audio.mean(-1)[2 * rate : 3 * rate]
    model, _ = restore.read(ROOT / "assets" / "live.vrvqmodel")
    audio = np.pad(audio, (0, 88 * model.hop - len(audio)))[None]
    sent = torch.from_numpy(codes.astype(np.int64))[None].clamp(min=0)
    (figures,) = evaluate.scores(model, audio, sent, torch.from_numpy(counts)[None], "music", ("si_sdr",))
    assert figures["si_sdr"] > 5


@pytest.mark.parametrize("broken", [b"RIFF" + bytes(60), None])
def test_what_is_no_plain_file_is_named(tmp_path, broken):
    path = tmp_path / "other.vrvq"
    data = bytearray(FILE.read_bytes())
    # The flags of the first block of frames, behind its head and two numbers; as if it were entropy-coded.
    data[data.index(b"VRVQF") + 8 + 2] |= 1
    path.write_bytes(broken or data)
    with pytest.raises(ValueError, match="other.vrvq"):
        coded.read(path, 8)


@pytest.fixture
def given(config, audio_folder):
    """Coded audio of 80 frames of each kind whose first five codes are all 3."""
    hop = config["model"]["hop"]
    codes = np.full((1, 80, 8), coded.UNUSED, np.int16)
    codes[..., :5] = 3
    for kind in ("speech", "music", "general"):
        np.save(audio_folder / f"coded-{kind}.npy", np.load(audio_folder / f"{kind}-train.npy")[None, : 80 * hop])
        np.save(audio_folder / f"coded-{kind}-codes.npy", codes)
    config["train"] |= {"coded": 3, "segment_frames": 60, "lead_frames": 16, "frozen": ["analysis", "encoder", "quantizer", "importance"]}
    config["loss"]["commitment"] = 0.0
    return Trainer(config, audio_folder)


def test_the_first_of_a_batch_are_decoded_from_the_codes_given(given):
    given.initialise()
    seen = {}
    given.model.register_forward_hook(lambda _, inputs, out: seen.update(audio=out["audio"].detach(), into=inputs[0]))
    before = given.model.decoder_out.weight.clone()
    given.step()
    assert not torch.equal(before, given.model.decoder_out.weight)
    codes, counts = torch.full((1, 60, 8), 3), torch.full((1, 60), 5)
    expected = given.average.decode(codes, counts)[:, given.model.hop :]
    whole = seen["audio"]
    assert whole.shape[0] == 6
    # The average moved by the step, a little.
    for item in (0, 1, 2):
        assert (whole[item] - expected[0]).norm() < 0.1 * expected.norm()
    assert (whole[3] - expected[0]).norm() > 0.5 * expected.norm()


def test_what_comes_before_the_lead_is_over_does_not_count(given):
    given.segments.batch = lambda size: np.zeros((size, 60 * 512), np.float32)
    lost = {}
    for frame in (3, 40):
        ahead = np.zeros((3, 60, 512), np.float32)
        ahead[:, frame] = 0.5
        given.coded.batch = lambda size: (ahead.reshape(3, -1), np.full((3, 60, 8), coded.UNUSED))
        given.model.load_state_dict(given.average.state_dict())
        lost[frame] = float(given.step()["error"])
    assert lost[3] < 1e-3 < lost[40]


def test_without_coded_audio_it_says_what_to_run(config, audio_folder):
    config["train"]["coded"] = 3
    with pytest.raises(FileNotFoundError, match="run `code` first"):
        Trainer(config, audio_folder)


def test_other_architectures_are_refused(audio_folder):
    config = load(ROOT / "training" / "configs" / "dac.toml")
    config["model"] |= {"encoder_dim": 8, "decoder_dim": 32}
    config["train"]["coded"] = 3
    with pytest.raises(ValueError, match="`live` only"):
        Trainer(config, audio_folder)
