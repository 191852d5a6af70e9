"""The paper's findings on a model of ours: every table and figure, from a model file or a checkpoint."""

import json
import pathlib
import zipfile

import numpy as np
import torch

from . import evaluate, figures, operating, restore
from .quantizer import count
from .savings import EQUAL, MEASURES, RATES, gain_at, item_bd_rates, mean_curve

# Kind and held-out item (of seven, spread evenly) of the clips in the figure of usage, and the seconds shown.
CLIPS = (("speech", 0), ("speech", 2), ("speech", 4), ("music", 1), ("music", 5), ("general", 1), ("general", 4))
CLIP_SECONDS = 4


def curves(model, checkpoint, folder, output, items, measures=operating.MEASURES, visqol_items=6, split="test"):
    """Writes ``points.json``, ``curves.md``, ``rd.png`` and ``usage.png`` into ``output``; beside a model file, its
    curves for the program's view (``live.curves.json``)."""
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    kinds = operating.measure(model, folder, output / "points.json", items, measures, visqol_items, split)
    figures.rate_distortion(kinds, output / "rd.png")
    figures.usage(clips(model, folder), output / "usage.png", model.config["sample_rate"])
    text = "\n\n".join([f"# Curves of {pathlib.Path(checkpoint).name}", bd_table(kinds), gain_table(kinds), *(points_table(kind, part) for kind, part in kinds.items())])
    (output / "curves.md").write_text(text + "\n")
    if pathlib.Path(checkpoint).suffix == restore.SUFFIX:
        path = pathlib.Path(checkpoint).with_suffix(".curves.json")
        path.write_text(json.dumps(for_view(kinds, checkpoint, items), indent=1) + "\n")
    return text


@torch.no_grad()
def counts_by_level(model, audio, levels=figures.USAGE_LEVELS):
    """``{level: counts [frames]}`` of ``audio`` ``[samples]``."""
    _, importance = evaluate.encode(model, audio[None])
    return {level: count(importance, float(level), 8)[0].numpy() for level in levels}


def clips(model, folder, chosen=CLIPS):
    """The clips of the figure of usage, as :func:`figures.usage` takes them."""
    length = int(CLIP_SECONDS * model.config["sample_rate"]) // model.hop * model.hop
    result = []
    for kind, number in chosen:
        audio = evaluate.items(folder, kind, 7)[number][:length]
        result.append((f"{kind} {number + 1}", audio, counts_by_level(model, audio)))
    return result


def compare(models, folder, output, items, measures=("si_sdr", "mel")):
    """Several models on one page: ``{name: model}``; writes ``compare.md``, ``compare.png`` and ``usage-by-model.png``."""
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    all_kinds = {
        name: operating.measure(model, folder, output / f"points-{name}.json", items, measures) for name, model in models.items()
    }
    figures.several(all_kinds, output / "compare.png", measures)
    columns = []
    for name, model in models.items():
        _, audio, counts = clips(model, folder, CLIPS[:1])[0]
        columns.append((name, audio, counts))
    figures.usage(columns, output / "usage-by-model.png")
    text = compare_table(all_kinds)
    (output / "compare.md").write_text(text + "\n")
    return text


