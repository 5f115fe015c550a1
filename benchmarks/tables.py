"""The tables of ``benchmarks.md`` and ``large_data.md`` under ``docs/``, from tracked results.

``python -m benchmarks.report`` finds a table by its header and replaces it up to the next blank
line. A test checks that the pages are up to date.
"""

from __future__ import annotations

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


def reliability():
    rows = []
    for problem, group in read("reliability").groupby("problem", sort=False):
        best = group["loss"].min()
        for k, (estimator, fits) in enumerate(group.groupby("estimator", sort=False)):
            losses = fits["loss"]
            within = [(losses <= best * (1 + share) + 1e-4).mean() for share in (0.01, 0.05)]
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


def three_digits(figure):
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


PAGES = {
    "benchmarks": (held_out, initialisation, selection, reliability, generalisation, time_to_loss),
    "user_guide/large_data": (cluster,),
}
