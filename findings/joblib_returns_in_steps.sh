#!/usr/bin/env bash
# joblib 1.6.0: a warm Parallel with two processes returns in steps of 10 ms, because it sleeps for
# 10 ms between looks at the results. Two tasks of 12 ms at the same time take 20 ms, not 13 as
# in the standard library. Many short calls, one after another, lose up to 10 ms each.
#
# Output seen:
#   tasks of  2 ms: Parallel 10.5 ms, executor  2.6 ms
#   tasks of 12 ms: Parallel 20.6 ms, executor 12.9 ms
#   tasks of 22 ms: Parallel 30.7 ms, executor 22.7 ms
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet joblib==1.6.0
"$folder/venv/bin/python" - <<'PYTHON'
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from joblib import Parallel, delayed


def median_ms(call):
    times = []
    for _ in range(31):
        began = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times)


with ProcessPoolExecutor(2) as executor, Parallel(2) as parallel:
    for ms in 2, 12, 22:
        in_steps = median_ms(lambda: parallel(delayed(time.sleep)(ms / 1e3) for _ in range(2)))
        at_once = median_ms(lambda: list(executor.map(time.sleep, [ms / 1e3] * 2)))
        print(f"tasks of {ms:2} ms: Parallel {in_steps:4.1f} ms, executor {at_once:4.1f} ms")
        if not (in_steps > ms + 6 and at_once < ms + 4):
            sys.exit("joblib has changed, or the machine is busy")
PYTHON
