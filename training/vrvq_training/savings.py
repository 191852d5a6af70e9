"""What variable bitrate saves: BD-rate of each file, and the gain at equal bitrate."""

import numpy as np
from bjontegaard import bd_rate
from scipy.interpolate import PchipInterpolator

# Figures of merit: name, sign (+1: more is better), digits.
MEASURES = {
    "si_sdr": ("SI-SDR dB", 1, 2), "mel": ("log-mel", -1, 3), "stft": ("STFT", -1, 3), "lsd": ("LSD dB", -1, 2), "nmr": ("NMR dB", -1, 2),
    "visqol": ("ViSQOL", 1, 2),
    "pesq": ("PESQ-wb", 1, 2), "estoi": ("ESTOI", 1, 3),
}
RATES = {"kbps": "3 bits of count", "kbps_adaptive": "count by an adaptive code"}
# Constant counts of 1.72 to 6.03 kb/s, about where the paper's operating points lie.
ANCHOR = range(2, 8)
EQUAL = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 5.5, 6.0)


def front(rate, value):
    """The points, by rate, that are better than every cheaper one: what BD-rate is defined on."""
    order = np.argsort(rate, kind="stable")
    kept = []
    for i in order:
        if not kept or (value[i] > value[kept[-1]] and rate[i] > rate[kept[-1]]):
            kept.append(i)
    return np.asarray(rate)[kept], np.asarray(value)[kept]


def item_bd_rates(points, measure, rate):
    """BD-rate in percent of variable against constant bitrate for each item that has it; negative is a saving.

    Items whose curves don't overlap or have fewer than three points left are ``nan``.
    """
    sign = MEASURES[measure][1]
    variable = [name for name in points if name.startswith("l")]
    constant = [f"n={n}" for n in ANCHOR if f"n={n}" in points]
    result = []
    for item, row in enumerate(points["n=8"]):
        if measure not in row:
            continue
        curve = lambda names: front(
            [points[n][item][rate] for n in names], [sign * points[n][item][measure] for n in names]
        )
        anchor, test = curve(constant), curve(variable)
        overlap = len(anchor[0]) >= 3 and len(test[0]) >= 3
        overlap = overlap and min(anchor[1][-1], test[1][-1]) > max(anchor[1][0], test[1][0])
        saving = bd_rate(*anchor, *test, method="pchip", require_matching_points=False, min_overlap=0) if overlap else np.nan
        result.append(float(saving))
    return np.array(result)


def mean_curve(points, measure, rate, mode):
    """Rate and measure of a mode's points, means over the items that have the measure, by rate."""
    rows = [[row for row in rows if measure in row] for name, rows in points.items() if name.startswith(mode)]
    pairs = sorted((np.mean([row[rate] for row in r]), np.mean([row[measure] for row in r])) for r in rows if r)
    return np.array(pairs).T if pairs else None


def gain_at(points, measure, rate, kbps):
    """Variable less constant bitrate at ``kbps``, between mean curves, in the measure's unit and signed so that more is
    better; ``None`` outside of either."""
    curves = [mean_curve(points, measure, rate if mode == "l" else "kbps", mode) for mode in "ln"]
    if any(curve is None or not curve[0][0] <= kbps <= curve[0][-1] for curve in curves):
        return None
    variable, constant = (PchipInterpolator(*_distinct(curve))(kbps) for curve in curves)
    return float(MEASURES[measure][1] * (variable - constant))


def _distinct(curve):
    rate, index = np.unique(curve[0], return_index=True)
    return rate, curve[1][index]
