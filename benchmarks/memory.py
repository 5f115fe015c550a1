"""Memory of a fit, and the growth of time and memory with the number of rows.

``python -m benchmarks.memory`` runs each fit in a process of its own. It measures the peak memory
(Linux: VmHWM) minus the memory before the fit, with X, y and the libraries loaded and after a small
fit. It compares 500,000 rows of 20 features with 32 units with the baselines, and measures ours for
10,000 to 10,000,000 rows. It prints both tables and writes ``results/memory.csv`` and
``results/growth.csv``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import problems
from benchmarks.baselines import BASELINES, start_of
from benchmarks.machine import save
from benchmarks.timing import each_of

N_X, N_H, LEARNING_RATE = 20, 32, 0.5
ROWS = 500_000
COMPARED = ("ours", "MLPClassifier", "PyTorch", "torch.compile", "jax.jit")
GROWTH = [10**4, 3 * 10**4, 10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7]
MEASURED_ROWS = 10**7  # of all iterations at one size, but at most 100 iterations


def main() -> None:
    cases = [(name, ROWS, dtype) for name in COMPARED for dtype in ("float64", "float32")]
    memory = pd.DataFrame([in_new_process(*case) for case in cases])
    print(memory.to_string(index=False, float_format="{:.4g}".format))
    save(memory, "memory")
    growth = pd.DataFrame([in_new_process("ours", m, "float64") for m in GROWTH])
    print(growth.to_string(index=False, float_format="{:.4g}".format))
    print(f"time grows with the power {exponent(growth):.3f} of the rows")
    save(growth, "growth")


def exponent(growth):
    """The slope of a line through the logarithms of time and rows."""
    return np.polyfit(np.log(growth["m"]), np.log(growth["us"]), 1)[0]


def in_new_process(name, m, dtype):
    """One row, measured in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.memory", name, str(m), dtype]
    row = {"implementation": name, "m": m, "dtype": dtype}
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return row | {"note": done.stderr.strip().split("\n")[-1][:90]}
    return row | json.loads(done.stdout.split("\n")[-2])


def measure(name, m, dtype):
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


if __name__ == "__main__":
    if len(sys.argv) > 1:
        name, m, dtype = sys.argv[1:]
        print(json.dumps(measure(name, int(m), dtype)))
    else:
        main()
