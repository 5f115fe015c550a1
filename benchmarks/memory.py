"""Memory of a fit in addition to X and y, compared with the baselines.

Each fit runs in a process of its own, with 500,000 rows of 20 features and 32 units. The memory is
the peak (Linux: VmHWM) minus the memory before the fit, with X, y and the libraries loaded and
after a small fit.
"""

from __future__ import annotations

import multiprocessing
import re
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks import problems
from benchmarks._harness import markdown
from benchmarks.baselines import BASELINES, start_of
from benchmarks.timing import each_of, note, reason

MINUTES = 3
N_X, N_H, LEARNING_RATE = 20, 32, 0.5
ROWS = 500_000
COMPARED = ("ours", "MLPClassifier", "PyTorch", "torch.compile", "jax.jit")
MEASURED_ROWS = 10**7  # of all iterations at one size, but at most 100 iterations


def rows():
    for name in COMPARED:
        for dtype in "float64", "float32":
            row = {"implementation": name, "m": ROWS, "dtype": dtype}
            yield row | in_new_process(measure, name, ROWS, dtype)


def in_new_process(function, *args):
    """The columns that the function returns, called in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        try:
            return process.submit(function, *args).result()
        except Exception as error:
            return {"note": reason(error)}


def measure(name, m, dtype):
    warnings.simplefilter("ignore")
    X, y = problems.noise(m, N_X, dtype)
    start = start_of(N_X, N_H, dtype)
    implementation = BASELINES[name]
    implementation(X[:1000], y[:1000], start, LEARNING_RATE, 1)()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    n_iter = max(3, min(100, MEASURED_ROWS // m))
    more = implementation(X, y, start, LEARNING_RATE, 1 + n_iter)
    more()
    beyond = resident("VmHWM") - before
    seconds, _ = each_of(n_iter, more, implementation(X, y, start, LEARNING_RATE, 1))
    return {"us": 1e6 * seconds, "MiB": beyond, "note": ""}


def resident(what):
    """Memory of this process in MiB: VmRSS is current, VmHWM the peak, VmData the private one."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) / 1024


def table(results):
    rows = []
    for name, part in results.groupby("implementation", sort=False):
        cells = (note(row) or f"{row['MiB']:.0f} MiB" for _, row in part.iterrows())
        rows.append([name, *cells])
    return markdown(["500000 x 20, 32 units", "float64", "float32"], rows)
