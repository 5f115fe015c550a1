"""The programs of ``docs/user_guide/large_data.md`` run, and streams need constant memory."""

import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

pytest.importorskip("pyarrow")
import pyarrow
from pyarrow import csv, parquet

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "large_data.md"
CSV, PARQUET, MAPPED, SEARCH, DASK = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
FEW, MANY, N_X = 40_000, 500_000, 10  # rows, and features; 37 MiB apart
WATCH = """
import re, threading, time
peak = 0

def watch():
    global peak
    while True:
        with open("/proc/self/status") as file:
            peak = max(peak, int(re.search(r"RssAnon:\\s+(\\d+) kB", file.read())[1]))
        time.sleep(0.005)

threading.Thread(target=watch, daemon=True).start()
"""
PRINT_PEAK_AND_SCORE = """
print(peak / 1024, clf.score(*sample))
"""
OF_CHUNKS = "sample = X, y"
OF_ROWS = "sample = X[:5000], y[:5000]"


def rows(m):
    X = np.random.RandomState(0).standard_normal((m, N_X))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def write_csv(folder, m):
    csv.write_csv(table(m), folder / "rows.csv")


def write_parquet(folder, m):
    parquet.write_table(table(m), folder / "rows.parquet", row_group_size=20_000)


def write_arrays(folder, m):
    for name, array in zip("Xy", rows(m), strict=True):
        np.save(folder / f"{name}.npy", array)


def table(m):
    X, y = rows(m)
    columns = {f"x{j}": X[:, j] for j in range(N_X)} | {"label": y}
    return pyarrow.table(columns)


def of_parquet():
    """The recipe of CSV with the function that the page gives for Parquet in its place."""
    imports, function = PARQUET.split("\n\n\n")
    before, after = CSV.split("def chunks():")
    after = after.split("\n\n\n", 1)[1]
    return f"{imports}\n{before}{function}\n\n{after}"


RECIPES = {
    "csv": (write_csv, CSV, OF_CHUNKS),
    "parquet": (write_parquet, of_parquet(), OF_CHUNKS),
    "mapped": (write_arrays, MAPPED, OF_ROWS),
}


def run(program, folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("recipe", RECIPES)
def test_streams_need_constant_memory(recipe, tmp_path):
    write, program, sample = RECIPES[recipe]
    peaks, scores = [], []
    for m in FEW, MANY:
        write(tmp_path, m)
        peak, score = map(
            float, run(WATCH + program + sample + PRINT_PEAK_AND_SCORE, tmp_path).split()
        )
        peaks.append(peak)
        scores.append(score)
    assert peaks[1] - peaks[0] < 12, peaks  # MiB
    assert scores[1] > 0.9, scores


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("program", "prints"), [(SEARCH, "learning_rate"), (DASK, "dask.array")])
def test_cluster_recipes_run(program, prints, tmp_path):
    if program is SEARCH and not hasattr(joblib, "parallel_config"):
        pytest.skip("needs joblib 1.3")
    script = tmp_path / "recipe.py"
    script.write_text(program)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, timeout=150
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert prints in done.stdout
