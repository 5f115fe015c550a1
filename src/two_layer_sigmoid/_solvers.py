"""Solvers, and the rules by which they stop.

A solver is a function of an objective, a :class:`TrainingState`, a maximal number of iterations and
a :class:`Monitor`. It changes the parameters of the state in place until the monitor stops it. It
uses neither the data nor the estimator. It can be called again to continue, which is how
:func:`successive_halving` trains from several initial parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from ._network import Array, Parameters

if TYPE_CHECKING:
    from ._callbacks import Tasks
    from ._objective import Objective

# The values of ``stop_reason_``.
CONVERGED = "converged"
LINE_SEARCH = "line_search"
MAX_ITER = "max_iter"
EARLY_STOPPING = "early_stopping"
DIVERGED = "diverged"
INTERRUPTED = "interrupted"
CALLBACK = "callback"
PARTIAL_FIT = "partial_fit"

# Training has diverged if the loss stays above DIVERGENCE_FACTOR times the larger of the initial
# loss and ln 2 for DIVERGENCE_ITERS iterations. The lecture's learning rate oscillates less.
DIVERGENCE_FACTOR = 10
DIVERGENCE_ITERS = 100
LN_2 = math.log(2)
PLATEAU_RTOL = 0.01  # a loss this close to the baseline's has learned nothing
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


@dataclass(eq=False)
class TrainingState:
    """Training from one set of initial parameters: where it is, and how it got there.

    ``params`` are views of the flat vector ``theta``, which solvers change in place. ``loss`` is
    that of ``params``, penalty included. The monitored loss is the validation loss if there is a
    validation set, else ``loss``. Entry i of the curves is from before update i.
    """

    params: Parameters
    velocity: Array | None = None  # of momentum
    loss: float = math.inf
    monitored_loss: float = math.inf
    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    stop_reason: str | None = None
    is_validated: bool = False  # whether the monitored loss is a validation loss
    best_loss: float = math.inf  # of the parameters with the lowest monitored loss
    best_monitored_loss: float = math.inf
    best_iter: int = 0
    max_loss: float = math.inf  # training diverges above it
    last_below_max: int = 0  # iteration

    def __post_init__(self) -> None:
        self.theta = self.params.flat()
        self.best_theta = self.theta.copy()
        self.last_finite = self.theta.copy()

    @property
    def n_iter(self) -> int:
        """Number of updates made."""
        return len(self.loss_curve)

    @property
    def restorable_loss(self) -> float:
        """The training loss of the parameters to keep if training ended now."""
        return self.best_loss if self.is_validated else self.loss

    def go_back_to(self, theta: Array) -> None:
        """Set the parameters to earlier ones, at rest."""
        if self.velocity is not None and not np.array_equal(theta, self.theta):
            self.velocity[:] = 0.0
        self.theta[:] = theta

    def restore_best(self, objective: Objective) -> None:
        """Set the parameters to those with the lowest monitored loss."""
        self.go_back_to(self.best_theta)
        self.loss = self.best_loss = objective.loss(self.params)
        self.monitored_loss = self.best_monitored_loss
        del self.validation_loss_curve[self.n_iter :]  # an interrupted epoch has no loss


@dataclass(eq=False)
class Monitor:
    """Decides when training stops, prints the loss and calls callbacks.

    Iterations count for ``n_iter_no_change`` only if the training loss without penalty is below
    ``plateau``: otherwise nothing has been learned that more training could spoil.
    """

    tol: float  # training stops if no entry of the gradient is larger
    validation_loss: Callable[[Parameters], float] | None = None
    n_iter_no_change: int = 0  # training stops after as many without a lower validation loss
    plateau: float = math.inf
    penalty: Callable[[Parameters], float] = lambda params: 0.0
    print_every: int = 0  # iterations; 0 prints nothing
    tasks: Tasks | None = None  # of the callbacks
    bind: Callable[[TrainingState], Any] | None = None  # called with a state before it is trained

    def should_stop(
        self, state: TrainingState, loss: float, gradient: Array, max_iter: int
    ) -> bool:
        """Record the loss and the gradient of the state's parameters; is this the end?

        Every solver calls this before each update, and once after the last one.
        """
        state.stop_reason = self._reason_to_stop(state, loss, gradient, max_iter)
        if state.stop_reason is None:
            if self.print_every and state.n_iter % self.print_every == 0:
                self.print_loss(state)
            tasks = self._tasks_of(state)
            if tasks is not None and tasks.begin_iteration():
                state.stop_reason = CALLBACK
            elif state.is_validated:
                state.validation_loss_curve.append(state.monitored_loss)
        return state.stop_reason is not None

    def stop_line_search_failed(self, state: TrainingState) -> None:
        """Stop because the line search finds no lower loss; the announced update is not made."""
        state.loss_curve.pop()
        del state.validation_loss_curve[state.n_iter :]
        state.stop_reason = LINE_SEARCH

    def finalize_epochs(self, state: TrainingState, objective: Objective, initial: Array) -> None:
        """Compute the loss after mini-batches; if it is not finite, undo the last epoch."""
        if state.loss_curve:
            state.loss = objective.loss(state.params)
        for theta in state.best_theta, initial:
            if not math.isfinite(state.loss):
                state.stop_reason = DIVERGED
                state.go_back_to(theta)
                state.loss = objective.loss(state.params)

    def begin(self, state: TrainingState, states: Sequence[TrainingState], until: int) -> None:
        """Announce that one of the states is trained up to ``until`` updates."""
        if self.bind is not None:
            self.bind(state)
        if self.print_every and len(states) > 1:
            print(f"Start {states.index(state) + 1} of {len(states)}, up to iteration {until}")

    def end(self, state: TrainingState, states: Sequence[TrainingState]) -> None:
        """End the open task of the callbacks; one of them can stop training."""
        tasks = self._tasks_of(state)
        if tasks is None or not tasks.end_iteration():
            return
        if len(states) > 1 or state.stop_reason == MAX_ITER:  # else it is over anyway
            state.stop_reason = CALLBACK

    def _tasks_of(self, state: TrainingState) -> Tasks | None:
        """The tasks of the callbacks; the estimator gets the state's current parameters first."""
        if self.tasks is not None and self.bind is not None:
            self.bind(state)
        return self.tasks

    def print_loss(self, state: TrainingState, ending: str = "") -> None:
        """Print the losses of a state."""
        validation = f", validation {state.monitored_loss:.6f}" if state.is_validated else ""
        print(f"Cost after iteration {state.n_iter}: {state.loss:.6f}{validation}{ending}")

    def _reason_to_stop(
        self, state: TrainingState, loss: float, gradient: Array, max_iter: int
    ) -> str | None:
        square = float(gradient.dot(gradient))
        if not _all_finite(loss, square, gradient, state.theta):
            state.go_back_to(state.last_finite)
            return DIVERGED
        state.loss = loss
        state.last_finite[:] = state.theta
        self._compare(state)
        if state.n_iter - state.last_below_max == DIVERGENCE_ITERS:
            return DIVERGED
        # If all entries are within tol, so is their root mean square: the cheaper test comes first.
        # The factor 2 makes up for rounding errors.
        tol = self.tol
        if square <= 2 * gradient.size * tol * tol and np.abs(gradient).max() <= tol:
            return CONVERGED
        if state.is_validated and state.n_iter - state.best_iter >= self.n_iter_no_change:
            return EARLY_STOPPING
        return MAX_ITER if state.n_iter >= max_iter else None

    def _compare(self, state: TrainingState) -> None:
        """Keep the best parameters so far, and count iterations without an improvement."""
        if state.n_iter == 0:
            state.max_loss = DIVERGENCE_FACTOR * max(state.loss, LN_2)
        if state.loss <= state.max_loss:
            state.last_below_max = state.n_iter
        state.is_validated = self.validation_loss is not None
        state.monitored_loss = state.loss
        if self.validation_loss is not None:
            state.monitored_loss = self.validation_loss(state.params)
        if state.monitored_loss < state.best_monitored_loss:
            state.best_loss, state.best_monitored_loss = state.loss, state.monitored_loss
            state.best_theta[:] = state.theta
            state.best_iter = state.n_iter
        elif state.is_validated and state.loss - self.penalty(state.params) >= self.plateau:
            state.best_iter = state.n_iter


