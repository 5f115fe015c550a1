"""The benchmarks: the runner, pages that match the results, and equal work for all baselines."""

import re

import numpy as np
import pytest

pytest.importorskip("pandas")
import pandas as pd

import benchmarks
from benchmarks import _harness, held_out, iteration, reliability
from benchmarks.timing import cell, compare

MODULES = _harness.find()
PAGES = [page for page in sorted(_harness.DOCS.rglob("*.md")) if "\n<!-- " in page.read_text()]


def test_every_result_has_a_benchmark(capsys):
    _harness.main([])
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == sorted(path.stem for path in _harness.RESULTS.glob("*.csv"))


def test_unknown_benchmarks_are_errors(capsys):
    with pytest.raises(SystemExit):
        _harness.main(["iterations"])
    assert "unknown: iterations. There are: batches, " in capsys.readouterr().err


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_match_the_tracked_results(path):
    page = path.read_text()
    starts, ends = (re.findall("^<!-- (.*) -->$", page, flags=re.MULTILINE)[k::2] for k in (0, 1))
    assert set(starts) <= {"machine", *MODULES}
    assert ends == ["end"] * len(starts)
    assert _harness.rendered(page, MODULES) == page


@pytest.mark.parametrize("name", [name for name in MODULES if hasattr(MODULES[name], "figures")])
def test_figures_are_tracked(name):
    for key in MODULES[name].figures(_harness.read(name)):
        assert (_harness.DOCS / "images" / f"{key}.png").exists()


def test_benchmark_of_the_contributing_guide_works(tmp_path, monkeypatch, capsys):
    guide = (_harness.DOCS / "contributing.md").read_text()
    (source,) = re.findall(r'```python\n(""".*?)```', guide, flags=re.DOTALL)
    figures = "\nfrom matplotlib.figure import Figure\ndef figures(_): return {'drawn': Figure()}\n"
    (tmp_path / "moons_of_the_guide.py").write_text(source + figures)
    (tmp_path / "images").mkdir()
    monkeypatch.setattr(benchmarks, "__path__", [str(tmp_path)])
    monkeypatch.setattr(_harness, "DOCS", tmp_path)
    monkeypatch.setattr(_harness, "RESULTS", tmp_path / "results")
    _harness.main([])
    assert re.match(r"moons_of_the_guide +1 min  Accuracy on the moons", capsys.readouterr().out)

    page = tmp_path / "page.md"
    empty = "Text.\n\n<!-- moons_of_the_guide -->\n<!-- end -->\n\n<!-- other -->\n<!-- end -->\n"
    page.write_text(empty)
    _harness.main(["moons_of_the_guide"])
    assert list(_harness.read("moons_of_the_guide")["n_h"]) == [2, 4, 8]
    assert (tmp_path / "images" / "drawn.png").exists()
    block = r"<!-- moons_of_the_guide -->\n\n(\| .* \|\n){4}\| 8 \| 0\.\d{3} \|\n\n<!-- end -->"
    rendered = page.read_text()
    assert re.sub(block, "<!-- moons_of_the_guide -->\n<!-- end -->", rendered) == empty

    page.write_text(empty)
    _harness.main(["render"])
    assert page.read_text() == rendered


def test_machines_of_a_page_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(_harness, "RESULTS", tmp_path)
    for name, machine in {"a": "x", "b": "y", "c": "x"}.items():
        (tmp_path / f"{name}.csv").write_text(f"# {machine}\n# 1.0\nn\n1\n")
    page = "".join(f"<!-- {name} -->\n<!-- end -->\n" for name in ("machine", "a", "b", "c"))
    assert _harness.rendered(page, {}).startswith(
        "<!-- machine -->\n\nMachine of a, c: x; 1.0\n\nMachine of b: y; 1.0\n\n<!-- end -->\n"
    )


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
    assert cell(others[0]) == "ImportError: no module named other"


def test_expected_seconds_count_the_restarts():
    losses = {"always": [1.0, 1.0], "half": [1.004, 2.0], "never": [2.0, 2.0]}
    results = pd.DataFrame(
        [
            {"problem": "p", "estimator": name, "loss": loss, "seconds": seconds}
            for name, both in losses.items()
            for loss, seconds in zip(both, (1.0, 3.0), strict=True)
        ]
    )
    line = reliability.expected_seconds(results, 0.01).loc["p"]
    assert line["always"] == 2
    assert line["half"] == pytest.approx(2 * np.log(0.05) / np.log(0.5))
    assert line["never"] == np.inf
    assert reliability.expected_seconds(results, 1.0).loc["p", "never"] == 2


def test_held_out_does_not_fit_its_shared_estimators(moons):
    shared = held_out.ESTIMATORS["LogisticRegression"]
    before = dict(vars(shared))
    clf, _ = held_out.fit(shared, *moons)
    assert type(clf) is type(shared)
    assert hasattr(clf, "coef_")
    assert vars(shared) == before
