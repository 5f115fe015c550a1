"""The examples of the contributing guide run as they stand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss
from sklearn.utils._param_validation import StrOptions

from tests.helpers import BlockedData, Quadratic, blocked, descend, make_clf, random_problem
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _base, _monitor, _solvers
from two_layer_sigmoid._targets import Targets
from two_layer_sigmoid._training import train

PAGE = (Path(__file__).parents[1] / "docs" / "contributing.md").read_text()


def example(of):
    """The Python block of a section."""
    (section,) = re.findall(rf"^## {of}\n(.*?)^## ", PAGE, flags=re.MULTILINE | re.DOTALL)
    (source,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert source.count("\n") <= 11
    return source


def run_example(of, **names):
    """Execute the Python block of a section; what it defines, and the names it was given."""
    source = example(of)
    namespace = {"np": np} | names
    exec(source, namespace)
    return namespace


def test_added_solver_trains_the_estimator(small_moons, monkeypatch):
    solvers = _solvers.SOLVERS
    monkeypatch.setitem(solvers, "sign", None)  # is taken out after the test
    run_example("Add a solver", SOLVERS=solvers, Solver=_solvers.Solver)
    constraints = _base.BaseTwoLayerSigmoid._parameter_constraints
    monkeypatch.setitem(constraints, "solver", [StrOptions(set(solvers))])
    settings = {"solver": "sign", "learning_rate": 0.02, "n_init": 2, "max_iter": 300}
    clf = make_clf(early_stopping=True, n_iter_no_change=100, **settings).fit(*small_moons)
    assert clf.loss_ < clf.loss_curve_[0] / 2
    assert len(clf.validation_loss_curve_) == clf.n_iter_


def test_added_kind_of_target_trains():
    targets = run_example("Add a kind of target", Targets=Targets)["OrderedTargets"](
        np.array(["low", "middle", "high"]), False
    )
    X = np.linspace(-1, 1, 90)[:, np.newaxis]
    y = np.repeat(targets.classes, 30)
    clf = make_clf(max_iter=2000, alpha=0)
    Y = targets.encode(np.repeat([0, 1, 2], 30), float)
    assert_array_equal(Y[:, ::30], [[0, 1, 1], [0, 0, 1]])
    fit = train(
        clf,
        BlockedData(X, Y, None, clf.n_h),
        targets,
        weight_sum=90.0,
        dtype=np.float64,
        random_state=np.random.RandomState(0),
        inputs={"X": X, "y": y, "sample_weight": None},
    )
    Z2 = clf._forward(X.T, fit.params)[1].Z2.T
    assert (targets.labels(Z2) == y).mean() > 0.95


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("weighted", [False, True])
def test_changed_output_trains(weighted):
    names = {"softmax": softmax, "log_softmax": log_softmax}
    names["TwoLayerSigmoidClassifier"] = TwoLayerSigmoidClassifier
    cls = run_example("Change the output", **names)["SoftmaxClassifier"]
    X, y = load_iris(return_X_y=True)
    weights = np.random.RandomState(0).uniform(0.5, 2, len(y)) if weighted else None
    params = {"solver": "lbfgs", "max_iter": 1000, "tol": 1e-5, "random_state": 0}
    clf = cls(4, alpha=0.01, **params).fit(X, y, weights)
    assert clf.stop_reason_ == "converged"  # which it is only with the right gradient
    P = softmax(clf.decision_function(X), axis=1)
    scaled = np.square(clf.W1_ * clf.scale_).sum() + np.square(clf.W2_).sum()
    loss = log_loss(y, P, sample_weight=weights) + 0.01 / 2 * scaled
    assert clf.loss_ == pytest.approx(loss)


@pytest.mark.usefixtures("small_blocks")
def test_added_statistic_is_that_of_all_rows():
    X, *_ = random_problem()
    minimum = run_example("Add a statistic", data=blocked(X))["minimum"]
    assert_array_equal(minimum, X.min(axis=0))


def test_added_stopping_criterion_stops(monkeypatch):
    reason, field, condition, last = re.fullmatch(
        r"(\w+ = .*?\n)\n+class Monitor:\n( .*?\n)\n    def .*?\n(.*\n)( .*\n)",
        example("Add a stopping criterion"),
        flags=re.DOTALL,
    ).groups()
    source = Path(_monitor.__file__).read_text()
    for line, added in ("# The values", reason), ("    tasks: Tasks", field), (last, condition):
        assert source.count(line) == 1
        source = source.replace(line, added + line)
    module = ModuleType("two_layer_sigmoid._monitor_with_criterion")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # for its data classes
    module.__package__ = "two_layer_sigmoid"
    exec(source, vars(module))
    stops = [
        descend(Quadratic(), np.zeros(4), 500, monitor=module.Monitor(1e-6, **setting)).stop_reason
        for setting in ({}, {"min_loss": 1.001})
    ]
    assert stops == ["converged", "low_loss"]


def test_hooks_find_their_tools_in_the_environment(tmp_path):
    config = (Path(__file__).parents[1] / ".pre-commit-config.yaml").read_text()
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in "ruff", "mypy":
        (tools / name).write_text(f"#!/bin/sh\necho {name} $@\n")
        (tools / name).chmod(0o755)
    printed = [
        subprocess.run(
            [*shlex.split(entry), "a.py"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for entry in re.findall(r"entry: (.*)", config)
    ]
    assert [words[0] for words in printed] == ["ruff", "ruff", "mypy"]
    assert all(words[-1] == "a.py" for words in printed)
