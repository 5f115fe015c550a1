"""Gradient descent and the stopping rules on functions with known minima."""

import math
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from tests.helpers import (
    LECTURE,
    Callbacks,
    Quadratic,
    Rosenbrock,
    descend,
    lbfgs,
    make_clf,
    make_state,
)
from two_layer_sigmoid import _monitor
from two_layer_sigmoid._monitor import Monitor
from two_layer_sigmoid._network import Parameters

# Stopping rules


def test_small_gradient_stops():
    theta = np.zeros(4)
    state = descend(Quadratic(), theta)
    assert state.stop_reason == "converged"
    assert len(state.loss_curve) == 20  # 2^-20 is the first power of a half below 1e-6
    assert_array_equal(theta, 1 - 2.0**-20)
    assert state.loss == 1 + 4 / 2 * 2.0**-40
    assert_allclose(state.loss_curve, 1 + 2 * 4.0 ** -np.arange(20), rtol=1e-15)


def test_tol_applies_to_the_largest_entry():
    theta = np.array([0.0, 1, 1, 1])
    state = descend(Quadratic(), theta, monitor=Monitor(tol=1.0))
    assert state.stop_reason == "converged"
    assert state.loss_curve == []
    assert descend(Quadratic(), theta, monitor=Monitor(tol=0.999)).n_iter == 1


def test_plateau_does_not_stop():
    theta = np.full(4, 1 - 1e-5)  # a gradient of 1e-5, and a loss that changes by 1e-10
    assert descend(Quadratic(), theta, 500, learning_rate=1e-3).n_iter == 500


def test_iteration_limit_stops():
    theta = np.zeros(4)
    state = descend(Quadratic(), theta, 3)
    assert state.stop_reason == "max_iter"
    assert state.loss_curve == [3.0, 1.5, 1.125]
    assert state.loss == 1 + 2 / 64  # of the parameters after the third update
    assert_array_equal(theta, 0.875)


def test_high_loss_is_divergence():
    state = descend(Quadratic(), np.zeros(4), learning_rate=2.2)
    assert state.stop_reason == "diverged"
    # |theta - 1| grows by 1.2 each time; 1 + 2 * 1.44^k > 30 from k = 8 on, a hundred times.
    assert state.n_iter == 8 + 100 - 1
    assert math.isfinite(state.loss)


def test_oscillation_is_not_divergence():
    state = descend(Quadratic(), np.zeros(4), learning_rate=2.0)
    assert state.stop_reason == "max_iter"
    assert set(state.loss_curve) == {3.0}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overflow_restores_the_last_finite_parameters(dtype):
    theta = np.zeros(4, dtype)
    state = descend(Quadratic(1e6), theta, learning_rate=1e6)
    assert state.stop_reason == "diverged"
    assert np.isfinite(theta).all()
    assert state.loss == state.loss_curve[-1]
    again = np.zeros(4, dtype)
    descend(Quadratic(1e6), again, state.n_iter - 1, learning_rate=1e6)
    assert_array_equal(theta, again)


