"""Users' data sets: names, splits, kinds in turn, and files that can't be read."""

import numpy as np
import pytest
import soundfile

from vrvq_training import datasets
from vrvq_training.segments import FileSegments, Segments, open_segments


def sound(path, seconds=0.5, level=0.1, rate=16000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.random.default_rng(0).normal(size=int(seconds * rate)).clip(-3, 3), rate)


@pytest.mark.parametrize(
    "name, train, test, neither",
    [
        ("daps", "clean/m1_script1_clean.wav", "clean/F10_script2_clean.wav", "ipad/m1_script1_ipad.wav"),
        ("vctk", "wav48/p225/p225_001_mic1.flac", None, "wav48/p225/p225_001_mic2.flac"),
        ("musdb18", "train/Song/mixture.wav", "test/Song/mixture.wav", "train/Song/bass.wav"),
        ("mtg-jamendo", "00/1.ogg", None, None),
        ("audioset", "balanced_train_segments/a.wav", "eval_segments/a.wav", "other/a.wav"),
        ("anything", "a.wav", "test/b.wav", None),
    ],
)
def test_splits_of_named_sets(tmp_path, name, train, test, neither):
    for path in filter(None, (train, test, neither)):
        sound(tmp_path / path)
    for split, expected in (("train", train), ("test", test)):
        found = [str(p.relative_to(tmp_path)) for p in datasets.files(name, tmp_path, split)]
        assert found == ([expected] if expected else [])


def test_common_voice_goes_by_its_lists(tmp_path):
    for clip in ("a", "b", "c"):
        sound(tmp_path / "clips" / f"{clip}.wav")
    (tmp_path / "train.tsv").write_text("client_id\tpath\nx\ta.wav\n")
    (tmp_path / "test.tsv").write_text("client_id\tpath\ny\tb.wav\n")
    assert [p.name for p in datasets.files("commonvoice", tmp_path, "train")] == ["a.wav"]
    assert [p.name for p in datasets.files("commonvoice", tmp_path, "test")] == ["b.wav"]
    (tmp_path / "test.tsv").unlink()
    with pytest.raises(FileNotFoundError, match="test.tsv"):
        datasets.files("commonvoice", tmp_path, "train")


def test_kinds_take_turns_and_broken_files_are_named(tmp_path, capsys):
    sound(tmp_path / "voice" / "a.wav", level=0.2)
    (tmp_path / "voice" / "broken.wav").write_bytes(b"RIFF")
    soundfile.write(tmp_path / "voice" / "empty.wav", np.zeros(0), 16000)
    sound(tmp_path / "songs" / "b.flac", seconds=10, level=0.02)
    listing = tmp_path / "sets.toml"
    listing.write_text('[speech]\nmine = "voice"\n[music]\nours = "songs"\n')
    segments = open_segments(listing, 4000, 1, 16000)
    assert isinstance(segments, FileSegments)
    levels = np.array([np.std(segments._raw(i)) for i in range(20)])
    assert (levels[0::2] > 5 * levels[1::2]).all()
    assert sorted(path.name for path in segments.skipped) == ["broken.wav", "empty.wav"]
    named = capsys.readouterr().err
    assert named.count("skipped") == 2 and "broken.wav" in named and "empty.wav" in named

    index = datasets.prepare(datasets.load(listing), tmp_path / "out", 16000)
    assert len(index["skipped"]) == 2 and index["packages"]["ours/music/train"]["minutes"] > 0
    assert Segments(tmp_path / "out", 4000, 1, 16000).batch(4).shape == (4, 4000)
    with pytest.raises(ValueError, match="16000 Hz.*44100 Hz"):
        Segments(tmp_path / "out", 4000, 1, 44100)


def test_what_is_wrong_with_a_listing_is_said(tmp_path):
    listing = tmp_path / "sets.toml"
    for text, message in (('[noise]\na = "."', "noise"), ('[speech]\na = "nowhere"', "nowhere")):
        listing.write_text(text)
        with pytest.raises(ValueError, match=message):
            datasets.load(listing)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.wav").write_bytes(b"")
    listing.write_text('[speech]\na = "bad"')
    with pytest.raises(ValueError, match="can't be read"):
        open_segments(listing, 100, 1).batch(1)
