"""Training loss for different initial parameters: the measurement behind ``init="auto"``.

``python -m benchmarks.initialisation`` trains from the lecture's small weights, from Glorot's
uniform weights (as MLPClassifier draws them for sigmoid units) and from dividing lines spread over
the data, for several numbers of hidden units and seeds. It prints the median of the training loss
and the fraction of seeds within 10 % + 0.005 of the lowest loss of all, and writes
``results/initialisation.csv``.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from benchmarks import problems
from benchmarks.baselines import LECTURE
from benchmarks.machine import save
from two_layer_sigmoid import TwoLayerSigmoidClassifier

PROBLEMS = {  # and whether it is standardised
    "lecture, raw": (problems.lecture, False),
    "lecture": (problems.lecture, True),
    "moons": (problems.moons, True),
    "parabola, raw": (problems.parabola, False),
    "breast cancer": (problems.breast_cancer, True),
    "classification": (problems.classification, True),
}
NUMBERS_OF_UNITS = (1, 2, 3, 4, 8, 20)
STARTS = ("small", "glorot", "spread")
N_SEEDS = 20


def main() -> None:
    runs = [
        (problem, n_h, start, seed)
        for problem in PROBLEMS
        for n_h in NUMBERS_OF_UNITS
        for start in STARTS
        for seed in range(N_SEEDS)
    ]
    losses = Parallel(n_jobs=-1)(delayed(loss)(*run) for run in runs)
    table = pd.DataFrame(runs, columns=["problem", "n_h", "init", "seed"]).assign(loss=losses)
    summary = summarise(table)
    print(summary.unstack("init").to_string(float_format="{:.3f}".format))
    save(summary.reset_index(), "initialisation")


def loss(problem, n_h, start, seed):
    """The training loss of one problem from one start."""
    make, standardise = PROBLEMS[problem]
    X, y = problems.load(make, standardise)
    init = glorot(X.shape[1], n_h, np.random.RandomState(seed)) if start == "glorot" else start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence warnings
        params = LECTURE | {"max_iter": 3000, "init": init, "random_state": seed}
        return TwoLayerSigmoidClassifier(n_h, **params).fit(X, y).loss_


def glorot(n_x, n_h, random_state):
    hidden, output = np.sqrt(2 / (n_x + n_h)), np.sqrt(2 / (n_h + 1))
    return (
        random_state.uniform(-hidden, hidden, (n_h, n_x)),
        random_state.uniform(-hidden, hidden, (n_h, 1)),
        random_state.uniform(-output, output, (1, n_h)),
        random_state.uniform(-output, output, (1, 1)),
    )


def summarise(table):
    best = table.groupby(["problem", "n_h"])["loss"].transform("min")
    table = table.assign(good=table["loss"] <= 1.1 * best + 0.005)
    groups = table.groupby(["problem", "n_h", "init"], sort=False)
    return groups.agg(median=("loss", "median"), good=("good", "mean"))


if __name__ == "__main__":
    main()
