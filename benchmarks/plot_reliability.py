"""Draw ``docs/images/reliability.png`` from ``results/reliability.csv``.

``python -m benchmarks.plot_reliability``: the training losses of all seeds, one panel for each
problem.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

from benchmarks.machine import RESULTS

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "reliability.png"
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
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    draw(pd.read_csv(RESULTS / "reliability.csv", comment="#"))