Step = Callable[[TrainingState, Parameters], None]


def gradient_step(
    state: TrainingState,
    grads: Parameters,
    *,
    update: Callable[[Parameters, Parameters, float], Parameters],
    learning_rate: float,
    momentum: float = 0.0,
) -> None:
    """Update the state's parameters; with momentum ``grads`` is overwritten by the velocity's step.

    Nesterov's momentum: I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of
    initialization and momentum in deep learning", ICML 2013, in the form of scikit-learn and
    PyTorch, whose parameters are the original's look-ahead parameters.
    """
    if momentum > 0:
        gradient = grads.flat()
        if state.velocity is None:
            state.velocity = np.zeros_like(gradient)
        state.velocity *= momentum
        state.velocity += gradient
        gradient += momentum * state.velocity
    state.params.assign(update(state.params, grads, learning_rate))


def gradient_descent(
    objective: Objective, state: TrainingState, max_iter: int, monitor: Monitor, *, step: Step
) -> None:
    """Full-batch gradient descent, equation (9), until ``max_iter`` updates in all."""
    while True:
        loss, grads = objective.loss_gradient(state.params)
        if monitor.should_stop(state, loss, grads.flat(), max_iter):
            return
        state.loss_curve.append(loss)
        step(state, grads)


def minibatch_descent(
    objective: Objective,
    state: TrainingState,
    max_iter: int,
    monitor: Monitor,
    *,
    step: Step,
    minibatches: Callable[[], Iterator[tuple[Objective, float]]],
) -> None:
    """Gradient descent by mini-batches, until ``max_iter`` epochs in all.

    ``minibatches`` starts an epoch: it yields objectives of some rows and their fractions of all
    rows. The loss and gradient of an epoch are the means over its mini-batches, each taken before
    its update. Those of all rows are computed at the start, where the mean gradient is small (the
    mini-batches can cancel each other), and at the end.
    """
    initial = state.theta.copy()
    loss, grads = objective.loss_gradient(state.params)
    mean_gradient = grads.flat().copy()
    while not monitor.should_stop(state, loss, mean_gradient, max_iter):
        loss, mean_gradient[:] = 0.0, 0.0
        for minibatch, fraction in minibatches():
            minibatch_loss, grads = minibatch.loss_gradient(state.params)
            loss += fraction * minibatch_loss
            mean_gradient += fraction * grads.flat()
            step(state, grads)
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


