"""Solvers: functions that lower an objective until the monitor stops them.

A solver gets an objective, a :class:`TrainingState`, a maximal number of iterations and a
:class:`Monitor`. It changes the parameters of the state in place until the monitor stops it. It
uses neither the data nor the estimator. A second call continues training, so that
:func:`successive_halving` can train several states in turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from ._monitor import CALLBACK, INTERRUPTED, MAX_ITER, NO_IMPROVEMENT, Monitor, TrainingState
from ._network import Array, Parameters
from ._objective import Objective

# Pairs of parameter and gradient differences that L-BFGS keeps; SciPy's default is 10. Measured on
# the moons and the lecture's data with 8 units: 40 pairs reach a lower loss in half the iterations.
# In the first 100 iterations 40 pairs gain nothing over 10, and on few rows they take longer than
# the network. More than two pairs for each parameter never gain anything.
EARLY_HISTORY_SIZE, HISTORY_SIZE = 10, 40
EARLY_ITERS = 100
# L-BFGS drops its history after this number of iterations for each parameter. Measured: if the best
# weights are infinite, as with 2 units on the lecture's data, training to a small gradient takes a
# third of the iterations. Otherwise restarts make no difference.
RESTART_INTERVAL = 30
# Updates on all rows after mini-batches whose mean loss no longer falls. Measured: the mini-batches
# end with noisy weights, and the loss of all rows can be a tenth above the mean loss of the epoch.
# Five updates lower the loss on held-out rows by 3 % on average, by up to 17 %; ten are no better.
FINAL_UPDATES = 5

Update = Callable[[Parameters, Parameters, float], Parameters]


def gradient_descent(
    objective: Objective,
    state: TrainingState,
    max_iter: int,
    monitor: Monitor,
    *,
    update: Update,
    learning_rate: float,
    momentum: float = 0.0,
    batch_size: int | None = None,
    random_state: Any = None,
) -> None:
    """Gradient descent, equation (9), up to ``max_iter`` updates in all.

    With mini-batches these are epochs. If their mean loss no longer falls, FINAL_UPDATES updates on
    all rows end training. ``update(params, grads, learning_rate)`` returns the next parameters.
    """

    def descend(grads: Parameters) -> None:
        if momentum > 0:
            _add_momentum(state, grads.flat(), momentum)
        state.params.assign(update(state.params, grads, learning_rate))

    end = math.inf  # of the updates after mini-batches
    if batch_size is not None:
        epoch = partial(objective.minibatches, batch_size, random_state)
        _minibatch_descent(objective, state, max_iter, monitor, descend=descend, epoch=epoch)
        if state.stop_reason is not None:
            return
        end = state.n_iter + FINAL_UPDATES
        max_iter = min(max_iter, end)
    while True:
        loss, grads = objective.loss_gradient(state.params)
        if monitor.should_stop(state, loss, grads.flat(), max_iter):
            break
        state.loss_curve.append(loss)
        descend(grads)
    if state.n_iter == end and state.stop_reason == MAX_ITER:
        state.stop_reason = NO_IMPROVEMENT


def _add_momentum(state: TrainingState, gradient: Array, momentum: float) -> None:
    """Nesterov's momentum: update the velocity, then add ``momentum`` times it to the gradient.

    I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and
    momentum in deep learning", ICML 2013. As in scikit-learn and PyTorch, the parameters are the
    look-ahead parameters of the paper.
    """
    if state.velocity is None:
        state.velocity = np.zeros_like(gradient)
    state.velocity *= momentum
    state.velocity += gradient
    gradient += momentum * state.velocity


def _minibatch_descent(
    objective: Objective,
    state: TrainingState,
    max_iter: int,
    monitor: Monitor,
    *,
    descend: Callable[[Parameters], None],
    epoch: Callable[[], Iterator[tuple[Objective, float]]],
) -> None:
    """Gradient descent by mini-batches, up to ``max_iter`` epochs in all.

    ``epoch`` yields objectives of some rows and their fractions of all rows. The loss and the
    gradient of an epoch are the means over its mini-batches, each before its update. The loss of
    all rows is computed at the start and at the end. The gradient of all rows is computed if the
    mean gradient is small, because the gradients of mini-batches can cancel. If the loss of the
    epochs stays, below the plateau, the function returns without a reason to stop.
    """
    initial = state.theta.copy()
    loss, grads = objective.loss_gradient(state.params)
    mean_gradient = grads.flat().copy()
    while not monitor.should_stop(state, loss, mean_gradient, max_iter):
        loss, mean_gradient[:] = 0.0, 0.0
        for minibatch, fraction in epoch():
            minibatch_loss, grads = minibatch.loss_gradient(state.params)
            loss += fraction * minibatch_loss
            mean_gradient += fraction * grads.flat()
            descend(grads)
        state.loss_curve.append(loss)
        if monitor.is_flat(state) and objective.log_loss(state.params) < monitor.plateau:
            return
        if np.abs(mean_gradient).max() <= monitor.tol:
            mean_gradient[:] = objective.loss_gradient(state.params)[1].flat()
    monitor.finalize_epochs(state, objective, initial)


def lbfgs(objective: Objective, state: TrainingState, max_iter: int, monitor: Monitor) -> None:
    """SciPy's L-BFGS, up to ``max_iter`` iterations in all.

    R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A limited memory algorithm for bound constrained
    optimization", SIAM J. Sci. Comput. 16, 1995. SciPy's stopping criteria are off; the monitor
    decides after each iteration. L-BFGS restarts with an empty history after ``EARLY_ITERS``
    iterations, later every ``RESTART_INTERVAL`` iterations for each parameter, and if the line
    search fails in the precision of float64. Training stops after a restart that does not lower the
    loss.
    """
    gradient = np.empty_like(state.theta)

    def loss_at(x: Array) -> float:
        nonlocal gradient
        state.theta[:] = x
        loss, grads = objective.loss_gradient(state.params)
        gradient = grads.flat()
        return loss

    def gradient_at(x: Array) -> Array:
        if not (x == state.theta).all():  # usually x is the point evaluated last
            loss_at(x)
        return gradient

    def after_iteration(intermediate_result: Any) -> None:  # SciPy requires this name
        loss, x = float(intermediate_result.fun), intermediate_result.x
        if monitor.should_stop(state, loss, gradient_at(x), max_iter):
            raise StopIteration
        state.loss_curve.append(state.loss)

    loss = loss_at(state.theta)
    if monitor.should_stop(state, loss, gradient, max_iter):
        return
    state.loss_curve.append(state.loss)
    while state.stop_reason is None:
        loss_before = state.loss
        result = minimize(
            loss_at,
            state.theta.copy(),
            jac=gradient_at,
            method="L-BFGS-B",
            callback=after_iteration,
            options=_lbfgs_options(state),
        )
        if state.stop_reason is None:
            state.theta[:] = result.x  # can differ from the last point evaluated
            if not state.loss < loss_before:
                monitor.stop_line_search_failed(state)


def _lbfgs_options(state: TrainingState) -> dict[str, float]:
    """SciPy's options: the number of pairs, and the iterations until the next restart."""
    n = state.theta.size
    if state.n_iter < EARLY_ITERS:
        history_size, n_iter = EARLY_HISTORY_SIZE, EARLY_ITERS - state.n_iter
    else:
        history_size, n_iter = HISTORY_SIZE, RESTART_INTERVAL * n
    no_criteria = {"maxfun": math.inf, "ftol": 0.0, "gtol": 0.0}
    return {"maxcor": min(history_size, 2 * n), "maxiter": n_iter, **no_criteria}


