"""Solvers: functions that lower an objective until the monitor stops them.

A solver is called with an objective, a :class:`TrainingState`, a maximal number of iterations and a
:class:`Monitor`. It changes the parameters of the state in place until the monitor stops it. It
uses neither the data nor the estimator. It can be called again to continue, which is how
:func:`successive_halving` trains from several initial parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from ._monitor import CALLBACK, INTERRUPTED, MAX_ITER, Monitor, TrainingState
from ._network import Array, Parameters
from ._objective import Objective

# Pairs of steps and gradient differences that L-BFGS keeps; SciPy's default is 10. Measured: 40
# pairs reach a lower loss on the moons and the lecture's data with 8 units, in half the iterations.
# In the first 100 iterations 40 pairs gain nothing over 10. On few rows they take longer than the
# network. More than two for each parameter never gain anything.
EARLY_HISTORY_SIZE, HISTORY_SIZE = 10, 40
EARLY_ITERS = 100
# Iterations for each parameter after which L-BFGS drops its history. Measured: if the best weights
# lie at infinity, as with 2 units on the lecture's data, a small gradient takes a third of the
# iterations; otherwise it makes no difference.
RESTART_INTERVAL = 30

Update = Callable[[Parameters, Parameters, float], Parameters]
Step = Callable[[Parameters], None]


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
    """Gradient descent, equation (9), until ``max_iter`` updates (epochs of mini-batches) in all.

    ``update(params, grads, learning_rate)`` returns the next parameters.
    """

    def step(grads: Parameters) -> None:
        if momentum > 0:
            _add_momentum(state, grads.flat(), momentum)
        state.params.assign(update(state.params, grads, learning_rate))

    if batch_size is not None and batch_size < objective.data.n_rows:
        epoch = partial(objective.minibatches, batch_size, random_state)
        _minibatch_descent(objective, state, max_iter, monitor, step=step, epoch=epoch)
        return
    while True:
        loss, grads = objective.loss_gradient(state.params)
        if monitor.should_stop(state, loss, grads.flat(), max_iter):
            return
        state.loss_curve.append(loss)
        step(grads)


def _add_momentum(state: TrainingState, gradient: Array, momentum: float) -> None:
    """Add the gradient to the velocity, and make the gradient the step of Nesterov's momentum.

    I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and
    momentum in deep learning", ICML 2013, in the form of scikit-learn and PyTorch, whose parameters
    are the original's look-ahead parameters.
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
    step: Step,
    epoch: Callable[[], Iterator[tuple[Objective, float]]],
) -> None:
    """Gradient descent by mini-batches, until ``max_iter`` epochs in all.

    ``epoch`` yields objectives of some rows and their fractions of all rows. The loss and gradient
    of an epoch are the means over its mini-batches, each taken before its update. Those of all rows
    are computed at the start, at the end, and if the mean gradient is small: mini-batches can
    cancel each other.
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
            step(grads)
        state.loss_curve.append(loss)
        if np.abs(mean_gradient).max() <= monitor.tol:
            mean_gradient[:] = objective.loss_gradient(state.params)[1].flat()
    monitor.finalize_epochs(state, objective, initial)


def lbfgs(objective: Objective, state: TrainingState, max_iter: int, monitor: Monitor) -> None:
    """SciPy's L-BFGS, until ``max_iter`` iterations in all.

    R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A limited memory algorithm for bound constrained
    optimization", SIAM J. Sci. Comput. 16, 1995. SciPy's stopping criteria are off; the monitor is
    asked after each iteration. L-BFGS starts again from the current parameters with an empty
    history: after ``EARLY_ITERS`` iterations, later every ``RESTART_INTERVAL`` iterations for each
    parameter, and if the line search fails in the precision of float64. If that does not lower the
    loss, training stops.
    """
    gradient = np.empty_like(state.theta)

    def loss_at(x: Array) -> float:
        nonlocal gradient
        state.theta[:] = x
        loss, grads = objective.loss_gradient(state.params)
        gradient = grads.flat()
        return loss

    def gradient_at(x: Array) -> Array:
        if not (x == state.theta).all():  # SciPy mostly asks for the point evaluated last
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
    """SciPy's options: the number of pairs, and the iterations until the next restart.

    Its stopping criteria are off.
    """
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
    has_learning_rate: bool  # then it takes the options of gradient_descent, and can do one pass
    computes_in_float64: bool  # whatever the dtype of X
    # The first rung of successive halving in iterations for each parameter; None is ``max_iter``.
    first_rung: int | None = None


SOLVERS = {
    "gd": Solver(gradient_descent, has_learning_rate=True, computes_in_float64=False),
    "lbfgs": Solver(
        lbfgs,
        has_learning_rate=False,
        computes_in_float64=True,  # in float32 its line search fails on the plateau
        first_rung=4,  # then it has approximated the curvature
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
    optimization", AISTATS 2016. ``solve(state, until)`` trains a state up to ``until`` updates in
    all. At the end of each rung the better half is kept, and the next rung ends at twice the
    updates. The first rung ends at ``first_rung`` updates (None: ``max_iter``), or earlier if more
    than one state would be left at ``max_iter``. The best state continues to ``max_iter``. Ctrl-C
    ends training with the state that has had the lowest loss.
    """
    active = list(states)
    n_halvings = math.ceil(math.log2(len(states)))
    until = max(1, min(first_rung or max_iter, max_iter // 2**n_halvings))
    try:
        while True:
            limit = max_iter if len(active) == 1 else min(until, max_iter)
            unfinished = [state for state in active if _can_go_on(state, max_iter)]
            for state in unfinished:
                monitor.begin(state, states, limit)
                solve(state, limit)
                monitor.end(state, states)
                if state.stop_reason == CALLBACK:
                    return _best(states, "restorable_loss", CALLBACK)
            if len(active) > 1:
                ranked = sorted(active, key=attrgetter("restorable_loss"))
                active, until = ranked[: (len(active) + 1) // 2], 2 * until
            elif unfinished:
                active = [_best(states, "restorable_loss")]  # the last one's loss can have risen
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
