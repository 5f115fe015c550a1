"""How often training finds a good minimum: ours, MLPClassifier and R's nnet, with 20 seeds.

Networks with sigmoid units are fitted to ten problems, without penalty, and our loss is computed
for the weights of all. Two fits run at a time, each on one thread. nnet needs ``Rscript`` (Debian:
r-base-core, r-cran-nnet).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from matplotlib.figure import Figure
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks import problems
from benchmarks._harness import BASELINE, OURS, markdown, percent
from benchmarks.baselines import LECTURE, loss_of, of_mlp, of_ours
from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid._network import Parameters

MINUTES = 50
PROBLEMS = {  # data, whether they are standardised, hidden units
    "lecture, raw, 2": (problems.lecture, False, 2),
    "lecture, 2": (problems.lecture, True, 2),
    "lecture, 8": (problems.lecture, True, 8),
    "parity, 4": (problems.parity, False, 4),
    "parity, 8": (problems.parity, False, 8),
    "moons, 8": (problems.moons, True, 8),
    "spirals, 8": (problems.spirals, True, 8),
    "breast cancer, 8": (problems.breast_cancer, True, 8),
    "digits odd, 8": (problems.digits_odd, True, 8),
    "classification, 16": (problems.classification_20000, True, 16),
}
N_SEEDS = 20
MAX_ITER = 3000
LOWEST = 1e-6  # lower losses are drawn here


def ours(**params):
    def fit(X, y, n_h, seed):
        began = time.perf_counter()
        settings = LECTURE | {"max_iter": MAX_ITER, "random_state": seed} | params
        clf = TwoLayerSigmoidClassifier(n_h, **settings).fit(X, y)
        seconds = time.perf_counter() - began
        return of_ours(clf), seconds

    return fit


def mlp_classifier(solver):
    def fit(X, y, n_h, seed):
        began = time.perf_counter()
        mlp = MLPClassifier(
            (n_h,),
            activation="logistic",
            solver=solver,
            alpha=0.0,
            max_iter=MAX_ITER,
            tol=0.0 if solver == "lbfgs" else 1e-4,
            random_state=seed,
        ).fit(X, y)
        seconds = time.perf_counter() - began
        return of_mlp(mlp), seconds

    return fit


def nnet(X, y, n_h, seed):
    with tempfile.TemporaryDirectory() as folder:
        data, weights = Path(folder, "data.csv"), Path(folder, "weights.csv")
        np.savetxt(data, np.column_stack([X, y]), delimiter=",", fmt="%.17g")
        script = Path(__file__).with_name("nnet.R")
        numbers = [str(n) for n in (n_h, seed, MAX_ITER)]
        subprocess.run(["Rscript", script, data, *numbers, weights], check=True)
        seconds, *theta = np.loadtxt(weights)
    hidden = np.reshape(theta[: n_h * (X.shape[1] + 1)], (n_h, -1))  # each row: bias, weights
    output = np.reshape(theta[hidden.size :], (1, -1))
    return Parameters(hidden[:, 1:], hidden[:, :1], output[:, 1:], output[:, :1]), seconds


FITS = {
    "ours": ours(),
    "ours, L-BFGS": ours(solver="lbfgs"),
    "ours, L-BFGS, 3 starts": ours(solver="lbfgs", n_init=3),
    "ours, L-BFGS, 10 starts": ours(solver="lbfgs", n_init=10),
    "MLPClassifier, Adam": mlp_classifier("adam"),
    "MLPClassifier, SGD": mlp_classifier("sgd"),
    "MLPClassifier, L-BFGS": mlp_classifier("lbfgs"),
    "nnet": nnet,
}


def rows():
    return measure(loss, PROBLEMS, FITS, range(N_SEEDS))


def measure(one_fit, problem_names, estimators, numbers):
    """A row for each problem, estimator, and seed or fold."""
    present = [name for name in estimators if name != "nnet" or shutil.which("Rscript")]
    tasks = product([one_fit], problem_names, present, numbers)
    return Parallel(2, return_as="generator")(delayed(single_threaded)(*task) for task in tasks)


def single_threaded(one_fit, problem, name, number):
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # convergence warnings
        return {"problem": problem, "estimator": name} | one_fit(problem, name, number)


def loss(problem, name, seed):
    make, standardise, n_h = PROBLEMS[problem]
    X, y = problems.load(make, standardise)
    params, seconds = FITS[name](X, y, n_h, seed)
    return {"seed": seed, "loss": loss_of(params, X, y), "seconds": seconds}


def table(results):
    """The time to a good minimum, the pictures, and the losses."""
    pictures = (
        "![Expected seconds to the lowest loss](images/expected_time.png)",
        "![Training losses of all seeds](images/reliability.png)",
    )
    return "\n\n".join([table_of_times(results), *pictures, table_of_losses(results)])


def table_of_times(results):
    within_1, within_5 = (expected_seconds(results, share) for share in (0.01, 0.05))
    baselines = [name for name in within_1 if not name.startswith("ours")]
    ours = [name for name in within_1 if name.startswith("ours, L-BFGS")]
    rows = []
    for problem in within_1.index:
        lines = within_1.loc[problem], within_5.loc[problem]
        ratios = [line[baselines].min() / line[ours].min() for line in lines]
        cells = [" / ".join(short(line[name]) for line in lines) for name in [*ours, *baselines]]
        rows.append([problem, *cells, " / ".join(map(short, ratios))])
    return markdown(["within 1 % / 5 %", *ours, *baselines, "best baseline / best of ours"], rows)


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


def reached(losses, lowest, share):
    """Which losses are within ``share`` plus 1e-4 of the lowest one."""
    return losses <= lowest * (1 + share) + 1e-4


def short(figure):
    if not np.isfinite(figure):
        return "-"
    return f"{figure:.2g}" if figure < 99.5 else f"{figure:.0f}"


def table_of_losses(results):
    rows = []
    for problem, group in results.groupby("problem", sort=False):
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


def figures(results):
    return {"reliability": losses_drawn(results), "expected_time": times_drawn(results)}


def losses_drawn(results):
    """The training losses of all seeds, in one panel for each problem."""
    names = list(results["estimator"].unique())
    figure = Figure(figsize=(10, 13), layout="constrained")
    axes = figure.subplots(5, 2, sharey=True)
    jitter = np.random.RandomState(0).uniform(-0.25, 0.25, len(results))
    for ax, (problem, rows) in zip(axes.flat, results.groupby("problem", sort=False), strict=True):
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
    return figure


def times_drawn(results):
    """The seconds until one of several fits is close to the lowest loss."""
    markers = {
        "ours, L-BFGS": (OURS, "o"),
        "ours, L-BFGS, 3 starts": (OURS, "s"),
        "ours, L-BFGS, 10 starts": (OURS, "D"),
        "MLPClassifier, L-BFGS": (BASELINE, "^"),
        "MLPClassifier, Adam": (BASELINE, "v"),
        "MLPClassifier, SGD": (BASELINE, "+"),
        "nnet": (BASELINE, "x"),
    }
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, share in zip(axes, (0.01, 0.05), strict=True):
        seconds = expected_seconds(results, share)
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
    return figure
