"""A model file read back is the model that was exported; what isn't one is refused with its reason."""

import json
import pathlib

import pytest
import soundfile
import torch

from vrvq_training import evaluate, export, restore, train
from vrvq_training.config import load
from vrvq_training.model import LiveModel
from vrvq_training.quantizer import count, for_counts

ROOT = pathlib.Path(__file__).parents[2]
SHIPPED = ROOT / "assets" / "live.vrvqmodel"


def test_a_file_gives_back_every_weight(config, tmp_path):
    torch.manual_seed(3)
    model = LiveModel(config["model"])
    for tensor in list(model.parameters()) + list(model.buffers()):
        tensor.data = torch.randn_like(tensor)
    model.quantizer.sizes.fill_(1.0)
    model = export.rounded(model)
    export.write(model, tmp_path / "model.zip", {"name": "test"})
    again, card = restore.read(tmp_path / "model.zip")
    assert card["name"] == "test" and again.config == model.config
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_eight_bits_are_whole_multiples_that_halves_hold():
    torch.manual_seed(5)
    weight = torch.randn(64, 77) * torch.logspace(-3, 1, 64)[:, None]
    weight[3], weight[5, 1:] = 0, 0
    assert export.is_eight_bits(weight.half().float())[:, 0].nonzero().flatten().tolist() == [3, 5]
    rounded = export.eight_bits(weight)
    assert export.is_eight_bits(rounded).all() and torch.equal(rounded.half().float(), rounded)
    # Half a step, of at most a ninth more than what the largest of them needs.
    most = weight.abs().amax(1, keepdim=True) / 127 * 9 / 8 / 2
    assert ((rounded - weight).abs() <= most).all()
    assert torch.equal(export.eight_bits(rounded), rounded)


def test_the_network_alone_is_rounded_to_eight_bits(config):
    model = LiveModel(config["model"] | {"weight_bits": 8})
    torch.nn.init.normal_(model.decoder_out.weight)
    halves, bytes_ = LiveModel(config["model"] | {"weight_bits": 16}), export.rounded(model)
    halves.load_state_dict(model.state_dict())
    changed = {name for name, tensor in export.rounded(halves).state_dict().items() if not torch.equal(tensor, bytes_.state_dict()[name])}
    blocks = {f"{part}_blocks.{k}.{layer}.weight" for part in ("encoder", "decoder") for k in range(2) for layer in ("widen", "narrow")}
    assert changed == blocks | {"encoder_in.weight", "decoder_in.weight", "decoder_out.weight"}  # encoder_out starts at zero


def test_another_configuration_is_refused_by_name(config, tmp_path):
    export.write(export.rounded(LiveModel(config["model"])), tmp_path / "model.zip", {"config": None})
    for other in ({"width": 16}, {"gain_floor": 0.1}, {"decoder_blocks": 1}):
        with pytest.raises(restore.NotThisModel, match="model.zip"):
            restore.read(tmp_path / "model.zip", config["model"] | other)
    with pytest.raises(restore.NotThisModel, match="no configuration"):
        restore.read(tmp_path / "model.zip")


def test_the_shipped_model_gives_the_reference():
    shipped = load(ROOT / "training" / "configs" / "live.toml")["model"]
    model, _ = restore.read(SHIPPED, shipped)
    reference = json.loads((ROOT / "tests" / "data" / "reference.json").read_text())
    frames = len(reference["codes"])
    audio = soundfile.read(ROOT / "assets" / "demo.flac", frames * model.hop, dtype="float32", always_2d=True)[0][:, 0]
    codes, importance = evaluate.encode(model, audio[None])
    expected = torch.tensor(reference["codes"])[None]
    assert (codes[:, :, -1] == expected).float().mean() > 0.999
    counts = count(importance, reference["level"], model.config["codebooks"])
    sent = torch.zeros_like(expected)
    for frame, row in enumerate(reference["sent"]):
        sent[0, frame, : len(row)] = torch.tensor(row)
    assert (for_counts(codes, counts) == sent).float().mean() > 0.999
    torch.testing.assert_close(importance[0], torch.tensor(reference["importance"]), atol=1e-5, rtol=0)
    with torch.no_grad():
        decoded = model.decode(sent, counts)
    torch.testing.assert_close(decoded[0, :: reference["every"]], torch.tensor(reference["decoded"]), atol=1e-5, rtol=0)


def test_training_goes_on_from_a_file(trainer, config, audio_folder, tmp_path):
    trainer.step()
    model = export.rounded(trainer.average)
    export.write(model, tmp_path / "start.vrvqmodel", {})
    other = train.Trainer(config, audio_folder)
    other.warm_start(tmp_path / "start.vrvqmodel")
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, other.model.get_parameter(name)), name
    assert torch.isfinite(other.step()["loss"])
