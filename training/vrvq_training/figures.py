"""Figures as the paper draws them: rate against distortion, and the use of the codebooks above the spectrogram."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.colors import LinearSegmentedColormap  # noqa: E402

from .savings import MEASURES, RATES, mean_curve  # noqa: E402

USAGE_LEVELS = (4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 26)
STYLE = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25}
VARIABLE, ADAPTIVE, CONSTANT = "#c2410c", "#f59e0b", "#1f2937"
USED = LinearSegmentedColormap.from_list("used", ["#f1f5f9", "#0f766e"])


def _save(figure, path):
    figure.savefig(path, dpi=110, bbox_inches="tight", pil_kwargs={"optimize": True})
    plt.close(figure)


def rate_distortion(kinds, path):
    """A column for each kind, a row for each measure that was taken; ``kinds`` as :func:`operating.measure` gives it."""
    points = {kind: part["points"] for kind, part in kinds.items()}
    taken = [m for m in MEASURES if any(m in row for part in points.values() for rows in part.values() for row in rows)]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(len(taken), len(points), figsize=(3.4 * len(points), 2.2 * len(taken)), squeeze=False)
        for column, (kind, part) in enumerate(points.items()):
            lowest = [r for r, m in enumerate(taken) if mean_curve(part, m, "kbps", "n") is not None][-1]
            for row, measure in enumerate(taken):
                ax = axes[row, column]
                curves = [
                    (mean_curve(part, measure, "kbps", "n"), CONSTANT, "s", "--", "constant, n = 1..8"),
                    (mean_curve(part, measure, "kbps", "l"), VARIABLE, "o", "-", f"variable, {RATES['kbps']}"),
                    (mean_curve(part, measure, "kbps_adaptive", "l"), ADAPTIVE, "^", "-", f"variable, {RATES['kbps_adaptive']}"),
                ]
                if curves[0][0] is None:
                    ax.set_visible(False)
                    continue
                for curve, colour, marker, line, label in curves:
                    if curve is not None:
                        ax.plot(*curve, color=colour, marker=marker, linestyle=line, markersize=3, linewidth=1, label=label)
                name, sign, _ = MEASURES[measure]
                ax.set_ylabel(name + ("" if sign > 0 else " (less is better)"))
                ax.set_xlim(0.5, 7.5)
                if row == 0:
                    ax.set_title(kind)
                if row == lowest:
                    ax.set_xlabel("kb/s")
        axes[0, 0].legend(fontsize=6.5, frameon=False)
        figure.tight_layout()
        _save(figure, path)


def usage(clips, path, rate=44100):
    """Codebooks used at each level above the spectrogram of the input, a column for each clip.

    ``clips`` is a list of title, audio ``[samples]`` and ``{level: counts [frames]}``.
    """
    with plt.rc_context(STYLE | {"axes.grid": False, "font.size": 7}):
        levels = list(clips[0][2])
        heights = [1] * len(levels) + [3]
        figure, axes = plt.subplots(
            len(heights), len(clips), figsize=(2.1 * len(clips), 0.42 * sum(heights)), squeeze=False,
            gridspec_kw={"height_ratios": heights, "hspace": 0.12, "wspace": 0.08},
        )
        for column, (title, audio, by_level) in enumerate(clips):
            seconds = len(audio) / rate
            for row, level in enumerate(sorted(levels, reverse=True)):
                ax, counts = axes[row, column], np.asarray(by_level[level])
                mask = np.arange(8)[:, None] < counts
                ax.imshow(mask, origin="lower", aspect="auto", cmap=USED, interpolation="nearest", vmin=0, vmax=1,
                          extent=(0, seconds, 0.5, 8.5))
                ax.set(xticks=[], yticks=[])
                ax.text(0.99, 0.94, f"{counts.mean():.1f}", transform=ax.transAxes, ha="right", va="top", fontsize=5.5,
                        bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 0.8})
                if column == 0:
                    ax.set_ylabel(f"l = {level}", rotation=0, ha="right", va="center")
            axes[0, column].set_title(title, fontsize=8)
            ax = axes[-1, column]
            ax.specgram(audio + 1e-6 * np.random.default_rng(0).standard_normal(len(audio)), NFFT=1024, Fs=rate / 1000,
                        noverlap=512, cmap="magma", vmin=-120, vmax=-25, xextent=(0, seconds))
            ax.set_ylim(0, 16)
            ax.set_xlabel("s")
            if column:
                ax.set_yticks([])
            else:
                ax.set_ylabel("kHz")
        _save(figure, path)


def several(models, path, measures):
    """Curves of several models in one figure: ``models`` maps a name to what :func:`operating.measure` gave."""
    kinds = list(next(iter(models.values())))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(len(measures), len(kinds), figsize=(3.4 * len(kinds), 2.6 * len(measures)), squeeze=False)
        for name, colour in zip(models, plt.rcParams["axes.prop_cycle"].by_key()["color"] * 2):
            for column, kind in enumerate(kinds):
                for row, measure in enumerate(measures):
                    ax, points = axes[row, column], models[name][kind]["points"]
                    for mode, line, marker in (("n", ":", None), ("l", "-", "o")):
                        curve = mean_curve(points, measure, "kbps", mode)
                        if curve is not None:
                            label = name if mode == "l" else None
                            ax.plot(*curve, color=colour, linestyle=line, marker=marker, markersize=3, linewidth=1, label=label)
                    ax.set_ylabel(MEASURES[measure][0])
                    if row == 0:
                        ax.set_title(f"{kind} (dotted: constant)")
                    ax.set_xlabel("kb/s")
        axes[0, 0].legend(fontsize=6.5, frameon=False)
        figure.tight_layout()
        _save(figure, path)
