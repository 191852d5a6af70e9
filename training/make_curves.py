"""Writes the curves that the view shows of the built-in model, from the figures on held-out audio in its description.

    python training/make_curves.py

Takes the first table of assets/live.md (speech, music and general audio, made by `python -m vrvq_training evaluate`),
averages the three kinds and writes assets/live.curves.json. The table charges the bits of the count to constant
bitrate too; the loop doesn't send them there, so they are taken off.
"""

import json
import re
import zipfile
from collections import defaultdict
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
COUNT_KILOBITS = 3 * 44100 / 512 / 1000


def main():
    text = (ASSETS / "live.md").read_text().split("## Figures on held-out audio")[1].split("The same on audio")[0]
    rows = re.findall(r"^\| (\w+) \| ([nl])=([\d.]+) \| ([\d.]+) \| (-?[\d.]+) \|", text, re.M)
    points = defaultdict(list)
    for _, mode, setting, kilobits, si_sdr in rows:
        points[mode, float(setting)].append((float(kilobits), float(si_sdr)))

    def curve(mode, less):
        for (name, setting), values in sorted(points.items()):
            if name == mode:
                kilobits, si_sdr = (sum(column) / len(values) for column in zip(*values))
                yield {"setting": setting, "kilobits": round(kilobits - less, 3), "si_sdr_db": round(si_sdr, 3)}

    with zipfile.ZipFile(ASSETS / "live.vrvqmodel") as model:
        sums = [f"{model.getinfo(name).CRC:08x}" for name in ("encoder.onnx", "decoder.onnx")]
    curves = {
        "fingerprint": "-".join(sums),
        "measured_on": "held-out speech, music and general audio (assets/live.md)",
        "vbr": list(curve("l", 0.0)),
        "cbr": list(curve("n", COUNT_KILOBITS)),
    }
    (ASSETS / "live.curves.json").write_text(json.dumps(curves, indent=1) + "\n")


if __name__ == "__main__":
    main()
