"""Memory of a fit, and how time and memory grow with the number of rows.

``python -m benchmarks.memory`` runs each fit in a process of its own and takes the most that it
had in memory (Linux: VmHWM) beyond what it had with X and y, the libraries loaded and a small
fit behind it. First 500,000 rows of 20 features with 32 units, ours and its rivals, then ours at
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
from benchmarks.machine import save
from benchmarks.rivals import RIVALS, start_of
from benchmarks.timing import each_of

N_X, N_H, LEARNING_RATE = 20, 32, 0.5
ROWS = 500_000
COMPARED = ("ours", "MLPClassifier", "PyTorch", "torch.compile", "jax.jit")
GROWTH = [10**4, 3 * 10**4, 10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7]
MEASURED_ROWS = 3 * 10**7  # in all, at each size, or 100 iterations


def main() -> None:
    cases = [(name, ROWS, dtype) for name in COMPARED for dtype in ("float64", "float32")]
    memory = pd.DataFrame([elsewhere(*case) for case in cases])
    print(memory.to_string(index=False, float_format="{:.4g}".format))
    save(memory, "memory")
    growth = pd.DataFrame([elsewhere("ours", m, "float64") for m in GROWTH])
    print(growth.to_string(index=False, float_format="{:.4g}".format))
    print(f"time grows with the power {exponent(growth):.3f} of the rows")
    save(growth, "growth")


def exponent(growth):
    """The slope of a straight line through the logarithms of time and rows."""
    return np.polyfit(np.log(growth["m"]), np.log(growth["us"]), 1)[0]


def elsewhere(name, m, dtype):
    """One row, measured in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.memory", name, str(m), dtype]
    row = {"contestant": name, "m": m, "dtype": dtype}
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return row | {"note": done.stderr.strip().split("\n")[-1][:90]}
    return row | json.loads(done.stdout.split("\n")[-2])


def measure(name, m, dtype):
    X, y = problems.noise(m, N_X, dtype)
    start = start_of(N_X, N_H, dtype)
    rival = RIVALS[name]
    rival(X[:1000], y[:1000], start, LEARNING_RATE, 1)()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    n_iter = max(3, min(100, MEASURED_ROWS // m))
    more = rival(X, y, start, LEARNING_RATE, 1 + n_iter)
    more()
    beyond = resident("VmHWM") - before
    seconds, _ = each_of(n_iter, more, rival(X, y, start, LEARNING_RATE, 1))
    return {"us": 1e6 * seconds, "MiB": beyond, "note": ""}


def resident(what):
    """Memory of this process in MiB: VmRSS now, VmHWM at most, VmData what is its own."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) / 1024


if __name__ == "__main__":
    if len(sys.argv) > 1:
        name, m, dtype = sys.argv[1:]
        print(json.dumps(measure(name, int(m), dtype)))
    else:
        main()
