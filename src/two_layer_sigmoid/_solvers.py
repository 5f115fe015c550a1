"""Iteration: from a start to a result that says why it ended.

A solver sees an objective, a callable that gives cost and gradient, and a flat vector of
parameters; it knows neither data nor estimator, and prints nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ._network import Array, Parameters

if TYPE_CHECKING:
    from ._objective import Objective

GRADIENT_SMALL = "gradient small"
ITERATION_LIMIT = "iteration limit"
DIVERGED = "diverged"
INTERRUPTED = "interrupted"

# Divergence is a cost above CEILING times the larger of the first cost and ln 2, PATIENCE times
# in a row. The lecture's own rate oscillates by less, and must not be taken for it.
CEILING = 10
PATIENCE = 100
LN_2 = math.log(2)


def say_nothing(k: int, cost: float) -> None:
    """What is done on a step where nobody wants to know."""


class Result(NamedTuple):
    """How a solver ended; the parameters themselves are in the vector that it was given."""

    cost: float  # of the parameters as they were left
    loss_curve: list[float]  # the cost before each update
    stop_reason: str


def gradient_descent(
    objective: Objective,
    theta: Array,
    *,
    update: Callable[[Parameters, Parameters, float], Parameters],
    learning_rate: float,
    max_iter: int,
    tol: float,
    on_step: Callable[[int, float], None] = say_nothing,
) -> Result:
    """Full-batch gradient descent: equation (9) of the lecture, ``max_iter`` times at most.

    Works on ``theta`` in place. Before update k, ``on_step(k, cost)`` is told the cost. Stops where
    the largest entry of the gradient is at most ``tol``, which a pause on a plateau is not.
    """
    gradient = np.empty_like(theta)
    params, grads = objective.views(theta), objective.views(gradient)
    last, best = theta.copy(), theta.copy()  # the last that was finite, the best seen
    cost = lowest = math.inf
    curve: list[float] = []
    n_high = 0
    try:
        while True:
            new_cost = objective(params, grads)
            square = gradient.dot(gradient)
            if not _all_finite(new_cost, square, gradient, theta):
                theta[:] = last
                return Result(cost, curve, DIVERGED)
            cost, last[:] = new_cost, theta
            if cost < lowest:
                lowest, best[:] = cost, theta
            n_high = n_high + 1 if curve and cost > CEILING * max(curve[0], LN_2) else 0
            if n_high == PATIENCE:
                return Result(cost, curve, DIVERGED)
            # Only a short gradient can have no entry above tol: the cheap question first. The
            # factor 2 makes up for rounding.
            small = square <= 2 * theta.size * tol * tol and np.abs(gradient).max() <= tol
            if small or len(curve) == max_iter:
                return Result(cost, curve, GRADIENT_SMALL if small else ITERATION_LIMIT)
            on_step(len(curve), cost)
            curve.append(cost)
            params.assign(update(params, grads, learning_rate))
    except KeyboardInterrupt:
        if lowest == math.inf:  # nothing to keep yet
            raise
        theta[:] = best
        return Result(lowest, curve, INTERRUPTED)


def _all_finite(cost: float, square: float, gradient: Array, theta: Array) -> bool:
    # Squares overflow only where an entry is infinite, not a number or near the limit; the exact
    # test takes several times as long. ``square`` is the gradient's.
    if math.isfinite(cost + square + theta.dot(theta)):
        return True
    return bool(math.isfinite(cost) and np.isfinite(gradient).all() and np.isfinite(theta).all())
