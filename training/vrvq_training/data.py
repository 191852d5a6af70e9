"""Audio from openly licensed Debian packages: download, decode to mono, split by kind and held-out set.

Kinds are ``speech``, ``music`` and ``general``; training draws from the three evenly. Whole packages or whole
languages (so: speakers) are held out for evaluation: ``test`` is what choices are made by, ``check`` is measured when
they have been made.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

import numpy as np

from .audio import decode
from .datasets import KINDS

SAMPLE_RATE = 44100

# package -> (kind, pattern of the files to use, pattern of the held-out files, licence as its copyright file states)
PACKAGES = {
    "tuxpaint-stamps-default": ("speech", r"_desc(_\w+)?\.ogg$", r"_desc_(be|da)\.ogg$", "GPL-2"),
    "klettres-data": ("speech", r"\.ogg$", r"/klettres/(it|hu|en_GB)/", "GPL-2+"),
    "ktuberling-data": ("speech", r"\.(ogg|wav)$", r"/sounds/(wa|ru)/", "GPL-2+ (some files GFDL-1.2+, LGPL, CC-BY)"),
    "qabcs-data": ("speech", r"/sounds/.*\.(ogg|wav)$", None, "GPL-3+"),
    "hedgewars-data": ("speech", r"/voices/.*\.ogg$", None, "mixed by file: GPL-2, GFDL-1.3, CC-BY-SA-3.0"),
    "wesnoth-1.16-music": ("music", r"\.ogg$", None, "GPL-2 / GPL-2+"),
    "planetblupi-music-ogg": ("music", r"\.ogg$", None, "GPL-3+"),
    "supertux-data": ("music", r"/music/.*\.ogg$", None, "mixed by file: GPL-2+, GPL-3+, CC-BY-SA-3.0/4.0, CC0"),
    "singularity-music": ("music", r"\.ogg$", None, "Creative Commons (text in its copyright file)"),
    "colobot-common-sounds": ("music", r"/music/.*\.ogg$", None, "GPL-3+"),
    "fretsonfire-songs-sectoid": ("music", r"\.ogg$", r".", "GPL"),
    "hyperrogue-music": ("music", r"/music/.*\.ogg$", r".", "mixed by file: GPL-2+, CC-BY-3.0, CC-BY-SA-3.0/4.0, CC0"),
    "openclonk-data": ("music", r"\.ogg$", r".", "CC-BY-3.0 / CC0"),
    "hydrogen-drumkits": ("general", r"\.(flac|wav)$", None, "mixed by file: GPL-2, GPL-2+, CC-BY-3.0, CC-BY-SA-3.0, CC0"),
    "sonic-pi-samples": ("general", r"\.(flac|wav)$", r".", "CC0-1.0 (samples)"),
    "wesnoth-1.16-data": ("general", r"\.ogg$", r".", "GPL-2 / GPL-2+"),
    "lomiri-sounds": ("general", r"\.ogg$", r".", "mixed by file: CC-BY-3.0/4.0, CC-BY-SA-3.0, CC0"),
}
# Never trained on and never chosen by, in the same columns.
CHECK = {
    "festvox-ru": ("speech", r"/wav/.*\.wav$", "BSD-like"),
    "fillets-ng-data-cs": ("speech", r"/sound/.*/cs/.*\.ogg$", "GPL-2"),
    "gcin-voice": ("speech", r"\.ogg$", "mixed by file: GPL-3 or LGPL-3, CC-BY-3.0"),
    "fretsonfire-songs-muldjord": ("music", r"\.ogg$", "GPL"),
}
# Training only, decoded after all others so that those held-out items stay what they were; in the same columns.
MORE = {
    "asterisk-core-sounds-en-g722": ("speech", r"\.g722$", "CC-BY-SA-3.0"),
    "asterisk-core-sounds-es-g722": ("speech", r"\.g722$", "CC-BY-SA-3.0"),
    "asterisk-core-sounds-fr-g722": ("speech", r"\.g722$", "CC-BY-SA-3.0"),
    "fillets-ng-data-nl": ("speech", r"/sound/.*/nl/.*\.ogg$", "GPL-2"),
    "megaglest-data": ("general", r"/sounds/.*\.(ogg|wav)$", "GPL-2+ / CC-BY-SA-3.0"),
    "endless-sky-data": ("general", r"/sounds/.*\.wav$", "mixed by file: CC-BY-SA-4.0/3.0, GPL-3+, public domain"),
    "scorched3d-data": ("general", r"\.(ogg|wav)$", "GPL-2+"),
}
TRAINING_MINUTES = {"speech": 150.0, "music": 60.0, "general": 60.0}  # of each package, at most
# Game effects come with the music and voice packages above.
EFFECTS = {"supertux-data": r"/sounds/.*\.(ogg|wav)$", "colobot-common-sounds": r"/sounds/.*\.(ogg|wav)$"}


def fetch(folder):
    """Downloads and unpacks the packages into ``folder`` (Debian's own client; no root needed)."""
    folder = pathlib.Path(folder).resolve()
    for name in ("deb", "x"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for package in [*PACKAGES, *CHECK, *MORE]:
        if (folder / "x" / package).exists():
            continue
        subprocess.run(["apt-get", "download", package], cwd=folder / "deb", check=True)
        archive = next((folder / "deb").glob(f"{package}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, folder / "x" / package], check=True)


def _files(root, package, pattern):
    found = sorted((root / "x" / package).rglob("*"))
    return [path for path in found if path.is_file() and re.search(pattern, str(path))]


def prepare(folder, rate=SAMPLE_RATE):
    """Decodes everything at ``rate`` into one int16 file for each kind and split, ``<kind>-<train|test|check>.npy``.

    At most ``TRAINING_MINUTES`` of each package are kept for training, 10 for testing and 6 of each package of ``CHECK``.
    Writes ``index.json``: minutes of each package, the licence, the checksum of the downloaded archive, and the files that
    were skipped with the reason.
    """
    folder = pathlib.Path(folder).resolve()
    jobs = [(kind, package, pattern, held) for package, (kind, pattern, held, _) in PACKAGES.items()]
    jobs += [("general", package, pattern, None) for package, pattern in EFFECTS.items()]
    jobs += [(kind, package, pattern, None) for package, (kind, pattern, _) in (*CHECK.items(), *MORE.items())]
    licences = {package: row[-1] for package, row in (*PACKAGES.items(), *CHECK.items(), *MORE.items())}
    index = {"sample_rate": rate, "packages": {}, "skipped": []}
    parts = {(kind, split): [] for kind in KINDS for split in ("train", "test", "check")}
    rng = np.random.default_rng(1)
    for kind, package, pattern, held in jobs:
        minutes = {"train": TRAINING_MINUTES[kind], "test": 10, "check": 6}
        budget = {split: number * 60 * rate for split, number in minutes.items()}
        files = _files(folder, package, pattern)
        for path in [files[i] for i in rng.permutation(len(files))]:
            split = "check" if package in CHECK else "test" if held and re.search(held, str(path)) else "train"
            if budget[split] <= 0:
                continue
            try:
                samples = decode(path, rate)
            except Exception as error:  # a corrupt file must not end the run
                index["skipped"].append(f"{path.relative_to(folder)}: {error}")
                continue
            samples = samples[: int(budget[split])]
            budget[split] -= len(samples)
            # A short pause parts the files, as in real speech and music.
            parts[kind, split].append((np.concatenate([samples, np.zeros(rate // 10)]) * 32767).astype(np.int16))
            entry = index["packages"].setdefault(f"{package}/{kind}/{split}", {"minutes": 0.0})
            entry["minutes"] += len(samples) / rate / 60
    for key, entry in index["packages"].items():
        package = key.split("/")[0]
        archive = next((folder / "deb").glob(f"{package}_*.deb"))
        entry["licence"] = licences[package]
        entry["archive"] = archive.name
        entry["sha256"] = hashlib.sha256(archive.read_bytes()).hexdigest()
        entry["minutes"] = round(entry["minutes"], 1)
    for (kind, split), arrays in parts.items():
        if arrays:
            np.save(folder / f"{kind}-{split}.npy", np.concatenate(arrays))
    (folder / "index.json").write_text(json.dumps(index, indent=1))
    for line in index["skipped"]:
        print("skipped", line, file=sys.stderr)
    print(json.dumps({k: v["minutes"] for k, v in index["packages"].items()}, indent=1))
