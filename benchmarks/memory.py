"""Memory of a fit in addition to X and y, compared with the baselines.

Each fit runs in a process of its own, with 500,000 rows of 20 features and 32 units. The memory is
the peak (Linux: VmHWM) minus the memory before the fit, with X, y and the libraries loaded and
after a small fit. "Default" are the estimators with their default settings, for three epochs.
"""

from __future__ import annotations

import multiprocessing
import re
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

from sklearn.neural_network import MLPClassifier

from benchmarks import problems
from benchmarks._harness import markdown
from benchmarks.baselines import BASELINES, start_of
from benchmarks.timing import each_of, note, reason
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 3
N_X, N_H, LEARNING_RATE = 20, 32, 0.5
ROWS = 500_000
COMPARED = ("ours", "MLPClassifier", "PyTorch", "torch.compile", "jax.jit")
DEFAULTS = {
    "ours, default": TwoLayerSigmoidClassifier(max_iter=3, random_state=0),
    "MLPClassifier, default": MLPClassifier(max_iter=3, random_state=0),
}
MEASURED_ROWS = 10**7  # of all iterations at one size, but at most 100 iterations


def rows():
    for name, dtype in product((*COMPARED, *DEFAULTS), ("float64", "float32")):
        row = {"implementation": name, "m": ROWS, "dtype": dtype}
        function = measure_default if name in DEFAULTS else measure
        yield row | in_new_process(function, name, ROWS, dtype)


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
    n_iter = max(3, min(100, MEASURED_ROWS // m))
    prepare = partial(implementation, X, y, start, LEARNING_RATE, 1 + n_iter)

    def prepare_and_run():
        prepare()()

    beyond = peak_memory(prepare_and_run)
    seconds, _ = each_of(n_iter, prepare(), implementation(X, y, start, LEARNING_RATE, 1))
    return {"us": 1e6 * seconds, "MiB": beyond, "note": ""}


def measure_default(name, m, dtype):
    warnings.simplefilter("ignore")
    X, y = problems.noise(m, N_X, dtype)
    clf = DEFAULTS[name]
    clf.fit(X[:3000], y[:3000])
    return {"MiB": peak_memory(lambda: clf.fit(X, y)), "note": ""}


def peak_memory(function):
    """The peak of the memory while the function runs, minus the memory before, in MiB."""
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    function()
    return resident("VmHWM") - before


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
