"""Time of one iteration of full-batch gradient descent, loss included, compared with baselines.

Five sizes are measured, in float64 and float32. A time is the difference of two runs, so the
overhead of a fit is not in it. Our loss is computed for the final parameters of all.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from benchmarks import problems
from benchmarks._harness import BASELINE, OURS, markdown
from benchmarks.baselines import BASELINES, loss_of, ours, start_of
from benchmarks.timing import cell, compare, duration, each_of

MINUTES = 10
SIZES = {  # m, n_x, n_h; iterations in a round, rounds
    "A": (2000, 2, 2, 500, 9),
    "B": (569, 30, 16, 500, 9),
    "C": (20000, 20, 32, 50, 9),
    "D": (60000, 784, 64, 2, 5),
    "E": (500000, 20, 32, 3, 5),
}
THREADS_PAY = ("C", "D", "E")
LEARNING_RATE = 0.5


def rows():
    for size in SIZES:
        for dtype in "float64", "float32":
            yield from measure(size, dtype)


def measure(size, dtype):
    """One row for each implementation at one size."""
    m, n_x, n_h, n_iter, n_rounds = SIZES[size]
    X, y = problems.noise(m, n_x, dtype)
    start = start_of(n_x, n_h, dtype)
    implementations = dict(BASELINES)
    if size in THREADS_PAY:
        implementations["ours, n_jobs=1"] = partial(ours, n_jobs=1)
    prepared = {
        name: partial(prepare, implementation, X, y, start, n_iter)
        for name, implementation in implementations.items()
    }
    for row in compare(prepared, n_rounds):
        yield {"size": size, "m": m, "n_x": n_x, "n_h": n_h, "dtype": dtype} | row


def prepare(implementation, X, y, start, n_iter):
    fewer, more = (implementation(X, y, start, LEARNING_RATE, n) for n in (1, 1 + n_iter))

    def work():
        seconds, params = each_of(n_iter, more, fewer)
        return seconds, np.nan if params is None else loss_of(params, X, y)

    return work


def table(results):
    others = other_than_ours(results)
    rows = []
    for (_, dtype), part in results.groupby(["size", "dtype"], sort=False):
        first = part.iloc[0]
        by_name = part.set_index("implementation")
        cells = [cell(by_name.loc[name]) if name in by_name.index else "" for name in others]
        size = f"{first['m']}, {first['n_x']}, {first['n_h']}"
        rows.append([size, dtype, duration(first["us"]), *cells])
    return markdown(["m, n_x, n_h", "dtype", "ours", *others], rows)


def other_than_ours(results):
    return [name for name in results["implementation"].unique() if name != "ours"]


def figures(results):
    results = results.dropna(subset="us")
    others = other_than_ours(results)
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    axes = figure.subplots(1, len(SIZES), sharey=True)
    for ax, (_, part) in zip(axes, results.groupby("size", sort=False), strict=True):
        for dtype, marker, shift in ("float64", "o", -0.12), ("float32", "s", 0.12):
            rows = part[(part["dtype"] == dtype) & (part["implementation"] != "ours")]
            place = np.array([others.index(name) for name in rows["implementation"]]) + shift
            ax.hlines(place, rows["lowest"].clip(0.1), rows["highest"], color="0.7", linewidth=2)
            colour = np.where(rows["relative to ours"] >= 1, OURS, BASELINE)
            ax.scatter(rows["relative to ours"], place, c=colour, marker=marker, s=26, zorder=3)
        first = part.iloc[0]
        title = f"{first['m']} x {first['n_x']}, {first['n_h']} units"
        ax.set(xscale="log", xlim=(0.15, 20), title=title)
        ax.set_xticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"], minor=False)
        ax.minorticks_off()
        ax.axvline(1, color="k", linewidth=0.8)
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(others)), others)
    axes[0].invert_yaxis()
    figure.supxlabel(
        "time of an iteration relative to ours, median and range (circles: float64, squares: "
        "float32; above 1 ours is faster)"
    )
    return {"speed": figure}
