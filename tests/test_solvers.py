"""Gradient descent on functions with known answers: no data and no estimator."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from two_layer_sigmoid import _network, _solvers
from two_layer_sigmoid._network import Parameters


class Quadratic:
    """curvature / 2 |theta - 1|^2 + 1, of a network with 1 feature, 1 hidden unit and 1 output."""

    def __init__(self, curvature=1.0):
        self.curvature = curvature

    def views(self, theta):
        return Parameters.views(theta, 1, 1, 1)

    def __call__(self, params, grads):
        cost = 1.0
        for parameter, gradient in zip(params, grads, strict=True):
            gradient[...] = self.curvature * (parameter - 1)
            cost += float(self.curvature / 2 * ((parameter - 1) ** 2).sum())
        return cost


def descend(objective, theta, **options):
    options = {
        "update": _network.update,
        "learning_rate": 0.5,
        "max_iter": 1000,
        "tol": 1e-6,
    } | options
    with np.errstate(over="ignore", invalid="ignore"):
        return _solvers.gradient_descent(objective, theta, **options)


def test_stops_where_the_gradient_is_small():
    theta = np.zeros(4)
    result = descend(Quadratic(), theta)
    assert result.stop_reason == "gradient small"
    assert len(result.loss_curve) == 20  # 2^-20 is the first power of a half below 1e-6
    assert_array_equal(theta, 1 - 2.0**-20)
    assert result.cost == 1 + 4 / 2 * 2.0**-40
    assert_allclose(result.loss_curve, 1 + 2 * 4.0 ** -np.arange(20), rtol=1e-15)


def test_tol_is_about_the_largest_entry():
    theta = np.array([0.0, 1, 1, 1])
    result = descend(Quadratic(), theta, tol=1.0)
    assert result.stop_reason == "gradient small"
    assert result.loss_curve == []
    assert len(descend(Quadratic(), theta, tol=0.999).loss_curve) == 1


def test_a_plateau_is_no_reason_to_stop():
    theta = np.full(4, 1 - 1e-5)  # a gradient of 1e-5, and a cost that changes by 1e-10
    assert len(descend(Quadratic(1.0), theta, learning_rate=1e-3, max_iter=500).loss_curve) == 500


def test_iteration_limit_and_steps():
    told = []
    theta = np.zeros(4)
    result = descend(Quadratic(), theta, max_iter=3, on_step=lambda k, cost: told.append((k, cost)))
    assert result.stop_reason == "iteration limit"
    assert told == [(0, 3.0), (1, 1.5), (2, 1.125)]
    assert result.loss_curve == [3.0, 1.5, 1.125]
    assert result.cost == 1 + 2 / 64  # of the parameters after the third update
    assert_array_equal(theta, 0.875)


def test_high_cost_for_long_is_divergence():
    result = descend(Quadratic(), np.zeros(4), learning_rate=2.2)
    assert result.stop_reason == "diverged"
    # |theta - 1| grows by 1.2 each time; 1 + 2 * 1.44^k > 30 from k = 8 on, a hundred times.
    assert len(result.loss_curve) == 8 + 100 - 1
    assert math.isfinite(result.cost)


def test_oscillation_is_not_divergence():
    result = descend(Quadratic(), np.zeros(4), learning_rate=2.0)
    assert result.stop_reason == "iteration limit"
    assert set(result.loss_curve) == {3.0}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overflow_is_divergence_and_keeps_the_last_finite_parameters(dtype):
    theta = np.zeros(4, dtype)
    result = descend(Quadratic(1e6), theta, learning_rate=1e6)
    assert result.stop_reason == "diverged"
    assert np.isfinite(theta).all()
    assert result.cost == result.loss_curve[-1]
    again = np.zeros(4, dtype)  # as many updates as cost-curve entries but the last undone one
    descend(Quadratic(1e6), again, learning_rate=1e6, max_iter=len(result.loss_curve) - 1)
    assert_array_equal(theta, again)


def test_a_start_that_is_not_finite_is_told():
    result = descend(lambda_objective(lambda params: math.nan), np.zeros(4))
    assert result == (math.inf, [], "diverged")


def lambda_objective(cost):
    class Objective(Quadratic):
        def __call__(self, params, grads):
            super().__call__(params, grads)
            return cost(params)

    return Objective()


def test_ctrl_c_keeps_the_best_parameters():
    costs = iter([3.0, 1.0, 2.0])

    def cost(params):
        try:
            return next(costs)
        except StopIteration:
            raise KeyboardInterrupt from None

    theta = np.zeros(4)
    result = descend(lambda_objective(cost), theta)
    assert result == (1.0, [3.0, 1.0, 2.0], "interrupted")
    assert_array_equal(theta, 0.5)  # after one update


def test_ctrl_c_before_the_first_cost_is_passed_on():
    def cost(params):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        descend(lambda_objective(cost), np.zeros(4))


def test_update_may_return_arrays_of_its_own():
    def update(params, grads, learning_rate):
        return Parameters(*(p - learning_rate * g for p, g in zip(params, grads, strict=True)))

    theta, other = np.zeros(4), np.zeros(4)
    assert descend(Quadratic(), theta, update=update) == descend(Quadratic(), other)
    assert_array_equal(theta, other)
