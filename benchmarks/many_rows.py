"""Log loss and time on real data sets of 2,000 to 20,000 rows, every estimator with its defaults.

These are the data sets of ``benchmarks/held_out.py`` that have more than 2000 rows, here with all
of them. A quarter of the rows is held out.
"""

from __future__ import annotations

import warnings
from itertools import product

from joblib import Parallel, delayed
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import markdown
from benchmarks.held_out import ESTIMATORS, fit

MINUTES = 3
DATA = (
    "banana", "chess", "magic", "marketing", "penbased", "segment", "splice", "texture", "titanic",
)  # fmt: skip


def rows():
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name) for data, name in product(DATA, ESTIMATORS)
    )


def measure(data, name):
    """Seconds are of the processor."""
    warnings.simplefilter("ignore")  # MLPClassifier and LogisticRegression reach max_iter
    X, y = real_data.load(data, max_rows=None)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    scaler = StandardScaler().fit(X)
    clf, seconds = fit(name, scaler.transform(X), y)
    P = clf.predict_proba(scaler.transform(X_test))
    loss = log_loss(y_test, P, labels=clf.classes_)
    return {
        "data": data, "rows": len(X), "estimator": name, "log loss": loss, "seconds": seconds,
    }  # fmt: skip


def table(results):
    rows = []
    for (data, n_rows), part in results.groupby(["data", "rows"]):
        best = part["log loss"].min()
        cells = [
            f"**{loss:.3f}** ({seconds:.1f})" if loss == best else f"{loss:.3f} ({seconds:.1f})"
            for loss, seconds in zip(part["log loss"], part["seconds"], strict=True)
        ]
        rows.append([data, str(n_rows), *cells])
    return markdown(["log loss (seconds)", "training rows", *ESTIMATORS], rows)