@pytest.mark.parametrize("where", ["gradient", "theta"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_finite_values_are_not_divergence(dtype, where):
    large = np.full(4, 0.9 * np.finfo(dtype).max, dtype)  # the squares overflow
    theta, gradient = (large, 0 * large) if where == "theta" else (0 * large, large)

    class Linear(Quadratic):
        def loss_gradient(self, params):
            return 1.0, Parameters.views(gradient.copy(), 1, 1, 1)

    state = descend(Linear(), theta, 3, monitor=Monitor(tol=-1.0), learning_rate=0.1)
    assert state.stop_reason == "max_iter"


@pytest.mark.parametrize("entry", [math.nan, math.inf])
@pytest.mark.parametrize("where", ["loss", "gradient", "theta"])
def test_values_that_are_not_finite_are_divergence(where, entry):
    class NotFinite(Quadratic):
        def loss_gradient(self, params):
            _, grads = super().loss_gradient(params)
            if where == "gradient":
                grads.b2[...] = entry
            return (entry if where == "loss" else 1.0), grads

    theta = np.array([0.0, 0.0, 0.0, entry if where == "theta" else 0.0])
    state = descend(NotFinite(0.0 if where == "theta" else 1.0), theta)
    assert (state.loss, state.loss_curve, state.stop_reason) == (math.inf, [], "diverged")


def test_callback_stops_descent():
    callbacks = Callbacks(stop_at=3)
    state = descend(Quadratic(), np.zeros(4), monitor=Monitor(tol=1e-6, tasks=callbacks))
    assert state.stop_reason == "callback"
    assert state.loss_curve == [3.0, 1.5, 1.125]
    assert state.loss == 1 + 2 / 64  # after three updates


# Early stopping


def distance_from_0_9(params):
    """A validation loss that is lowest where theta is 0.9."""
    return abs(float(params.W1[0, 0]) - 0.9)


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_early_stopping_and_restoring_the_best(solver):
    options = {"tol": 0.0, "validation_loss": distance_from_0_9, "n_iter_no_change": 4}
    if solver == "gd":
        monitor = Monitor(**options)
        state = descend(Quadratic(), np.zeros(4), learning_rate=0.1, monitor=monitor)
    else:
        state = lbfgs(Rosenbrock(), np.zeros(4), **options)
    assert state.stop_reason == "early_stopping"
    curve = state.validation_loss_curve
    assert len(curve) == state.n_iter
    assert state.n_iter - curve.index(min(curve)) == 4
    _monitor.finalize(state, Quadratic(), np.float64)
    assert distance_from_0_9(state.params) == state.validation_loss == min(curve)
    assert state.loss == state.restorable_loss == Quadratic().loss(state.params)


def test_early_stopping_waits_on_the_plateau():
    rising = iter(range(1000))
    options = {"tol": 1e-6, "validation_loss": lambda _: next(rising), "n_iter_no_change": 3}
    state = descend(Quadratic(), np.zeros(4), monitor=Monitor(**options, plateau=1.125))
    assert state.n_iter == 2 + 3  # the loss is 3, 1.5, 1.125, and then below the plateau
    state = descend(Quadratic(), np.zeros(4), monitor=Monitor(**options))
    assert state.n_iter == 3


def test_plateau_excludes_the_penalty():
    rising = iter(range(1000))
    monitor = Monitor(
        tol=1e-6,
        validation_loss=lambda _: next(rising),
        n_iter_no_change=3,
        plateau=1.0,
        penalty=lambda _: 0.3,
    )
    # Without the penalty the losses are 2.7, 1.2, 0.825 and less.
    assert descend(Quadratic(), np.zeros(4), monitor=monitor).n_iter == 1 + 3


def test_last_parameters_can_be_best():
    monitor = Monitor(tol=1e-6, validation_loss=Quadratic().loss, n_iter_no_change=9)
    state = descend(Quadratic(), np.zeros(4), 2, monitor=monitor)
    _monitor.finalize(state, Quadratic(), np.float64)
    assert state.stop_reason == "max_iter"
    assert state.loss == 1.125 < min(state.validation_loss_curve)


def test_finalize_rounds_to_the_dtype():
    state = make_state(np.full(4, 0.1))
    _monitor.finalize(state, Quadratic(), np.dtype("float32"))
    assert_array_equal(state.theta, np.full(4, np.float32(0.1)))
    assert state.loss == Quadratic().loss(state.params)


def test_going_back_resets_the_velocity():
    monitor = Monitor(tol=0.0, validation_loss=distance_from_0_9, n_iter_no_change=4)
    state = descend(Quadratic(), np.zeros(4), learning_rate=0.1, momentum=0.5, monitor=monitor)
    assert state.velocity.any()
    _monitor.finalize(state, Quadratic(), np.float64)
    assert_array_equal(state.velocity, 0.0)


def test_staying_keeps_the_velocity():
    monitor = Monitor(tol=0.0, validation_loss=Quadratic().loss, n_iter_no_change=4)
    state = descend(Quadratic(), np.zeros(4), 3, learning_rate=0.1, momentum=0.5, monitor=monitor)
    _monitor.finalize(state, Quadratic(), np.float64)
    assert state.velocity.any()


def test_printed_losses(capsys):
    monitor = Monitor(tol=1e-6, validation_loss=lambda _: 0.25, n_iter_no_change=9, print_every=2)
    descend(Quadratic(), np.zeros(4), 3, monitor=monitor)
    assert capsys.readouterr().out.splitlines() == [
        "Cost after iteration 0: 3.000000, validation 0.250000",
        "Cost after iteration 2: 1.125000, validation 0.250000",
    ]


# Updates


def test_update_can_return_new_arrays():
    def update(params, grads, learning_rate):
        return Parameters(*(p - learning_rate * g for p, g in zip(params, grads, strict=True)))

    theta, other = np.zeros(4), np.zeros(4)
    ours, in_place = descend(Quadratic(), theta, update=update), descend(Quadratic(), other)
    assert ours.loss_curve == in_place.loss_curve
    assert_array_equal(theta, other)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descent_continues_bit_for_bit(momentum):
    theta, other = np.zeros(4), np.zeros(4)
    step = {"learning_rate": 0.01, "momentum": momentum}
    whole = descend(Quadratic(), theta, 12, **step)
    state = make_state(other)
    for max_iter in 5, 5, 9, 12:
        descend(Quadratic(), other, max_iter, state=state, **step)
    assert state.loss_curve == whole.loss_curve
    assert_array_equal(other, theta)


def test_momentum_is_nesterov():
    theta, plain, velocity = np.zeros(4), 0.0, 0.0
    descend(Quadratic(), theta, 20, learning_rate=0.1, momentum=0.9)
    for _ in range(20):  # as scikit-learn's SGDOptimizer writes it
        gradient = plain - 1
        velocity = 0.9 * velocity - 0.1 * gradient
        plain += 0.9 * velocity - 0.1 * gradient
    assert_allclose(theta, plain, rtol=1e-12)


def test_momentum_equals_scikit_learn(small_moons):
    X, y = small_moons
    mlp = MLPClassifier(
        (3,),
        activation="logistic",
        solver="sgd",
        alpha=0.0,
        batch_size=len(X),
        learning_rate_init=0.1,
        momentum=0.9,
        max_iter=1,
        tol=0,
        n_iter_no_change=1000,
        warm_start=True,
        shuffle=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(X, y)
        (V1, V2), (c1, c2) = mlp.coefs_, mlp.intercepts_
        start = tuple(a.copy() for a in (V1.T, c1[:, np.newaxis], V2.T, c2[:, np.newaxis]))
        mlp.set_params(max_iter=100).fit(X, y)
    clf = make_clf(n_h=3, learning_rate=0.1, momentum=0.9, init=start, max_iter=100, tol=0)
    clf.set_params(**LECTURE).fit(X, y)
    assert_allclose(clf.W1_, mlp.coefs_[0].T, rtol=1e-8)
    assert_allclose(clf.b2_[:, 0], mlp.intercepts_[1], rtol=1e-8)
