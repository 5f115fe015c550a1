"""Training loss and accuracy with default settings on problems that sigmoid networks learn slowly.

Our estimator and ``MLPClassifier(activation="logistic")`` are fitted with 20 seeds and the same
number of units, their other parameters at their defaults. With two units both have
``max_iter=3000``.
"""

from __future__ import annotations

from sklearn.neural_network import MLPClassifier

from benchmarks import problems
from benchmarks._harness import markdown
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 1
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


def rows():
    """A row for each problem, estimator and seed."""
    for problem, (make, standardise, n_h, params) in PROBLEMS.items():
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


def table(results):
    """Lowest, median and highest of the seeds."""
    rows = []
    for (problem, n_h, estimator), fits in results.groupby(
        ["problem", "n_h", "estimator"], sort=False
    ):
        figures = fits[["loss", "accuracy"]].agg(["min", "median", "max"])
        cells = (" / ".join(f"{figure:.3f}" for figure in figures[name]) for name in figures)
        rows.append([f"{problem}, {n_h}", estimator, *cells])
    return markdown(["problem, units", "", "training loss", "accuracy"], rows)
