"""Training loss and accuracy with default settings on problems that sigmoid networks learn slowly.

``python -m benchmarks.default_settings`` fits our estimator and
``MLPClassifier(activation="logistic")`` with 20 seeds and the same number of units, their other
parameters at their defaults. For two units both have ``max_iter=3000``, which is our default. It
prints minimum, median and maximum and writes ``results/default_settings.csv``.
"""

from __future__ import annotations

import warnings

import pandas as pd
from sklearn.neural_network import MLPClassifier

from benchmarks import problems
from benchmarks.machine import save
from two_layer_sigmoid import TwoLayerSigmoidClassifier

PROBLEMS = {  # data, whether they are standardised, hidden units, other parameters
    "parabola, raw": (problems.parabola, False, 20, {}),
    "moons": (problems.moons, True, 8, {}),
    "lecture": (problems.lecture, True, 2, {"max_iter": 3000}),
}
ESTIMATORS = {
    "ours": TwoLayerSigmoidClassifier,
    "MLPClassifier": lambda n_h, **params: MLPClassifier((n_h,), activation="logistic", **params),
}
N_SEEDS = 20


def main() -> None:
    warnings.simplefilter("ignore")  # convergence warnings of MLPClassifier
    table = pd.DataFrame([row for problem in PROBLEMS for row in measure(problem)])
    summary = table.groupby(["problem", "n_h", "estimator"], sort=False)[["loss", "accuracy"]].agg(
        ["min", "median", "max"]
    )
    print(summary.to_string(float_format="{:.3f}".format))
    save(table, "default_settings")


def measure(problem):
    """One row for each estimator and seed."""
    make, standardise, n_h, params = PROBLEMS[problem]
    X, y = problems.load(make, standardise)
    for name, build in ESTIMATORS.items():
        for seed in range(N_SEEDS):
            fitted = build(n_h, random_state=seed, **params).fit(X, y)
            yield {
                "problem": problem,
                "n_h": n_h,
                "estimator": name,
                "seed": seed,
                "loss": fitted.loss_,
                "accuracy": fitted.score(X, y),
            }


if __name__ == "__main__":
    main()