def successive_halving(
    states: Sequence[TrainingState],
    solve: Callable[[TrainingState, int], None],
    monitor: Monitor,
    *,
    max_iter: int,
    first_rung: int,
) -> TrainingState:
    """Train from several initial parameters, and return the state with the lowest loss.

    K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
    optimization", AISTATS 2016. ``solve(state, until)`` trains a state up to ``until`` updates in
    all. At the end of each rung the better half is kept, and the next rung ends at twice the
    updates. The first rung ends at ``first_rung`` updates, or earlier if more than one state would
    be left at ``max_iter``. The best state continues to ``max_iter``. Ctrl-C ends training with the
    state that has had the lowest loss.
    """
    active = list(states)
    until = max(1, min(first_rung, max_iter >> (len(states) - 1).bit_length()))
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


def finalize(state: TrainingState, objective: Objective, dtype: npt.DTypeLike) -> None:
    """Set the state to the parameters to keep, rounded to ``dtype``, and compute their loss."""
    try:
        _finalize(state, objective, dtype)
    except KeyboardInterrupt:  # a second Ctrl-C is raised
        state.stop_reason = INTERRUPTED
        _finalize(state, objective, dtype)


def _finalize(state: TrainingState, objective: Objective, dtype: npt.DTypeLike) -> None:
    if state.is_validated or state.stop_reason == INTERRUPTED:
        state.restore_best(objective)
    if state.theta.dtype != dtype:
        raw = objective.raw(state.params)
        raw.flat()[:] = raw.flat().astype(dtype)
        state.params.assign(objective.standardized(raw))
        state.loss = objective.loss(state.params)


def _can_go_on(state: TrainingState, max_iter: int) -> bool:
    return state.stop_reason is None or (state.stop_reason == MAX_ITER and state.n_iter < max_iter)


def _best(
    states: Sequence[TrainingState], by: str, stop_reason: str | None = None
) -> TrainingState:
    best = min(states, key=attrgetter(by))
    best.stop_reason = stop_reason or best.stop_reason
    return best


def _all_finite(loss: float, square: float, gradient: Array, theta: Array) -> bool:
    """Whether all are finite; ``square`` is the gradient's."""
    # A sum of squares overflows only if an entry is not finite or close to the limit. The exact
    # test takes several times as long.
    if math.isfinite(loss + square + theta.dot(theta)):
        return True
    return bool(math.isfinite(loss) and np.isfinite(gradient).all() and np.isfinite(theta).all())
