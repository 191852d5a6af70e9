"""A few steps on synthetic audio: the loss falls, a resumed run is the same run, the export is the model."""

import io
import zipfile

import numpy as np
import onnxruntime
import pytest
import torch

from vrvq_training import evaluate, export
from vrvq_training.quantizer import for_counts
from vrvq_training.train import Trainer


def test_loss_falls(config, audio_folder):
    # One batch again and again, all codebooks: the start is a working codec, so other batches differ by more than some
    # steps bring, and while the map learns to spend less the distortion may rise.
    config["rate"]["full_share"] = 1.0
    config["train"]["learning_rate"] = 2e-3
    trainer = Trainer(config, audio_folder)
    trainer.initialise()
    batch = trainer.segments.batch(6)
    trainer.segments.batch = lambda size: batch
    keys = ("noise", "error", "mel")
    losses = [sum(trainer.step()[key] for key in keys) for _ in range(40)]
    assert np.mean(losses[-6:]) < 0.9 * losses[0]


def test_resume_is_exact(trainer, config, audio_folder):
    for _ in range(3):
        trainer.step()
    file = io.BytesIO()
    torch.save(trainer.state(), file)
    expected = [trainer.step() for _ in range(3)]
    file.seek(0)
    other = Trainer(config, audio_folder)
    other.restore(torch.load(file, weights_only=False))
    assert [other.step() for _ in range(3)] == expected
    for a, b in zip(trainer.model.state_dict().values(), other.model.state_dict().values()):
        assert torch.equal(a, b)


def test_what_is_frozen_stays_and_what_is_fresh_starts_anew(trainer, config, audio_folder, tmp_path):
    start = tmp_path / "start.pt"
    torch.save(trainer.state(), start)
    config["train"] |= {"frozen": ["analysis", "encoder", "quantizer"], "fresh": ["importance"]}
    config["model"]["detach_importance"] = True
    config["loss"]["commitment"] = 0.0
    config["train"]["seed"] += 1  # else the subnet would start as it did the last time
    other = Trainer(config, audio_folder)
    other.warm_start(start)
    before, given = {k: v.clone() for k, v in other.model.state_dict().items()}, trainer.average.state_dict()
    new = {name for name, value in before.items() if not torch.equal(value, given[name])}
    assert new and all(name.startswith("importance") for name in new)
    for _ in range(2):
        other.step()
    moved = {name for name, value in other.model.state_dict().items() if not torch.equal(value, before[name])}
    assert not [name for name in moved if name.startswith(("analysis", "encoder", "quantizer"))]
    assert {"decoder_out.weight", "synthesis", "importance.last.weight"} <= moved


NONE = {"postfilter_channels": 0}


@pytest.mark.parametrize(
    ("start", "parts", "new"),
    [
        (NONE, NONE | {"encoder_blocks": 3, "decoder_blocks": 3}, "decoder_blocks.2.narrow.weight"),
        (NONE, {}, "postfilter.last.weight"),
        ({}, {"postfilter_layers": 2}, "postfilter.layers.1.narrow.weight"),
    ],
)
def test_parts_that_the_start_lacks_add_nothing_at_first(config, audio_folder, tmp_path, start, parts, new):
    trainer = Trainer(config | {"model": config["model"] | start}, audio_folder)
    trainer.initialise()
    trainer.step()
    torch.save(trainer.state(), tmp_path / "start.pt")
    config["model"] |= parts
    grown = Trainer(config, audio_folder)
    grown.warm_start(tmp_path / "start.pt")
    assert not grown.model.state_dict()[new].any()
    audio = torch.from_numpy(trainer.segments.batch(3))
    for model, larger in ((trainer.average, grown.model), (trainer.average, grown.average)):
        codes, importance = model.analyse(audio)
        again, same = larger.analyse(audio)
        assert torch.equal(codes, again) and torch.equal(importance, same)
        counts = torch.full(codes.shape[:2], codes.shape[-1])
        assert torch.equal(*(part.decode(for_counts(codes, counts), counts) for part in (model, larger)))
    grown.step()
    assert grown.model.state_dict()[new].any()


def test_the_untrained_model_is_a_working_codec(trainer, audio_folder):
    points = evaluate.table(trainer.average.eval(), audio_folder, number=1, counts=(1, 8), levels=(), kinds=("music",))
    assert points["music"]["n=8"]["mel"] < points["music"]["n=1"]["mel"]


@pytest.mark.parametrize("hops", [1, 2, 7, 42])
def test_the_export_steps_like_the_whole(trainer, audio_folder, tmp_path, hops):
    for _ in range(3):
        trainer.step()
    model = export.rounded(trainer.average)
    path = tmp_path / "model.zip"
    export.write(model, path, {"name": "test"})
    archive = zipfile.ZipFile(path)
    encoder, decoder = (
        onnxruntime.InferenceSession(archive.read(f"{name}.onnx"), providers=["CPUExecutionProvider"])
        for name in ("encoder", "decoder")
    )
    books = np.frombuffer(archive.read("codebooks.f16"), "<f2").astype(np.float32)
    np.testing.assert_array_equal(books, model.quantizer.codebooks.numpy().ravel())
    audio = evaluate.items(audio_folder, "speech", 1)[:, : 42 * model.hop]
    with torch.no_grad():
        codes, importance = evaluate.encode(model, audio)
        counts = torch.arange(42)[None] % 8 + 1
        codes = for_counts(codes, counts)
        decoded = model.decode(codes, counts).numpy()
    state = np.zeros((1, encoder.get_inputs()[1].shape[1]), np.float32)
    past = np.zeros((1, decoder.get_inputs()[2].shape[1]), np.float32)
    parts = []
    for at in range(0, 42, hops):
        piece = audio[:, at * model.hop : (at + hops) * model.hop].reshape(1, -1, model.hop)
        latent, got_importance, state = encoder.run(None, {"audio": piece, "state": state})
        got_codes = model.quantizer.encode_all(torch.from_numpy(latent), model.config["beam"])
        got_codes = for_counts(got_codes, counts[:, at : at + hops]).numpy()
        count = counts[:, at : at + hops].numpy()
        got_audio, past = decoder.run(None, {"codes": got_codes, "count": count, "state": past})
        parts.append((got_codes, got_importance, got_audio.reshape(1, -1)))
    got_codes, got_importance, got_audio = (np.concatenate(p, 1) for p in zip(*parts))
    # A numerical tie in one codebook changes all later codes of its frame.
    assert (got_codes == codes.numpy()).all(-1).sum() >= 41
    np.testing.assert_allclose(got_importance, importance.numpy(), atol=1e-5)
    if (got_codes == codes.numpy()).all():
        np.testing.assert_allclose(got_audio, decoded, atol=1e-5)
