"""The tables of ``benchmarks.md`` and ``large_data.md`` under ``docs/``, from tracked results.

``python -m benchmarks.report`` finds a table by its header and replaces it up to the next blank
line. A test checks that the pages are up to date.
"""

from __future__ import annotations

import numpy as np

from benchmarks.machine import read

OURS = ["ours", "ours, L-BFGS, loo"]  # the two sets of parameters in held_out
CLUSTER_KEYS = ["m", "n_x", "n_h", "chunks", "workers"]


def updated(name, page):
    """The page with its tables updated."""
    for table in (make() for make in PAGES[name]):
        header = table.splitlines()[0]
        before, after = page.split(f"{header}\n")
        _, rest = after.split("\n\n", 1)
        page = f"{before}{table}\n\n{rest}"
    return page


def markdown(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share):
    return f"{100 * share:.0f} %"


def held_out():
    results = read("held_out")
    losses = results.pivot_table("log loss", "data", "estimator", sort=False)
    rows = []
    for data, line in losses.iterrows():
        best = line.min()
        cells = [f"**{loss:.3f}**" if loss == best else f"{loss:.3f}" for loss in line]
        rows.append([data, *cells])
    for ours in OURS:
        compared = losses.drop(columns=[name for name in OURS if name != ours])
        ranks = compared.rank(axis=1).mean()
        cells = [f"{ranks[name]:.2f}" if name in ranks else "" for name in losses]
        rows.append([f"mean rank, with {ours}", *cells])
    seconds = results.groupby("estimator")["seconds"].sum()
    rows.append(["seconds of all fits", *(f"{seconds[name]:.0f}" for name in losses)])
    return markdown(["log loss", *losses], rows)


def initialisation():
    starts = {"small": "small", "glorot": "Glorot", "spread": "spread"}
    rows = []
    for (problem, n_h), group in read("initialisation").groupby(["problem", "n_h"], sort=False):
        found = group.set_index("init").loc[list(starts)]
        cells = zip(found["median"], found["good"], strict=True)
        rows.append([problem, str(n_h), *(f"{loss:.3f}, {percent(good)}" for loss, good in cells)])
    return markdown(["", "n_h", *starts.values()], rows)


def selection():
    rows = []
    for problem, group in read("selection").groupby("problem", sort=False):
        found = group.set_index("estimator").loc[["ours", "MLPClassifier"]]
        cells = zip(found["log loss"], found["seconds"], strict=True)
        cells = [f"{loss:.3f} ({seconds:.1f})" for loss, seconds in cells]
        rows.append([problem.replace("_", " "), *cells])
    return markdown(["after a search", "ours", "MLPClassifier"], rows)


def penalty_search():
    rows = []
    for (data, n_h), group in read("penalty_search").groupby(["data", "n_h"], sort=False):
        found = group.set_index("implementation")
        loo, one, grid = (found.loc[name] for name in ("loo", "one fit", "GridSearchCV"))
        ratio = "relative to ours"
        figures = 1 / one[ratio], grid[ratio]
        size = str(loo["parameters"])
        rows.append([data, str(n_h), size, f"{loo['us'] / 1e6:.2g}", *map(three_digits, figures)])
    ratios = "time / one fit", "GridSearchCV / time"
    return markdown(["alpha='loo'", "n_h", "parameters", "seconds", *ratios], rows)


def penalty_choice():
    results = read("penalty_choice")
    rows = []
    for group, fits in results.groupby("group", sort=False):
        regret, estimate = fits["new"] / fits["best"] - 1, fits["loo"] / fits["new"]
        near, accurate = (regret <= 0.1).mean(), ((estimate - 1).abs() <= 0.15).mean()
        figures = percent(regret.median()), percent(regret.quantile(0.9)), percent(near)
        rows.append(
            [group, str(len(fits)), *figures, f"{estimate.median():.2f}", percent(accurate)]
        )
    regret = "regret: median", "9 of 10 below", "at most 10 %"
    estimate = "estimate / new loss: median", "within 15 %"
    return markdown(["", "fits", *regret, *estimate], rows)


def reached(losses, lowest, share):
    """Which losses are within ``share`` plus 1e-4 of the lowest one."""
    return losses <= lowest * (1 + share) + 1e-4


def expected_seconds(results, share):
    """Seconds until a fit is within ``share`` of the lowest loss, with probability 95 %.

    A row for each problem and a column for each estimator; infinite if no seed gets there. Fits
    that succeed with probability q must be repeated log(0.05) / log(1 - q) times, at least once.
    """
    groups = results.groupby(["problem", "estimator"], sort=False)
    lowest = results.groupby("problem")["loss"].min()
    q = groups["loss"].apply(lambda losses: reached(losses, lowest[losses.name[0]], share).mean())
    with np.errstate(divide="ignore"):
        repeats = np.maximum(1, np.log(0.05) / np.log1p(-q))
    return (groups["seconds"].mean() * repeats).unstack(sort=False)