def compare_table(all_kinds):
    """What tells the models' maps and curves apart."""
    lines = [
        "| model | kind | p mean | p deviation / mean | level 26: mean n | n = 1 | n = 8 | variable at 2 / 4 kb/s, SI-SDR dB "
        "| constant at 2 / 4 kb/s | BD-rate % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, kinds in all_kinds.items():
        for kind, part in kinds.items():
            points, p = part["points"], part["importance"]
            ends = [
                " / ".join(_at(points, mode, kbps) for kbps in (2.0, 4.0)) for mode in ("l", "n")
            ]
            lines.append(
                f"| {name} | {kind} | {p['mean']:.3f} | {p['std'] / p['mean']:.2f} | {p['mean_count_26']:.2f} | {p['one_26']:.0%} "
                f"| {p['full_26']:.0%} | {ends[0]} | {ends[1]} | {_spread(item_bd_rates(points, 'si_sdr', 'kbps'))} |"
            )
    return "\n".join(lines)


def _at(points, mode, kbps):
    rate, value = mean_curve(points, "si_sdr", "kbps", mode)
    return f"{np.interp(kbps, rate, value):.2f}" if rate[0] <= kbps <= rate[-1] else "–"


def _spread(values):
    """Median and quartiles of the values that are numbers, and how many of how many those are."""
    kept = values[np.isfinite(values)]
    if len(kept) == 0:
        return "–"
    low, middle, high = np.percentile(kept, (25, 50, 75))
    return f"{middle:+.1f} [{low:+.1f}, {high:+.1f}], {np.mean(kept < 0):.0%} of {len(kept)}"


def bd_table(kinds):
    """BD-rate by kind and measure, with its spread over files."""
    lines = [
        "BD-rate in % of variable against constant bitrate, over what 2 to 7 constant codebooks (1.72 to 6.03 kb/s) reach; "
        "negative is a saving. Median over files [quartiles], share of files that save.",
        "",
        f"| kind | measure | {' | '.join(RATES.values())} |",
        "|---|---|" + "---|" * len(RATES),
    ]
    for kind, part in kinds.items():
        for measure, (name, _, _) in MEASURES.items():
            cells = [_spread(item_bd_rates(part["points"], measure, rate)) for rate in RATES]
            if any(cell != "–" for cell in cells):
                lines.append(f"| {kind} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def gain_table(kinds):
    """What variable bitrate brings at equal bitrate, between the mean curves."""
    lines = [
        "Variable less constant bitrate at equal kb/s, between the mean curves; positive is better, of every measure. "
        "First with 3 bits of count, then with the count by an adaptive code.",
        "",
        f"| kind | measure | {' | '.join(f'{kbps:g} kb/s' for kbps in EQUAL)} |",
        "|---|---|" + "---|" * len(EQUAL),
    ]
    for kind, part in kinds.items():
        for measure, (name, _, digits) in MEASURES.items():
            if mean_curve(part["points"], measure, "kbps", "n") is None:
                continue
            cells = []
            for kbps in EQUAL:
                gains = [gain_at(part["points"], measure, rate, kbps) for rate in RATES]
                cells.append(" / ".join("–" if gain is None else f"{gain:+.{digits}f}" for gain in gains))
            lines.append(f"| {kind} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def points_table(kind, part):
    """Every operating point of a kind, means over the files."""
    points = part["points"]
    taken = [m for m in MEASURES if any(m in row for rows in points.values() for row in rows)]
    names = " | ".join(MEASURES[m][0] for m in taken)
    lines = [
        f"{kind.capitalize()}, {len(points['n=8'])} files:",
        "",
        f"| point | kb/s | kb/s, adaptive count | {names} |",
        "|---|---|---|" + "---|" * len(taken),
    ]
    for name, rows in points.items():
        rates = f"{operating.mean(rows, 'kbps'):.2f} | {operating.mean(rows, 'kbps_adaptive'):.2f}"
        values = " | ".join(f"{operating.mean(rows, m):.{MEASURES[m][2]}f}" for m in taken)
        lines.append(f"| {name} | {rates} | {values} |")
    return "\n".join(lines)


def for_view(kinds, path, items):
    """The curves that the program's view draws of this model, means of the kinds: the live packet's plain bits, SI-SDR and what
    else of the view's figures was measured."""
    def curve(mode):
        names = [name for name in next(iter(kinds.values()))["points"] if name.startswith(mode)]
        for name in sorted(names, key=lambda name: float(name[2:])):
            point = {"setting": float(name[2:])}
            for key, figure in (("kbps", "kilobits"), ("si_sdr", "si_sdr_db"), ("lsd", "log_spectral_db"), ("nmr", "noise_to_mask_db")):
                means = [operating.mean(part["points"][name], key) for part in kinds.values()]
                if None not in means:
                    point[figure] = round(float(np.mean(means)), 3)
            yield point

    with zipfile.ZipFile(path) as archive:
        sums = [f"{archive.getinfo(name).CRC:08x}" for name in ("encoder.onnx", "decoder.onnx")]
    *others, last = kinds
    words = f"{', '.join(others)} and {last}" if others else last
    return {
        "fingerprint": "-".join(sums),
        "measured_on": f"held-out {words} audio, {items} clips each",
        "vbr": list(curve("l")),
        "cbr": list(curve("n")),
    }
