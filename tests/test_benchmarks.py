"""The benchmarks: equal work for all baselines, and pages that match the results."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import iteration, report, tables
from benchmarks.machine import read
from benchmarks.timing import compare


def test_speed_page_matches_the_tracked_results():
    page = report.page(**{name: read(name) for name in report.NAMES})
    assert (report.DOCS / "speed.md").read_text() == page


@pytest.mark.parametrize("name", tables.PAGES)
def test_tables_match_the_tracked_results(name):
    page = (report.DOCS / f"{name}.md").read_text()
    assert tables.updated(name, page) == page


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_baselines_reach_the_same_loss(monkeypatch, dtype):
    monkeypatch.setattr(iteration, "SIZES", {"C": (60, 2, 3, 5, 2)})
    slow = "torch.compile", "jax.jit"
    baselines = {name: run for name, run in iteration.BASELINES.items() if name not in slow}
    monkeypatch.setattr(iteration, "BASELINES", baselines)
    rows = {row["implementation"]: row for row in iteration.measure("C", dtype)}
    for name in "ours", "ours, n_jobs=1", "plain NumPy", "MLPClassifier":
        assert rows[name]["note"] == ""
        assert rows[name]["result"] == pytest.approx(rows["ours"]["result"], rel=1e-6)
    pytorch = rows["PyTorch"]
    assert pytorch["note"].startswith("ModuleNotFoundError") or pytorch["result"] == (
        pytest.approx(rows["ours"]["result"], rel=1e-6)
    )


def test_ratios_are_medians_over_rounds():
    seconds = {"ours": iter([1.0, 2.0, 4.0]), "other": iter([3.0, 2.0, 40.0])}
    ours, other = compare(
        {name: lambda times=times: lambda: (next(times), 7.0) for name, times in seconds.items()}, 3
    )
    assert (ours["us"], ours["relative to ours"], ours["result"]) == (2e6, 1, 7)
    assert (other["us"], other["relative to ours"]) == (3e6, 3)
    assert (other["lowest"], other["highest"]) == (1, 10)


def test_a_failing_baseline_becomes_a_note():
    def absent():
        raise ImportError("no module named other")

    def breaks():
        def work():
            raise ValueError("broken")

        return work

    ours, *others = compare({"ours": lambda: lambda: (1, 0), "a": absent, "b": breaks}, 2)
    assert ours["note"] == ""
    assert others == [
        {"implementation": "a", "note": "ImportError: no module named other"},
        {"implementation": "b", "note": "ValueError: broken"},
    ]
    assert report.cell(others[0]) == "ImportError: no module named other"


def test_expected_seconds_count_the_restarts():
    losses = {"always": [1.0, 1.0], "half": [1.004, 2.0], "never": [2.0, 2.0]}
    results = pd.DataFrame(
        [
            {"problem": "p", "estimator": name, "loss": loss, "seconds": seconds}
            for name, both in losses.items()
            for loss, seconds in zip(both, (1.0, 3.0), strict=True)
        ]
    )
    line = tables.expected_seconds(results, 0.01).loc["p"]
    assert line["always"] == 2
    assert line["half"] == pytest.approx(2 * np.log(0.05) / np.log(0.5))
    assert line["never"] == np.inf
    assert tables.expected_seconds(results, 1.0).loc["p", "never"] == 2