class Solver(NamedTuple):
    """A solver and its traits, on which the rest of the package depends instead of its name."""

    run: Callable[..., None]  # run(objective, state, max_iter, monitor, **options)
    has_learning_rate: bool  # if so, it has the options of gradient_descent, and can do one pass
    computes_in_float64: bool  # whatever the dtype of X
    # First rung of successive halving, as a multiple of the number of parameters; None: max_iter.
    first_rung: int | None = None


SOLVERS = {
    "gd": Solver(gradient_descent, has_learning_rate=True, computes_in_float64=False),
    "lbfgs": Solver(
        lbfgs,
        has_learning_rate=False,
        computes_in_float64=True,  # in float32 its line search fails on the plateau
        first_rung=4,  # by then it has approximated the curvature
    ),
}


def successive_halving(
    states: Sequence[TrainingState],
    solve: Callable[[TrainingState, int], None],
    monitor: Monitor,
    *,
    max_iter: int,
    first_rung: int | None = None,
) -> TrainingState:
    """Train from several initial parameters, and return the state with the lowest loss.

    K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
    optimization", AISTATS 2016. ``solve(state, n)`` trains a state up to ``n`` updates in all. The
    better half of the states continues after each rung, which ends at twice the updates of the one
    before. The first rung ends at ``first_rung`` updates (None: ``max_iter``), or earlier if more
    than one state would be left at ``max_iter``. The best state continues to ``max_iter``. Ctrl-C
    ends training with the state that has had the lowest loss.
    """
    active = list(states)
    n_halvings = math.ceil(math.log2(len(states)))
    rung = max(1, min(first_rung or max_iter, max_iter // 2**n_halvings))
    try:
        while True:
            until = max_iter if len(active) == 1 else min(rung, max_iter)
            unfinished = [state for state in active if _can_go_on(state, max_iter)]
            for state in unfinished:
                monitor.begin(state, states, until)
                solve(state, until)
                monitor.end(state, states)
                if state.stop_reason == CALLBACK:
                    return _best(states, "restorable_loss", CALLBACK)
            if len(active) > 1:
                ranked = sorted(active, key=attrgetter("restorable_loss"))
                active, rung = ranked[: (len(active) + 1) // 2], 2 * rung
            elif unfinished:  # another state is best if the loss of the last one has risen
                active = [_best(states, "restorable_loss")]
            else:
                return active[0]
    except KeyboardInterrupt:
        if all(state.best_loss == math.inf for state in states):  # there is nothing to keep yet
            raise
        return _best(states, "best_loss", INTERRUPTED)


def _can_go_on(state: TrainingState, max_iter: int) -> bool:
    return state.stop_reason is None or (state.stop_reason == MAX_ITER and state.n_iter < max_iter)


def _best(
    states: Sequence[TrainingState], by: str, stop_reason: str | None = None
) -> TrainingState:
    best = min(states, key=attrgetter(by))
    best.stop_reason = stop_reason or best.stop_reason
    return best
