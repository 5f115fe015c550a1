"""Growth of the time of an iteration and of the memory of a fit with the number of rows.

Ours, with 20 features and 32 units. Each fit runs in a process of its own, as in
``benchmarks/memory.py``.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from benchmarks._harness import BASELINE, OURS
from benchmarks.memory import N_X, in_new_process

MINUTES = 1
ROWS = (10**4, 3 * 10**4, 10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7)


def rows():
    for m in ROWS:
        yield in_new_process("ours", m, "float64")


def table(results):
    """Two sentences."""
    exponent = np.polyfit(np.log(results["m"]), np.log(results["us"]), 1)[0]
    per_row = results["MiB"].iloc[-1] * 2**20 / results["m"].iloc[-1]
    return (
        f"Time grows with the power {exponent:.3f} of the number of rows. A fit needs "
        f"{results['MiB'].iloc[0]:.0f} MiB and {per_row:.1f} bytes for each row, mostly the "
        "targets in the dtype of X."
    )


def figures(results):
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
