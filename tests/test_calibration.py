"""Calibration: the page about probabilities, and the benchmark behind it."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, logit
from sklearn.metrics import log_loss

from two_layer_sigmoid._targets import Targets

PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "probabilities.md"


def numbers(line):
    return [float(number) for number in re.findall(r"-?\d+\.\d+", line)]


def test_page_of_probabilities_prints_what_it_says(capsys):
    pytest.importorskip("matplotlib").use("Agg")
    namespace = {}
    for source in re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL):
        exec(source, namespace)
    from matplotlib import pyplot  # noqa: PLC0415

    pyplot.close("all")
    weighted, calibrated, frequency, of_platt, platt, loss, of_classes = map(
        numbers, capsys.readouterr().out.splitlines()
    )
    assert calibrated[0] < 0.6 * weighted[0]
    assert abs(calibrated[1] - frequency[0]) < 0.01 < weighted[1] - frequency[0]
    assert_allclose(of_platt, calibrated[0], rtol=0.02)
    assert_allclose(platt, [1, -2.2], atol=0.1)
    clf, outputs, penalty = (namespace[name] for name in ("clf", "outputs", "penalty"))
    assert_allclose(clf.loss_, outputs + penalty, rtol=1e-12)
    assert of_classes[0] < outputs < loss[0]


def test_log_loss_is_at_most_that_of_the_outputs():
    rng = np.random.default_rng(0)
    Z2, y = rng.normal(0, 4, (5000, 5)), rng.integers(0, 5, 5000)
    targets = Targets(np.arange(5), False)
    outputs = np.logaddexp(0, Z2) - targets.encode(y, float).T * Z2
    of_classes = -targets.log_probabilities(Z2)[np.arange(5000), y]
    assert (of_classes <= outputs.sum(axis=1)).all()
    assert_allclose(targets.probabilities(Z2), expit(Z2) / expit(Z2).sum(axis=1, keepdims=True))
    assert_allclose(log_loss(y, targets.probabilities(Z2)), of_classes.mean())


def test_benchmark_recovers_the_temperature():
    pytest.importorskip("pandas")
    from benchmarks import calibration  # noqa: PLC0415

    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 20_000)
    y = (rng.uniform(size=20_000) < p).astype(int)
    for factor in 1.0, 2.0:
        sharpened = expit(factor * logit(p))
        P = np.column_stack([1 - sharpened, sharpened])
        assert_allclose(calibration.temperature(np.log(P), y), factor, rtol=0.05)
        assert_allclose(calibration.log_loss(np.log(P), y), log_loss(y, P))
        sums = calibration.binned(P, y)
        assert sum(sums[f"rows {k}"] for k in range(10)) == 20_000
        assert sums["rows 4"] == 0 < sums["rows 5"]
        gap = sums["confidence 7"] - sums["correct 7"]
        assert (gap / sums["rows 7"] > 0.05) == (factor > 1)
