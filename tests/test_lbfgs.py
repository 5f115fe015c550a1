"""L-BFGS: on functions with known minima, and on data."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from tests.helpers import (
    LECTURE,
    Callbacks,
    Quadratic,
    Rosenbrock,
    assert_same_fit,
    lbfgs,
    make_clf,
    make_state,
    max_gradient,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _network, _solvers
from two_layer_sigmoid._network import Parameters

VALLEY = [-1.2, 1.0, -1.2, 1.0]


def test_lbfgs_finds_the_minimum():
    state = lbfgs(Rosenbrock(), np.array(VALLEY))
    assert state.stop_reason == "converged"
    assert_allclose(state.theta, 1, rtol=1e-6)
    assert state.loss_curve[0] == Rosenbrock().loss(make_state(VALLEY).params)
    assert np.all(np.diff([*state.loss_curve, state.loss]) < 0)
    assert state.loss == Rosenbrock().loss(state.params)


def test_lbfgs_counts_iterations():
    state = lbfgs(Rosenbrock(), np.array(VALLEY), 7)
    assert (state.stop_reason, state.n_iter) == ("max_iter", 7)
    longer = lbfgs(Rosenbrock(), np.array(VALLEY), 8)
    assert longer.loss_curve == [*state.loss_curve, state.loss]


def test_lbfgs_stops_at_a_minimum():
    state = lbfgs(Rosenbrock(), np.ones(4))
    assert (state.stop_reason, state.n_iter, state.loss) == ("converged", 0, 0.0)


def test_lbfgs_stops_at_the_limit_of_precision():
    state = lbfgs(Rosenbrock(), np.array(VALLEY), tol=0.0)
    assert state.stop_reason == "converged"
    assert state.n_iter < 200
    assert state.loss <= 1e-20
    assert state.loss == Rosenbrock().loss(state.params)


def test_callback_stops_lbfgs():
    callbacks = Callbacks(stop_at=3)
    state = lbfgs(Rosenbrock(), np.array(VALLEY), tasks=callbacks)
    assert state.stop_reason == "callback"
    assert callbacks.n_begun == 4
    assert state.n_iter == 3


class Uphill(Quadratic):
    """A wrong gradient: it points downhill."""

    def loss_gradient(self, params):
        loss, grads = super().loss_gradient(params)
        return loss, Parameters.views(-grads.flat(), 1, 1, 1)


def test_lbfgs_stops_if_line_search_fails():
    theta = np.zeros(4)
    state = lbfgs(Uphill(), theta)
    assert state.stop_reason == "line_search"
    assert state.n_iter == 0
    assert_array_equal(theta, np.zeros(4))
    assert state.loss == Quadratic().loss(state.params)


def test_failed_line_search_removes_one_update():
    state = lbfgs(Uphill(), np.zeros(4), validation_loss=Quadratic().loss, n_iter_no_change=9)
    assert state.loss_curve == state.validation_loss_curve == []


class Counted(Rosenbrock):
    def __init__(self):
        self.n_evaluations = 0

    def loss_gradient(self, params):
        self.n_evaluations += 1
        return super().loss_gradient(params)


def test_lbfgs_evaluates_each_point_once():
    """SciPy's last evaluation before the callback is that of the accepted point."""
    ours, scipys = Counted(), Counted()
    lbfgs(ours, np.array(VALLEY), 20)

    def loss_gradient(x):
        loss, grads = scipys.loss_gradient(make_state(x).params)
        return loss, grads.flat()

    options = {"maxiter": 20, "ftol": 0, "gtol": 0, "maxcor": 8}
    minimize(loss_gradient, VALLEY, jac=True, method="L-BFGS-B", options=options)
    assert ours.n_evaluations == scipys.n_evaluations + 1  # the initial one, before SciPy's


@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_lbfgs_keeps_few_pairs_at_first(moons, monkeypatch):
    sizes = []

    def noting(*arguments, options, **others):
        sizes.append((options["maxcor"], options["maxiter"]))
        return minimize(*arguments, options=options, **others)

    monkeypatch.setattr(_solvers, "minimize", noting)
    settings = {"solver": "lbfgs", "alpha": 0, "tol": 0, "max_iter": 130}
    clf = make_clf(n_h=8, init="spread", **settings).fit(*moons)
    assert clf.n_iter_ == 130
    # The first update is announced before SciPy starts, so 99 remain.
    assert sizes == [(10, 99), (40, 30 * 33)]
    assert (np.diff(clf.loss_curve_) <= 0).all()


def test_lbfgs_checks_which_point_was_evaluated_last(monkeypatch):
    def probing(loss_at, x, *, jac, callback, **options):
        """An optimiser that evaluates another point before each question."""

        def gradient_at(x):
            loss_at(x + 1.0)
            return jac(x).copy()

        def after_iteration(intermediate_result):
            loss_at(intermediate_result.x - 1.0)
            callback(intermediate_result)

        return minimize(loss_at, x, jac=gradient_at, callback=after_iteration, **options)

    monkeypatch.setattr(_solvers, "minimize", probing)
    state = lbfgs(Rosenbrock(), np.array(VALLEY))
    monkeypatch.undo()
    expected = lbfgs(Rosenbrock(), np.array(VALLEY))
    assert state.loss_curve == expected.loss_curve
    assert state.stop_reason == "converged"
    assert_array_equal(state.theta, expected.theta)


# On data


@pytest.mark.parametrize("setting", [{}, LECTURE])
def test_lbfgs_ends_at_a_small_gradient(moons, setting):
    X, y = moons
    clf = make_clf(**setting, solver="lbfgs", max_iter=10_000).fit(X, y)
    assert clf.stop_reason_ == "converged"
    assert max_gradient(clf, X, y) <= 1.01e-6
    assert clf.loss_ < make_clf(**setting, max_iter=3000).fit(X, y).loss_


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lbfgs_leaves_the_plateau_of_small_weights(lecture, dtype):
    X, y = lecture
    X = StandardScaler().fit_transform(X).astype(dtype)
    for seed in range(5):
        clf = TwoLayerSigmoidClassifier(2, solver="lbfgs", alpha=1e-6, random_state=seed).fit(X, y)
        assert_allclose(clf.loss_curve_[0], np.log(2), rtol=1e-3)
        assert clf.loss_ < 0.6


def test_lbfgs_and_gradient_descent_have_one_objective(small_moons):
    X, y = small_moons
    weights = np.linspace(0.5, 2, len(y))
    start = tuple(_network.initialize_parameters(2, 2, 1, random_state=np.random.RandomState(0)))
    fits = [
        TwoLayerSigmoidClassifier(2, 2.0, solver=solver, init=start, alpha=0.02, max_iter=20_000)
        for solver in ("gd", "lbfgs")
    ]
    for clf in fits:
        clf.fit(X, y, sample_weight=weights)
        assert clf.stop_reason_ == "converged"
    assert_allclose(fits[0].loss_, fits[1].loss_, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_lbfgs_ignores_floating_point_errors_set_to_raise(small_moons, dtype):
    X, y = small_moons
    clf = make_clf(solver="lbfgs", max_iter=200)
    expected = clone(clf).fit(X.astype(dtype), y)
    with np.errstate(all="raise"):
        assert_same_fit(clf.fit(X.astype(dtype), y), expected)
