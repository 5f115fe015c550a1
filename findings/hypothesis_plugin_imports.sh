#!/usr/bin/env bash
# Hypothesis 6.170.17: its pytest plugin imports Hypothesis at the end of every run, also if no test
# uses it: pytest_terminal_summary imports hypothesis.internal.observability without a condition.
# The docstring of the plugin says that Hypothesis, and the plugins of third parties that it loads,
# are imported only if the user imports it (pull request 3159 of 2021, for issue 3140).
#
# Output seen (the seconds differ):
#   Hypothesis is loaded when the tests end: False
#   the summary took 0.4 s
#   Hypothesis is loaded when pytest ends: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet hypothesis==6.170.17 pytest==9.2.0
cat >"$folder/test_nothing.py" <<'PYTHON'
def test_nothing():
    pass
PYTHON
cat >"$folder/conftest.py" <<'PYTHON'
import sys
import time

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary():
    print("\nHypothesis is loaded when the tests end:", "hypothesis" in sys.modules)
    start = time.perf_counter()
    yield
    print(f"the summary took {time.perf_counter() - start:.1f} s")


def pytest_unconfigure():
    print("Hypothesis is loaded when pytest ends:", "hypothesis" in sys.modules)
PYTHON
cd "$folder" && venv/bin/python -m pytest -q -s . | tee output | grep -E "Hypothesis|summary"
grep -q "when the tests end: False" output && grep -q "when pytest ends: True" output
