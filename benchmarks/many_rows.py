"""Log loss and time on data sets of many rows, every estimator with its default settings.

These are the data sets of ``benchmarks/held_out.py`` that have more than 2000 rows, here with all
of them, and two made ones. A quarter of the rows is held out, but of the made ones 5000 rows.
"""

from __future__ import annotations

import warnings
from itertools import product

from joblib import Parallel, delayed
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import lowest_bold, markdown
from benchmarks.held_out import ESTIMATORS, fit

MINUTES = 6
DATA = (
    "banana", "chess", "magic", "marketing", "penbased", "segment", "splice", "texture", "titanic",
)  # fmt: skip
# Training rows and classes
MADE = {"made, 10 classes": (20_000, 10), "made, 2 classes": (450_000, 2)}
N_TEST = 5000


def rows():
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name) for data, name in product((*DATA, *MADE), ESTIMATORS)
    )


def load(data):
    """X and y, and the number or the fraction of rows to hold out."""
    if data in MADE:
        n_rows, n_classes = MADE[data]
        return *make_classification(
            n_rows + N_TEST, 20, n_informative=10, n_classes=n_classes, random_state=0
        ), N_TEST
    return *real_data.load(data, max_rows=None), 0.25


def measure(data, name):
    """Seconds are of the processor."""
    warnings.simplefilter("ignore")  # MLPClassifier and LogisticRegression reach max_iter
    X, y, test_size = load(data)
    X, X_test, y, y_test = train_test_split(X, y, test_size=test_size, stratify=y, random_state=0)
    scaler = StandardScaler().fit(X)
    clf, seconds = fit(ESTIMATORS[name], scaler.transform(X), y)
    P = clf.predict_proba(scaler.transform(X_test))
    loss = log_loss(y_test, P, labels=clf.classes_)
    return {
        "data": data, "rows": len(X), "estimator": name, "log loss": loss, "seconds": seconds,
    }  # fmt: skip


def table(results):
    rows = []
    for (data, n_rows), part in results.groupby(["data", "rows"], sort=False):
        losses = lowest_bold(part["log loss"])
        cells = (f"{loss} ({s:.1f})" for loss, s in zip(losses, part["seconds"], strict=True))
        rows.append([data, str(n_rows), *cells])
    return markdown(["log loss (seconds)", "training rows", *ESTIMATORS], rows)
