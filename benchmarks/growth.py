"""Growth of the time and the memory of a fit with the number of rows.

Ours, with 20 features: an iteration on all rows with 32 units, and a fit with the default settings,
which are mini-batches until the loss no longer falls. Each fit runs in a process of its own, as in
``benchmarks/memory.py``.
"""

from __future__ import annotations

from time import process_time

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import make_classification

from benchmarks._harness import BASELINE, OURS
from benchmarks.memory import N_X, in_new_process, measure, peak_memory
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 8
ROWS = (10**4, 3 * 10**4, 10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7)
ITERATION, DEFAULT = "iteration", "default fit"


def rows():
    for m in ROWS:
        yield {"what": ITERATION, "m": m} | in_new_process(measure, "ours", m, "float64")
    for m in ROWS[::2]:
        yield {"what": DEFAULT, "m": m} | in_new_process(default_fit, m)


def default_fit(m):
    X, y = make_classification(m, N_X, n_informative=10, flip_y=0.05, random_state=0)
    TwoLayerSigmoidClassifier(random_state=0).fit(X[:3000], y[:3000])
    clf = TwoLayerSigmoidClassifier(random_state=0)
    began = process_time()
    beyond = peak_memory(lambda: clf.fit(X, y))
    seconds = process_time() - began
    return {"us": 1e6 * seconds, "MiB": beyond, "note": "", "epochs": clf.n_iter_}


def table(results):
    """Three sentences."""
    results, fits = (results[results["what"] == what] for what in (ITERATION, DEFAULT))
    per_row = results["MiB"].iloc[-1] * 2**20 / results["m"].iloc[-1]
    first, last = fits.iloc[0], fits.iloc[-1]
    return (
        f"The time of an iteration grows with the power {exponent(results):.3f} of the number of "
        f"rows. A fit needs {results['MiB'].iloc[0]:.0f} MiB and {per_row:.1f} bytes for each row, "
        "mostly the targets in the dtype of X. A fit with the default settings takes "
        f"{first['us'] / 1e6:.2f} s of the processor for {first['m']} rows and "
        f"{last['us'] / 1e6:.0f} s for {last['m']}, with {first['epochs']:.0f} and "
        f"{last['epochs']:.0f} epochs: its time grows with the power {exponent(fits):.3f}."
    )


def exponent(results):
    return np.polyfit(np.log(results["m"]), np.log(results["us"]), 1)[0]


def figures(results):
    results = results[results["what"] == ITERATION]
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    time, memory = figure.subplots(1, 2)
    time.loglog(results["m"], results["us"] / 1e3, "o-", color=OURS)
    time.set(xlabel="rows", ylabel="ms", title="an iteration, 20 features and 32 units, float64")
    X = results["m"] * N_X * 8 / 2**20
    memory.loglog(results["m"], X, "s--", color=BASELINE, label="X itself")
    memory.loglog(
        results["m"], results["MiB"], "o-", color=OURS, label="a fit, in addition to X and y"
    )
    memory.set(xlabel="rows", ylabel="MiB", title="memory")
    memory.legend()
    for ax in time, memory:
        ax.grid(alpha=0.3)
    return {"growth": figure}
