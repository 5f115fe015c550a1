"""Training loss for different initial parameters: the measurement behind ``init="auto"``.

Training starts from the lecture's small weights, from Glorot's uniform weights (as MLPClassifier
draws them for sigmoid units) and from dividing lines spread over the data, for several numbers of
hidden units and seeds. A row has the median of the training loss, and the fraction of seeds within
10 % + 0.005 of the lowest loss of all.
"""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
from joblib import Parallel, delayed

from benchmarks import problems
from benchmarks._harness import markdown, percent
from benchmarks.baselines import LECTURE
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 10
PROBLEMS = {  # and whether it is standardised
    "lecture, raw": (problems.lecture, False),
    "lecture": (problems.lecture, True),
    "moons": (problems.moons, True),
    "parabola, raw": (problems.parabola, False),
    "breast cancer": (problems.breast_cancer, True),
    "classification": (problems.classification, True),
}
NUMBERS_OF_UNITS = (1, 2, 3, 4, 8, 20)
STARTS = {"small": "small", "glorot": "Glorot", "spread": "spread"}  # and how the table calls it
N_SEEDS = 20


def rows():
    with Parallel(n_jobs=-1) as parallel:
        for problem, n_h in product(PROBLEMS, NUMBERS_OF_UNITS):
            runs = product([problem], [n_h], STARTS, range(N_SEEDS))
            losses = np.reshape(parallel(delayed(loss)(*run) for run in runs), (-1, N_SEEDS))
            good = losses <= 1.1 * losses.min() + 0.005
            for k, start in enumerate(STARTS):
                row = {"problem": problem, "n_h": n_h, "init": start}
                yield row | {"median": np.median(losses[k]), "good": good[k].mean()}


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


def table(results):
    rows = []
    for (problem, n_h), group in results.groupby(["problem", "n_h"], sort=False):
        found = group.set_index("init").loc[list(STARTS)]
        cells = zip(found["median"], found["good"], strict=True)
        rows.append([problem, str(n_h), *(f"{loss:.3f}, {percent(good)}" for loss, good in cells)])
    return markdown(["", "n_h", *STARTS.values()], rows)
