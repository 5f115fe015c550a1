"""Draw the pictures of local minima from ``results/reliability.csv``.

``python -m benchmarks.plot_reliability`` draws two in ``docs/images``. ``reliability.png`` has the
training losses of all seeds, one panel for each problem. ``expected_time.png`` has the seconds
until one of several fits is close to the lowest loss.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.machine import read
from benchmarks.tables import expected_seconds

IMAGES = Path(__file__).parents[1] / "docs" / "images"
OURS, BASELINE = "#0b5394", "#b45f06"  # different in greyscale too
LOWEST = 1e-6  # lower losses are drawn here


def draw(seeds):
    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after mpl.use

    names = list(dict.fromkeys(seeds["estimator"]))
    figure, axes = plt.subplots(5, 2, figsize=(10, 13), sharey=True, layout="constrained")
    jitter = np.random.RandomState(0).uniform(-0.25, 0.25, len(seeds))
    for ax, (problem, rows) in zip(axes.flat, seeds.groupby("problem", sort=False), strict=True):
        place = rows["estimator"].map(names.index) + jitter[rows.index]
        colour = rows["estimator"].str.startswith("ours").map({True: OURS, False: BASELINE})
        ax.scatter(rows["loss"].clip(LOWEST), place, c=colour, s=14, alpha=0.6, linewidths=0)
        medians = rows.groupby("estimator", sort=False)["loss"].median().clip(LOWEST)
        ax.plot(medians, [names.index(name) for name in medians.index], "k|", markersize=16)
        wide = rows["loss"].max() > 20 * rows["loss"].min()
        ax.set(xscale="log" if wide else "linear", title=f"{problem} units")
        ax.grid(axis="x", alpha=0.3)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].invert_yaxis()
    figure.supxlabel("training loss of each of 20 seeds, and their median (lower is better)")
    save_picture(figure, "reliability.png")


def draw_expected_time(seeds):
    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after mpl.use

    markers = {
        "ours, L-BFGS": (OURS, "o"),
        "ours, L-BFGS, 3 starts": (OURS, "s"),
        "ours, L-BFGS, 10 starts": (OURS, "D"),
        "MLPClassifier, L-BFGS": (BASELINE, "^"),
        "MLPClassifier, Adam": (BASELINE, "v"),
        "MLPClassifier, SGD": (BASELINE, "+"),
        "nnet": (BASELINE, "x"),
    }
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), sharey=True, layout="constrained")
    for ax, share in zip(axes, (0.01, 0.05), strict=True):
        seconds = expected_seconds(seeds, share)
        place = np.arange(len(seconds))
        for name, (colour, marker) in markers.items():
            if name in seconds:
                ax.scatter(seconds[name], place, c=colour, marker=marker, s=36, label=name)
        ax.set(xscale="log", title=f"within {share:.0%} of the lowest loss")
        ax.grid(alpha=0.3)
        ax.set_axisbelow(True)
    axes[0].set_yticks(place, [f"{problem} units" for problem in seconds.index])
    axes[0].invert_yaxis()
    figure.supxlabel("seconds to success with probability 95 % (no mark: no seed succeeds)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    save_picture(figure, "expected_time.png")


def save_picture(figure, name):
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / name, dpi=110)


if __name__ == "__main__":
    results = read("reliability")
    draw(results)
    draw_expected_time(results)
