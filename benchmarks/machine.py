"""Results, with the machine and the versions of the measurement."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("two-layer-sigmoid", "numpy", "scipy", "scikit-learn", "torch", "jax", "dask")


def save(table, name):
    """Write a data frame to ``results/<name>.csv``, with the machine in comments."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.csv").open("w") as file:
        file.writelines(f"# {line}\n" for line in describe())
        table.to_csv(file, index=False, float_format="%.6g")


def read(name):
    """Read a result of ``save``."""
    return pd.read_csv(RESULTS / f"{name}.csv", comment="#", keep_default_na=False, na_values=[""])


def describe():
    python = f"Python {platform.python_version()}"
    yield f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, {python}"
    yield ", ".join(f"{package} {_version(package)}" for package in PACKAGES)


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
