"""Cross-validated log loss against MLPClassifier: by default, and searched against searched.

``python -m benchmarks.selection`` runs both on six data sets behind a StandardScaler, 5-fold, and
writes ``benchmarks/results/selection.csv``. By default both have eight sigmoid units. In the
search ours goes over rate, ``n_h`` and ``alpha``; MLPClassifier, with its own default of ReLU
units, over as many candidates of the parameters that matter most to it.
"""

from __future__ import annotations

import time
import warnings

import pandas as pd
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import problems
from benchmarks.machine import save
from two_layer_sigmoid import TwoLayerSigmoidClassifier

PROBLEMS = (
    problems.breast_cancer,
    problems.digits_odd,
    problems.wine_class_1,
    problems.lecture,
    problems.moons,
    problems.classification,
)
CV = StratifiedKFold(5, shuffle=True, random_state=0)
DEFAULTS = {
    "ours": TwoLayerSigmoidClassifier(random_state=0),
    "MLPClassifier": MLPClassifier((8,), activation="logistic", random_state=0),
}
SEARCHES = {
    "ours": (
        # Behind a StandardScaler higher rates than the lecture's are stable, and a third of
        # the default number of iterations is enough.
        TwoLayerSigmoidClassifier(max_iter=1000, random_state=0),
        {
            "clf__learning_rate": [1.2, 2.4, 4.8],
            "clf__n_h": [8, 16, 32],
            "clf__alpha": [0, 3e-4, 1e-3],
        },
    ),
    "MLPClassifier": (
        MLPClassifier(random_state=0),
        {
            "clf__learning_rate_init": [1e-3, 3e-3, 1e-2],
            "clf__hidden_layer_sizes": [(16,), (50,), (100,)],
            "clf__alpha": [1e-4, 1e-2, 1],
        },
    ),
}


def main() -> None:
    warnings.simplefilter("ignore")  # MLPClassifier's, about the iterations it was allowed
    rows = []
    for problem in PROBLEMS:
        X, y = problem()
        rows += [row for name in DEFAULTS for row in measure(problem.__name__, name, X, y)]
        print(pd.DataFrame(rows[-4:]).to_string(index=False, header=len(rows) == 4), flush=True)
    save(pd.DataFrame(rows), "selection")


def measure(problem, name, X, y):
    """One row by default and one searched, of one of the two estimators."""
    began = time.perf_counter()
    scores = cross_val_score(behind_scaler(DEFAULTS[name]), X, y, cv=CV, scoring="neg_log_loss")
    row = {"problem": problem, "estimator": name}
    yield row | {
        "how": "default",
        "log loss": -scores.mean(),
        "seconds": time.perf_counter() - began,
        "parameters": "",
    }
    estimator, grid = SEARCHES[name]
    search = GridSearchCV(behind_scaler(estimator), grid, cv=CV, scoring="neg_log_loss")
    began = time.perf_counter()
    search.fit(X, y)
    chosen = (f"{key.removeprefix('clf__')}={value}" for key, value in search.best_params_.items())
    yield row | {
        "how": "searched",
        "log loss": -search.best_score_,
        "seconds": time.perf_counter() - began,
        "parameters": " ".join(chosen),
    }


def behind_scaler(estimator):
    return Pipeline([("scale", StandardScaler()), ("clf", estimator)])


if __name__ == "__main__":
    main()
