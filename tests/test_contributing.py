"""The examples of the contributing guide run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils._param_validation import StrOptions

from tests.helpers import BlockedData, blocked, make_clf, random_problem
from two_layer_sigmoid import _base, _solvers
from two_layer_sigmoid._targets import Targets
from two_layer_sigmoid._training import train

PAGE = (Path(__file__).parents[1] / "docs" / "contributing.md").read_text()


def run_example(of, **names):
    """Execute the Python block of a section; what it defines, and the names it was given."""
    (section,) = re.findall(rf"^## {of}\n(.*?)^## ", PAGE, flags=re.MULTILINE | re.DOTALL)
    (source,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert source.count("\n") <= 11
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
def test_added_statistic_is_that_of_all_rows():
    X, *_ = random_problem()
    minimum = run_example("Add a statistic", data=blocked(X))["minimum"]
    assert_array_equal(minimum, X.min(axis=0))
