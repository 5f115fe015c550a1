"""All benchmarks of speed and memory: ``python -m benchmarks``, eighteen minutes.

Runs ``benchmarks.memory``, ``benchmarks.iteration`` and ``benchmarks.workloads``, and writes the
page and the pictures of ``benchmarks.report``. The benchmarks of training, such as
``benchmarks.reliability``, are separate commands.
"""

import subprocess
import sys

for name in ("memory", "iteration", "workloads", "report"):
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
