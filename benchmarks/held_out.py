"""Log loss on held-out rows of real data sets, every estimator with its default settings.

``python -m benchmarks.held_out`` compares ours with MLPClassifier, LogisticRegression and
HistGradientBoostingClassifier in 5-fold cross-validation, and writes
``benchmarks/results/held_out.csv``. All get standardised features, which LogisticRegression and
MLPClassifier need. The default parameters were chosen on other data sets
(``benchmarks.defaults``): the data sets of ``real_data.EVALUATION`` had no part in it.
"""

from __future__ import annotations

import sys
import time
import warnings
from itertools import product

import pandas as pd
from joblib import Parallel, delayed
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks.machine import save
from two_layer_sigmoid import TwoLayerSigmoidClassifier

CV = StratifiedKFold(5, shuffle=True, random_state=0)
LOO, SCALE = "ours, L-BFGS, loo", "ours, L-BFGS, scale"
ESTIMATORS = {
    "ours": TwoLayerSigmoidClassifier(random_state=0),
    LOO: TwoLayerSigmoidClassifier(solver="lbfgs", alpha="loo", random_state=0),
    "MLPClassifier": MLPClassifier(random_state=0),
    "LogisticRegression": LogisticRegression(),
    "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
}


def main() -> None:
    cases = list(product(real_data.EVALUATION, ESTIMATORS))
    measured = Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name) for data, name in cases
    )
    rows = []
    for some in measured:
        rows += some
        print(pd.DataFrame(some).mean(numeric_only=True).to_dict(), some[0], file=sys.stderr)
    save(pd.DataFrame(rows), "held_out")


def measure(data, name):
    """The losses and the seconds of the processor of each fold."""
    warnings.simplefilter("ignore")  # MLPClassifier and LogisticRegression reach max_iter
    X, y = real_data.load(data)
    rows = []
    for fold, (train, test) in enumerate(CV.split(X, y)):
        scaler = StandardScaler().fit(X[train])
        used, clf = fit(name, scaler.transform(X[train]), y[train])
        P = clf.predict_proba(scaler.transform(X[test]))
        row = {"data": data, "estimator": name, "used": used, "fold": fold}
        row["log loss"] = log_loss(y[test], P, labels=clf.classes_)
        row["accuracy"] = accuracy_score(y[test], clf.classes_[P.argmax(axis=1)])
        rows.append(row | {"seconds": clf.seconds})
    return rows


def fit(name, X, y):
    """A fitted estimator, with "scale" if "loo" is refused for its size."""
    estimator = ESTIMATORS[name]
    began = time.process_time()
    try:
        clf = estimator.fit(X, y)
    except ValueError:
        if name != LOO:
            raise
        name, clf = SCALE, estimator.set_params(alpha="scale").fit(X, y)
        estimator.alpha = "loo"
    clf.seconds = time.process_time() - began
    return name, clf


if __name__ == "__main__":
    main()
