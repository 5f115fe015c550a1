"""The figures of speed and memory as a page and two pictures, from the tracked results.

``python -m benchmarks.report`` writes ``docs/speed.md``, ``docs/images/speed.png`` and
``docs/images/growth.png`` from ``results/*.csv``, and the tables of other pages, without measuring
anew.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.machine import RESULTS, read
from benchmarks.memory import exponent
from benchmarks.plot_reliability import OURS, RIVAL
from benchmarks.tables import PAGES, brought_up_to_date, markdown

DOCS = Path(__file__).parents[1] / "docs"
NAMES = "iteration", "jobs", "memory", "growth"
INTRODUCTION = """\
# Speed and memory

Written by `python -m benchmarks`, which measures everything on this page anew in a quarter of an
hour. A ratio is the median, over rounds run in turn in one process, of a contestant's time divided
by ours in the same round; in brackets the lowest and the highest. More than 1 means that ours is
quicker. [What is measured](benchmarks.md), and how, is said there.

Measured on: {machine}
"""


def main() -> None:
    results = {name: read(name) for name in NAMES}
    (DOCS / "speed.md").write_text(page(**results))
    for name in PAGES:
        others = DOCS / f"{name}.md"
        others.write_text(brought_up_to_date(name, others.read_text()))
    draw(results["iteration"], results["growth"])


def page(iteration, jobs, memory, growth):
    return "\n".join(
        [
            INTRODUCTION.format(machine=machine()),
            "## An iteration of full-batch gradient descent, cost included\n",
            iteration_table(iteration),
            "\n![How many times as long as ours an iteration takes](images/speed.png)\n",
            "## Whole jobs, beside MLPClassifier\n",
            jobs_table(jobs),
            "\n## Memory of a fit, beyond X and y\n",
            memory_table(memory),
            "\n## Growth with the number of rows\n",
            f"Time grows with the power {exponent(growth):.3f} of the number of rows; the memory "
            f"beyond X and y is {growth['MiB'].iloc[0]:.0f} MiB and {bytes_per_row(growth):.1f} "
            "bytes a row, most of them the targets in the precision of X.\n",
            "![Time of an iteration and memory, by the number of rows](images/growth.png)\n",
        ]
    )


def machine():
    """Where all four were measured, from the comments at the head of their results."""
    heads = {
        "; ".join(line[2:] for line in path.read_text().splitlines() if line.startswith("# "))
        for path in (RESULTS / f"{name}.csv" for name in NAMES)
    }
    if len(heads) > 1:
        raise ValueError(f"The results are of several machines or versions: {heads}.")
    return heads.pop()


def bytes_per_row(growth):
    return growth["MiB"].iloc[-1] * 2**20 / growth["m"].iloc[-1]


def iteration_table(iteration):
    header = "m, n_x, n_h", "dtype", "ours", *names(iteration)
    rows = []
    for (_, dtype), part in iteration.groupby(["size", "dtype"], sort=False):
        first = part.iloc[0]
        by_name = part.set_index("contestant")
        cells = [cell(by_name.loc[name]) if name in by_name.index else "" for name in header[3:]]
        size = f"{first['m']}, {first['n_x']}, {first['n_h']}"
        rows.append([size, dtype, duration(first["us"]), *cells])
    return markdown(header, rows)


def names(table):
    return [name for name in dict.fromkeys(table["contestant"]) if name != "ours"]


def jobs_table(jobs):
    rows = []
    for job, part in jobs.groupby("job", sort=False):
        ours, rival = part.iloc[0], part.iloc[1]
        times = (note(row) or duration(row["us"]) for row in (ours, rival))
        rows.append([job, *times, cell(rival)])
    return markdown(("job", "ours", "MLPClassifier", "times ours"), rows)


def memory_table(memory):
    rows = []
    for name, part in memory.groupby("contestant", sort=False):
        cells = (note(row) or f"{row['MiB']:.0f} MiB" for _, row in part.iterrows())
        rows.append([name, *cells])
    return markdown(("500000 x 20, 32 units", "float64", "float32"), rows)


def cell(row):
    """The ratio and its range, or why there is none."""
    return note(row) or f"{row['times ours']:.2f} ({row['least']:.2f} to {row['most']:.2f})"


def note(row):
    """Why there is no figure, fit for a table; empty where there is one."""
    return row["note"].replace("|", "/") if isinstance(row["note"], str) else ""


def duration(us):
    for unit, size in ("s", 1e6), ("ms", 1e3), ("us", 1):
        if us >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us:.2g} us"


def draw(iteration, growth):
    mpl.use("Agg")
    draw_ratios(iteration.dropna(subset="us"))
    draw_growth(growth)


def draw_ratios(iteration):
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after the choice of a backend

    others = names(iteration)
    figure, axes = plt.subplots(1, 5, figsize=(12, 3.6), sharey=True, layout="constrained")
    for ax, (_, part) in zip(axes, iteration.groupby("size", sort=False), strict=True):
        for dtype, marker, shift in ("float64", "o", -0.12), ("float32", "s", 0.12):
            rows = part[(part["dtype"] == dtype) & (part["contestant"] != "ours")]
            place = np.array([others.index(name) for name in rows["contestant"]]) + shift
            ax.hlines(place, rows["least"].clip(0.1), rows["most"], color="0.7", linewidth=2)
            colour = np.where(rows["times ours"] >= 1, OURS, RIVAL)
            ax.scatter(rows["times ours"], place, c=colour, marker=marker, s=26, zorder=3)
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
        "time of an iteration as a multiple of ours: median and range (circles float64, squares "
        "float32; right of 1 ours is quicker)"
    )
    save_picture(figure, "speed.png")


def draw_growth(growth):
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, (time, memory) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    time.loglog(growth["m"], growth["us"] / 1e3, "o-", color=OURS)
    time.set(xlabel="rows", ylabel="ms", title="an iteration, 20 features and 32 units, float64")
    X = growth["m"] * 20 * 8 / 2**20
    memory.loglog(growth["m"], X, "s--", color=RIVAL, label="X itself")
    memory.loglog(growth["m"], growth["MiB"], "o-", color=OURS, label="a fit, beyond X and y")
    memory.set(xlabel="rows", ylabel="MiB", title="memory")
    memory.legend()
    for ax in time, memory:
        ax.grid(alpha=0.3)
    save_picture(figure, "growth.png")


def save_picture(figure, name):
    (DOCS / "images").mkdir(exist_ok=True)
    figure.savefig(DOCS / "images" / name, dpi=110)


if __name__ == "__main__":
    main()
