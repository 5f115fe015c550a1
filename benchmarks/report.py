"""The page and the pictures of speed and memory, from the tracked results.

``python -m benchmarks.report`` writes ``docs/speed.md``, the pictures ``speed.png``, ``growth.png``
and ``held_out.png`` in ``docs/images``, and the tables of other pages, from ``results/*.csv``.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.machine import RESULTS, read
from benchmarks.memory import exponent
from benchmarks.plot_reliability import BASELINE, OURS, save_picture
from benchmarks.tables import PAGES, markdown, updated

DOCS = Path(__file__).parents[1] / "docs"
NAMES = "iteration", "workloads", "memory", "growth"
INTRODUCTION = """\
# Speed and memory

`python -m benchmarks` measures everything on this page in eighteen minutes and writes it.
[Benchmarks](benchmarks.md) describes the measurements. All implementations run interleaved in one
process. A ratio is the time of an implementation divided by ours in the same round: the median of
all rounds, and in brackets the lowest and the highest. A ratio above 1 means that ours is faster.

Machine: {machine}
"""


def main() -> None:
    results = {name: read(name) for name in NAMES}
    (DOCS / "speed.md").write_text(page(**results))
    for name in PAGES:
        others = DOCS / f"{name}.md"
        others.write_text(updated(name, others.read_text()))
    mpl.use("Agg")
    draw_ratios(results["iteration"].dropna(subset="us"))
    draw_growth(results["growth"])
    draw_held_out(read("held_out"))


def page(iteration, workloads, memory, growth):
    return "\n".join(
        [
            INTRODUCTION.format(machine=machine()),
            "## One iteration of full-batch gradient descent, loss included\n",
            iteration_table(iteration),
            "\n![Time of an iteration relative to ours](images/speed.png)\n",
            "## Other workloads, compared with MLPClassifier\n",
            workloads_table(workloads),
            "\n## Memory of a fit, in addition to X and y\n",
            memory_table(memory),
            "\n## Growth with the number of rows\n",
            f"Time grows with the power {exponent(growth):.3f} of the number of rows. A fit needs "
            f"{growth['MiB'].iloc[0]:.0f} MiB and {bytes_per_row(growth):.1f} "
            "bytes for each row, mostly the targets in the dtype of X.\n",
            "![Time of an iteration and memory, by the number of rows](images/growth.png)\n",
        ]
    )


def machine():
    """The machine of all four results, from the comments in their first lines."""
    heads = {
        "; ".join(line[2:] for line in path.read_text().splitlines() if line.startswith("# "))
        for path in (RESULTS / f"{name}.csv" for name in NAMES)
    }
    if len(heads) > 1:
        raise ValueError(f"The results come from several machines or versions: {heads}.")
    return heads.pop()


def bytes_per_row(growth):
    return growth["MiB"].iloc[-1] * 2**20 / growth["m"].iloc[-1]


def iteration_table(iteration):
    header = "m, n_x, n_h", "dtype", "ours", *names(iteration)
    rows = []
    for (_, dtype), part in iteration.groupby(["size", "dtype"], sort=False):
        first = part.iloc[0]
        by_name = part.set_index("implementation")
        cells = [cell(by_name.loc[name]) if name in by_name.index else "" for name in header[3:]]
        size = f"{first['m']}, {first['n_x']}, {first['n_h']}"
        rows.append([size, dtype, duration(first["us"]), *cells])
    return markdown(header, rows)


def names(table):
    return [name for name in dict.fromkeys(table["implementation"]) if name != "ours"]


def workloads_table(workloads):
    rows = []
    for workload, part in workloads.groupby("workload", sort=False):
        ours, baseline = part.iloc[0], part.iloc[1]
        times = (note(row) or duration(row["us"]) for row in (ours, baseline))
        rows.append([workload, *times, cell(baseline)])
    return markdown(("workload", "ours", "MLPClassifier", "MLPClassifier / ours"), rows)


def memory_table(memory):
    rows = []
    for name, part in memory.groupby("implementation", sort=False):
        cells = (note(row) or f"{row['MiB']:.0f} MiB" for _, row in part.iterrows())
        rows.append([name, *cells])
    return markdown(("500000 x 20, 32 units", "float64", "float32"), rows)


def cell(row):
    """The ratio and its range, or the reason why there is none."""
    ratio = "relative to ours"
    return note(row) or f"{row[ratio]:.2f} ({row['lowest']:.2f} to {row['highest']:.2f})"


def note(row):
    """The reason why there is no figure, for a table cell; empty if there is one."""
    return row["note"].replace("|", "/") if isinstance(row["note"], str) else ""


def duration(us):
    for unit, size in ("s", 1e6), ("ms", 1e3), ("us", 1):
        if us >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us:.2g} us"


def draw_ratios(iteration):
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after mpl.use

    others = names(iteration)
    figure, axes = plt.subplots(1, 5, figsize=(12, 3.6), sharey=True, layout="constrained")
    for ax, (_, part) in zip(axes, iteration.groupby("size", sort=False), strict=True):
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
    save_picture(figure, "speed.png")


def draw_growth(growth):
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, (time, memory) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    time.loglog(growth["m"], growth["us"] / 1e3, "o-", color=OURS)
    time.set(xlabel="rows", ylabel="ms", title="an iteration, 20 features and 32 units, float64")
    X = growth["m"] * 20 * 8 / 2**20
    memory.loglog(growth["m"], X, "s--", color=BASELINE, label="X itself")
    memory.loglog(
        growth["m"], growth["MiB"], "o-", color=OURS, label="a fit, in addition to X and y"
    )
    memory.set(xlabel="rows", ylabel="MiB", title="memory")
    memory.legend()
    for ax in time, memory:
        ax.grid(alpha=0.3)
    save_picture(figure, "growth.png")


def draw_held_out(results):
    import matplotlib.pyplot as plt  # noqa: PLC0415

    losses = results.pivot_table("log loss", "data", "estimator", sort=False)
    relative = losses.div(losses["LogisticRegression"], axis=0).sort_values("ours")
    figure, ax = plt.subplots(figsize=(9, 6), layout="constrained")
    styles = {
        "ours": (OURS, "o"),
        "ours, L-BFGS, loo": ("#56B4E9", "D"),
        "MLPClassifier": (BASELINE, "s"),
        "HistGradientBoosting": ("#009E73", "^"),
    }
    for name, (colour, marker) in styles.items():
        ax.scatter(relative[name], range(len(relative)), c=colour, marker=marker, s=40, label=name)
    ax.axvline(1, color="k", linewidth=0.8)
    ax.set_yticks(range(len(relative)), relative.index)
    ax.set(xscale="log", xlabel="log loss on held-out rows, relative to LogisticRegression")
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"], minor=False)
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.set_axisbelow(True)
    ax.legend()
    save_picture(figure, "held_out.png")


if __name__ == "__main__":
    main()
