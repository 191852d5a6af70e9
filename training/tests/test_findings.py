"""The paper's findings: what the count costs, what BD-rate says of curves that are known, and the command as a whole."""

import json
import math
import zipfile

import numpy as np
import pytest
import torch

from vrvq_training import evaluate, export, findings, operating, savings


def test_the_adaptive_code_of_the_count_is_that_of_the_file_format():
    # The first frame is foretold as if a frame of one codebook came before it: 96 + 24 + 6 + 5 * 2 in all.
    assert operating.adaptive_bits([1]) == pytest.approx(-math.log2(96 / 136))
    # The second one has a row of its own count before, learned nothing yet.
    expected = -math.log2(2 / 136) - math.log2(24 / (96 + 2 * 24 + 2 * 6 + 3 * 2))
    assert operating.adaptive_bits([5, 6]) == pytest.approx(expected)
    # Learned: the same again and again costs next to nothing; noise costs its entropy, about.
    assert operating.adaptive_bits([4] * 1000) < 40
    noise = np.random.default_rng(0).integers(1, 9, 4000)
    assert 3.0 < operating.adaptive_bits(noise) / len(noise) < 3.3


def test_rates_are_counted_as_packed():
    counts, frame_rate = np.array([1, 8, 3, 4]), 44100 / 512
    rates = operating.rates(counts, frame_rate, variable=True)
    assert rates["kbps"] == pytest.approx((10 * 4 + 3) * frame_rate / 1000)
    assert rates["kbps_codes"] == pytest.approx(40 * frame_rate / 1000)
    constant = operating.rates(np.full(4, 2), frame_rate, variable=False)
    assert list(constant.values()) == pytest.approx([20 * frame_rate / 1000] * 3)


def curve_points(saving, items=3):
    """Operating points where variable bitrate reaches the same SI-SDR with ``saving`` fewer bits."""
    quality = lambda kbps: 4 * math.log(kbps)
    row = lambda kbps, value: {"kbps": kbps, "kbps_adaptive": kbps, "si_sdr": value, "mel": 1 - value / 20}
    constant = {f"n={n}": [row(0.861 * n, quality(0.861 * n))] * items for n in range(1, 9)}
    rates = np.linspace(1.3, 7, 11)
    return constant | {f"l={l}": [row(r * (1 - saving), quality(r))] * items for l, r in zip(operating.LEVELS, rates)}


@pytest.mark.parametrize("saving", [0.2, 0.0, -0.1])
def test_bd_rate_of_known_curves(saving):
    points = curve_points(saving)
    for measure in ("si_sdr", "mel"):
        np.testing.assert_allclose(savings.item_bd_rates(points, measure, "kbps"), -100 * saving, atol=1.0)
    # 1 - saving of the bits is worth -4 ln(1 - saving) of the measure at the same bits.
    assert savings.gain_at(points, "si_sdr", "kbps", 3.0) == pytest.approx(-4 * math.log(1 - saving), abs=0.05)
    assert savings.gain_at(points, "si_sdr", "kbps", 30.0) is None


def test_points_worse_than_cheaper_ones_are_left_out():
    rate, value = savings.front([3.0, 1.0, 2.0, 2.0], [2.5, 1.0, 3.0, 3.0])
    assert rate.tolist() == [1.0, 2.0] and value.tolist() == [1.0, 3.0]


def test_one_command_writes_tables_figures_and_the_views_curves(trainer, audio_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(operating, "LEVELS", (4, 16, 32))
    monkeypatch.setattr(operating, "COUNTS", (1, 2, 4, 6, 8))
    model = export.rounded(trainer.average)
    file = tmp_path / "tiny.vrvqmodel"
    export.write(model, file, {})
    text = findings.curves(model, file, audio_folder, tmp_path / "out", items=1, measures=("si_sdr", "mel"))
    for name in ("rd.png", "usage.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")
    assert text.strip() == (tmp_path / "out" / "curves.md").read_text().strip()
    assert "| l=4 |" in text and "| n=8 | 6.89 | 6.89 |" in text
    view = json.loads((tmp_path / "tiny.curves.json").read_text())
    sums = [f"{zipfile.ZipFile(file).getinfo(name).CRC:08x}" for name in ("encoder.onnx", "decoder.onnx")]
    assert view["fingerprint"] == "-".join(sums)
    assert [p["setting"] for p in view["vbr"]] == [4, 16, 32]
    assert [p["kilobits"] for p in view["cbr"]] == pytest.approx([0.861 * n for n in (1, 2, 4, 6, 8)], abs=0.004)
    # The points are kept: the tables come again without a measurement.
    monkeypatch.setattr(evaluate, "scores", lambda *_, **__: pytest.fail("measured again"))
    assert findings.curves(model, file, audio_folder, tmp_path / "out", items=1, measures=("si_sdr", "mel")) == text


def test_models_side_by_side(trainer, audio_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(operating, "LEVELS", (8, 16, 32))
    monkeypatch.setattr(operating, "COUNTS", (2, 8))
    models = {"a": export.rounded(trainer.average)}
    with torch.no_grad():
        trainer.average.importance.last.bias += 1.0
    models["b"] = export.rounded(trainer.average)
    text = findings.compare(models, audio_folder, tmp_path, items=1)
    means = [float(line.split("|")[3]) for line in text.splitlines() if line.startswith(("| a | speech", "| b | speech"))]
    assert means[0] < means[1]
    assert (tmp_path / "usage-by-model.png").exists() and (tmp_path / "compare.png").exists()
