"""Everything about speed and memory, measured anew: ``python -m benchmarks``, a quarter of an hour.

Runs ``benchmarks.memory``, ``benchmarks.iteration`` and ``benchmarks.jobs``, one after another, and
writes the page and the pictures of ``benchmarks.report``. The slower benchmarks of training, such
as ``benchmarks.reliability``, are commands of their own.
"""

import subprocess
import sys

for name in ("memory", "iteration", "jobs", "report"):
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
