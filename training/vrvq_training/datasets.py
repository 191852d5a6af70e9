"""Data sets that a user has: which of their files are for training, which for testing.

A TOML file names their folders by kind::

    [speech]
    daps = "/data/daps"
    commonvoice = "/data/cv-corpus/en"
    [music]
    musdb18 = "/data/musdb18hq"
    "my recordings" = "/data/recordings"

Names in :data:`LAYOUTS` have the splits of the paper (section 3.1); any other folder is split by its subfolders ``train``
and ``test``, or all for training.
"""

import csv
import json
import pathlib
import sys
import tomllib

import numpy as np

from .audio import decode, suffixes

KINDS = ("speech", "music", "general")


def _daps(root):
    """Clean recordings; speakers F10 and M10 for testing."""
    held = ("f10_", "m10_")
    clean = lambda path: path.stem.lower().endswith("_clean")
    return lambda path: ("test" if path.name.lower().startswith(held) else "train") if clean(path) else None


def _commonvoice(root):
    """Clips that ``train.tsv`` and ``test.tsv`` list; the others weren't validated."""
    splits = {}
    for split in ("train", "test"):
        listing = root / f"{split}.tsv"
        if not listing.exists():
            raise FileNotFoundError(f"{root} has no {listing.name}: name the folder of one language of Common Voice")
        with open(listing, newline="", encoding="utf-8") as file:
            splits |= {row["path"]: split for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    return lambda path: splits.get(path.name)


def _vctk(root):
    """The first microphone's recordings, all for training."""
    return lambda path: None if "_mic2" in path.stem else "train"


def _musdb18(root):
    """Mixtures of the uncompressed edition (MUSDB18-HQ), by its folders ``train`` and ``test``."""
    return lambda path: _by_folder(path) if path.name == "mixture.wav" else None


def _jamendo(root):
    """All for training."""
    return lambda path: "train"


def _audioset(root):
    """By the folders of its segments: evaluation for testing, balanced and unbalanced for training."""
    def split(path):
        folder = " ".join(path.parts[:-1]).lower()
        return "test" if "eval" in folder else "train" if "train" in folder else None

    return split


def _by_folder(path):
    return next((part for part in path.parts[:-1] if part in ("train", "test", "check")), "train")


LAYOUTS = {
    "daps": _daps, "commonvoice": _commonvoice, "vctk": _vctk, "musdb18": _musdb18, "mtg-jamendo": _jamendo,
    "audioset": _audioset,
}


def load(path):
    """``{kind: {name: folder}}`` of a TOML file. Raises ``ValueError`` with what is wrong."""
    path = pathlib.Path(path)
    sets = tomllib.loads(path.read_text())
    for kind, folders in sets.items():
        if kind not in KINDS:
            raise ValueError(f"{path}: [{kind}] isn't one of {', '.join(KINDS)}")
        for name, folder in folders.items():
            folders[name] = path.parent / folder
            if not folders[name].is_dir():
                raise ValueError(f"{path}: {name} = {folder!r} is no folder")
    return {kind: folders for kind, folders in sets.items() if folders}


def files(name, root, split):
    """The sound files of a data set for ``split``, sorted."""
    choose = LAYOUTS.get(name, lambda _: _by_folder)(root)
    found = (path for path in sorted(root.rglob("*")) if path.suffix.lower() in suffixes())
    return [path for path in found if choose(path.relative_to(root)) == split]


def prepare(sets, folder, rate, minutes=None):
    """Decodes ``sets`` (of :func:`load`) into one file for each kind and split, as :func:`vrvq_training.data.prepare`
    does for the packages. ``minutes`` limits each set by split (default 200 for training, 20 for testing)."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    limits = minutes or {"train": 200.0, "test": 20.0}
    index = {"sample_rate": rate, "packages": {}, "skipped": []}
    rng = np.random.default_rng(1)
    for kind, folders in sets.items():
        for split, limit in limits.items():
            parts = []
            for name, root in folders.items():
                found, left = files(name, root, split), int(limit * 60 * rate)
                for path in [found[i] for i in rng.permutation(len(found))]:
                    if left <= 0:
                        break
                    try:
                        samples = decode(path, rate)[:left]
                    except Exception as error:  # a corrupt file must not end the run
                        index["skipped"].append(f"{path}: {error}")
                        print("skipped", index["skipped"][-1], file=sys.stderr)
                        continue
                    left -= len(samples)
                    parts.append((np.concatenate([samples, np.zeros(rate // 10)]) * 32767).astype(np.int16))
                length = round(limit - left / rate / 60, 1)
                index["packages"][f"{name}/{kind}/{split}"] = {"minutes": length, "licence": "the user's own copy"}
            if parts:
                np.save(folder / f"{kind}-{split}.npy", np.concatenate(parts))
    (folder / "index.json").write_text(json.dumps(index, indent=1))
    return index