def expected_time():
    within_1, within_5 = (expected_seconds(read("reliability"), share) for share in (0.01, 0.05))
    rivals = [name for name in within_1 if not name.startswith("ours")]
    ours = [name for name in within_1 if name.startswith("ours, L-BFGS")]
    rows = []
    for problem in within_1.index:
        lines = within_1.loc[problem], within_5.loc[problem]
        ratios = [line[rivals].min() / line[ours].min() for line in lines]
        cells = [" / ".join(short(line[name]) for line in lines) for name in [*ours, *rivals]]
        rows.append([problem, *cells, " / ".join(map(short, ratios))])
    return markdown(["within 1 % / 5 %", *ours, *rivals, "best rival / best of ours"], rows)


def short(figure):
    if not np.isfinite(figure):
        return "-"
    return f"{figure:.2g}" if figure < 99.5 else f"{figure:.0f}"


def reliability():
    rows = []
    for problem, group in read("reliability").groupby("problem", sort=False):
        best = group["loss"].min()
        for k, (estimator, fits) in enumerate(group.groupby("estimator", sort=False)):
            losses = fits["loss"]
            within = [reached(losses, best, share).mean() for share in (0.01, 0.05)]
            figures = map(small, (losses.min(), losses.median(), losses.max()))
            seconds = f"{fits['seconds'].median():.2g}"
            name = "" if k else problem
            rows.append([name, estimator, *figures, *map(percent, within), seconds])
    figures = "lowest", "median", "highest", "within 1 %", "within 5 %", "seconds"
    return markdown(["problem, units", "", *figures], rows)


def small(loss):
    return f"{loss:.4f}" if loss >= 1e-3 else f"{loss:.0e}"


def generalisation():
    results = read("generalisation")
    problems = list(results["problem"].unique())
    rows = []
    for estimator, group in results.groupby("estimator", sort=False):
        means = group.groupby("problem")[["log loss", "accuracy"]].mean().loc[problems]
        cells = zip(means["log loss"], means["accuracy"], strict=True)
        rows.append([estimator, *(f"{loss:.3f}, {accuracy:.3f}" for loss, accuracy in cells)])
    return markdown(["", *problems], rows)


def time_to_loss():
    results = read("time_to_loss")
    results["who"] = results["trained"].str.split(",").str[0]
    best = results["loss"].min()
    rows = []
    for share, what in {0.01: "the lowest of all plus", 0.05: "plus", 0.2: "plus"}.items():
        reached = results[results["loss"] <= best * (1 + share)]
        first = reached.groupby(["who", "trained"]).first().sort_values("seconds")
        quickest = first.groupby("who").first().loc[["ours", "MLPClassifier"]]
        cells = [
            f"{seconds:.1f} s, {epoch:.0f} epoch{'s' * (epoch > 1)}"
            for seconds, epoch in zip(quickest["seconds"], quickest["epoch"], strict=True)
        ]
        rows.append([f"{best * (1 + share):.4f} ({what} {percent(share)})", *cells])
    return markdown(["to a loss of", "ours, best rate", "MLPClassifier(Adam), best rate"], rows)


def cluster():
    rows = []
    for case, group in read("cluster").groupby(CLUSTER_KEYS, sort=False):
        found = group.set_index("where")
        ms, traffic = found["ms"], found["KiB"]["cluster"]
        figures = ms["memory"], ms["cluster"], traffic
        rows.append([*(f"{number:,}" for number in case), *map(three_digits, figures)])
    columns = ["rows", "features", "units", "chunks", "workers"]
    return markdown([*columns, "in memory, ms", "cluster, ms", "traffic, KiB"], rows)


def layouts():
    results = read("layouts")
    results["work"] = results["array"] + ", " + results["method"]
    growth = results[results["m"] == results["m"].max()]
    growth = growth.pivot_table("relative to ours", "layout", "work", sort=False)
    rows = [[layout, *(f"{ratio:.1f}" for ratio in line)] for layout, line in growth.iterrows()]
    return markdown(["layout of the array", *growth], rows)


def three_digits(figure):
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


PAGES = {
    "benchmarks": (
        held_out,
        initialisation,
        selection,
        penalty_search,
        penalty_choice,
        expected_time,
        reliability,
        generalisation,
        time_to_loss,
        layouts,
    ),
    "user_guide/large_data": (cluster,),
}
