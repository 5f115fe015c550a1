"""Iteration: from a start to parameters and a reason why it ended.

A solver sees an objective, a callable that gives cost and gradient, and a :class:`Run`, the state
of training from one start; it knows neither data nor estimator, prints nothing and warns of
nothing. It may leave a run at a limit and be called again to go on, which is what lets
:func:`race` try several starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from ._network import Array, Parameters

if TYPE_CHECKING:
    from ._objective import Objective

GRADIENT_SMALL = "gradient small"
ITERATION_LIMIT = "iteration limit"
EARLY_STOPPING = "early stopping"
DIVERGED = "diverged"
INTERRUPTED = "interrupted"
STOPPED = "stopped by callback"

# Divergence is a cost above CEILING times the larger of the first cost and ln 2, PATIENCE times
# in a row. The lecture's own rate oscillates by less, and must not be taken for it.
CEILING = 10
PATIENCE = 100
LN_2 = math.log(2)
# Pairs of steps and gradients that L-BFGS remembers; SciPy's default is 10. Measured: 40 end lower
# on the moons and the lecture's data with 8 units, in half the iterations; more than two for each
# parameter gain nothing.
MEMORY = 40
# Iterations for each parameter after which the memory is emptied. Measured: where the best weights
# lie at infinity, as with 2 units on the lecture's data, that takes a third of the iterations to a
# small gradient; elsewhere it does no harm.
RENEWAL = 30


class Watch(NamedTuple):
    """What every solver asks before each update, besides whether it has come to its limit."""

    tol: float  # an end where no entry of the gradient is larger
    on_step: Callable[[Run], bool] | None = None  # told of each update; True stops
    validation_cost: Callable[[Parameters], float] | None = None
    penalty: Callable[[Parameters], float] = lambda _: 0.0  # what the cost holds of it
    n_iter_no_change: int = 0  # updates without a lower validation cost that are an end
    plateau: float = math.inf  # they count where the training cost, without penalty, is lower:
    # where something has been learned that more training could spoil


class Run:
    """Training from one start: the parameters, the way there, and the best on the way.

    ``params`` are views of the flat vector ``theta``, which solvers change in place; ``velocity``
    is momentum's, if there is any. ``cost`` is that of ``params``, penalty included. Entry i of the
    curves is from before update i.
    """

    def __init__(self, params: Parameters, velocity: Array | None = None) -> None:
        assert params.theta is not None
        self.params, self.theta = params, params.theta
        self.velocity = velocity
        self.cost = self.score = math.inf
        self.loss_curve: list[float] = []
        self.validation_loss_curve: list[float] = []
        self.stop_reason: str | None = None
        self.validated = False  # whether the score is a validation cost
        self.best = self.theta.copy()  # by the score: the validation cost, or else the cost
        self.best_cost = self.best_score = math.inf
        self._last = self.theta.copy()  # the last with a finite cost
        self._ceiling = math.inf
        self._tame_at = self._better_at = 0

    @property
    def n_iter(self) -> int:
        """Number of updates made."""
        return len(self.loss_curve)

    def ends(self, cost: float, gradient: Array, limit: int, watch: Watch) -> bool:
        """Take note of ``theta``, whose cost and gradient these are; is that the end?

        Every solver calls this before each update, and once more after the last.
        """
        self.stop_reason = self._reason_to_stop(cost, gradient, limit, watch)
        if self.stop_reason is None and watch.on_step is not None and watch.on_step(self):
            self.stop_reason = STOPPED
        if self.stop_reason is None and watch.validation_cost is not None:
            self.validation_loss_curve.append(self.score)
        return self.stop_reason is not None

    def give_up(self) -> None:
        """End where the update that was to come cannot be made: nothing lower can be found."""
        self.loss_curve.pop()
        del self.validation_loss_curve[self.n_iter :]
        self.stop_reason = GRADIENT_SMALL

    @property
    def kept_cost(self) -> float:
        """The training cost of the parameters that would be kept if this were the end."""
        return self.best_cost if self.validated else self.cost

    def restore_best(self, objective: Objective) -> None:
        """Go back to the best parameters on the way."""
        self._go_back_to(self.best)
        self.cost = self.best_cost = objective(self.params)
        self.score = self.best_score
        del self.validation_loss_curve[self.n_iter :]  # an interrupted epoch has no loss

    def _go_back_to(self, theta: Array) -> None:
        if self.velocity is not None and not np.array_equal(theta, self.theta):
            self.velocity[:] = 0.0
        self.theta[:] = theta

    def close(self, objective: Objective, start: Array) -> None:
        """Compute the cost after mini-batches; if the last epoch spoiled it, go back."""
        if self.loss_curve:
            self.cost = objective(self.params)
        for theta in self.best, start:
            if not math.isfinite(self.cost):
                self.stop_reason = DIVERGED
                self._go_back_to(theta)
                self.cost = objective(self.params)

    def round(self, dtype: npt.DTypeLike, objective: Objective) -> None:
        """Let the parameters be what they are in a dtype of less precision."""
        self.theta[:] = self.theta.astype(dtype)
        self.cost = objective(self.params)

    def _reason_to_stop(self, cost: float, gradient: Array, limit: int, watch: Watch) -> str | None:
        square = float(gradient.dot(gradient))
        if not _all_finite(cost, square, gradient, self.theta):
            self._go_back_to(self._last)
            return DIVERGED
        self.cost = cost
        self._last[:] = self.theta
        self._compare(watch)
        if self.n_iter - self._tame_at == PATIENCE:
            return DIVERGED
        # Only a short gradient can have no entry above tol: the cheap question first. The factor
        # 2 makes up for rounding.
        tol = watch.tol
        if square <= 2 * gradient.size * tol * tol and np.abs(gradient).max() <= tol:
            return GRADIENT_SMALL
        stale = self.n_iter - self._better_at
        if watch.validation_cost is not None and stale >= watch.n_iter_no_change:
            return EARLY_STOPPING
        return ITERATION_LIMIT if self.n_iter >= limit else None

    def _compare(self, watch: Watch) -> None:
        """Keep the best so far; note since when the cost is too high, and nothing better came."""
        if self.n_iter == 0:
            self._ceiling = CEILING * max(self.cost, LN_2)
        if self.cost <= self._ceiling:
            self._tame_at = self.n_iter
        validate = watch.validation_cost
        self.validated = validate is not None
        self.score = self.cost if validate is None else validate(self.params)
        if self.score < self.best_score:
            self.best_cost, self.best_score, self.best[:] = self.cost, self.score, self.theta
            self._better_at = self.n_iter
        elif self.validated and self.cost - watch.penalty(self.params) >= watch.plateau:
            self._better_at = self.n_iter


class Step(NamedTuple):
    """How gradient descent gets from one iteration to the next."""

    update: Callable[[Parameters, Parameters, float], Parameters]
    learning_rate: float
    momentum: float = 0.0

    def take(self, run: Run, grads: Parameters) -> None:
        """Update the run's parameters; with momentum ``grads`` becomes what is passed as such.

        Nesterov's momentum: I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of
        initialization and momentum in deep learning", ICML 2013, written, as in scikit-learn and
        PyTorch, with the parameters that the original calls those looked ahead to.
        """
        if self.momentum > 0:
            gradient = grads.theta
            assert gradient is not None
            if run.velocity is None:
                run.velocity = np.zeros_like(gradient)
            run.velocity *= self.momentum
            run.velocity += gradient
            gradient += self.momentum * run.velocity
        run.params.assign(self.update(run.params, grads, self.learning_rate))


def gradient_descent(
    objective: Objective, run: Run, limit: int, *, step: Step, watch: Watch
) -> None:
    """Full-batch gradient descent, equation (9), until ``limit`` updates are made in all."""
    gradient = np.empty_like(run.theta)
    grads = objective.views(gradient)
    while not run.ends(objective(run.params, grads), gradient, limit, watch):
        run.loss_curve.append(run.cost)
        step.take(run, grads)


def mini_batch_descent(
    objective: Objective,
    run: Run,
    limit: int,
    *,
    batches: Callable[[], Iterator[tuple[Objective, float]]],
    step: Step,
    watch: Watch,
) -> None:
    """Gradient descent by mini-batches, until ``limit`` epochs are made in all.

    ``batches`` begins an epoch: it yields objectives of some rows each, and their shares of all.
    After an epoch, cost and gradient are the means over its batches, each taken before its update;
    those of all rows are computed at the start, where the mean gradient is small (it may be so
    because the batches pull to and fro), and the cost at the end.
    """
    gradient, mean_gradient = np.empty((2, run.theta.size), run.theta.dtype)
    grads, mean_grads = objective.views(gradient), objective.views(mean_gradient)
    start = run.theta.copy()
    cost = objective(run.params, mean_grads)
    while not run.ends(cost, mean_gradient, limit, watch):
        cost, mean_gradient[:] = 0.0, 0.0
        for batch, share in batches():
            cost += share * batch(run.params, grads)
            mean_gradient += share * gradient
            step.take(run, grads)
        run.loss_curve.append(cost)
        if np.abs(mean_gradient).max() <= watch.tol:
            objective(run.params, mean_grads)
    run.close(objective, start)


def lbfgs(objective: Objective, run: Run, limit: int, *, watch: Watch) -> None:
    """SciPy's L-BFGS, until ``limit`` iterations are made in all.

    R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A limited memory algorithm for bound constrained
    optimization", SIAM J. Sci. Comput. 16, 1995. SciPy's own tests of an end are off; ours look at
    each iteration. Every ``RENEWAL`` iterations a parameter it starts anew from where it is, its
    memory empty; so it does where it gives up, because no step along the gradient lowers the cost
    any more in float64, and if that gains nothing, this is the end.
    """
    gradient = np.empty_like(run.theta)
    grads = objective.views(gradient)

    def cost_at(x: Array) -> float:
        run.theta[:] = x
        return objective(run.params, grads)

    def gradient_at(_: Array) -> Array:  # SciPy asks where it has just asked for the cost
        return gradient

    def look(intermediate_result: Any) -> None:  # SciPy looks at the name
        run.theta[:] = intermediate_result.x
        if run.ends(float(intermediate_result.fun), gradient, limit, watch):
            raise StopIteration
        run.loss_curve.append(run.cost)

    if run.ends(cost_at(run.theta), gradient, limit, watch):
        return
    run.loss_curve.append(run.cost)
    while run.stop_reason is None:
        begun_at = run.cost
        result = minimize(
            cost_at,
            run.theta.copy(),
            jac=gradient_at,
            method="L-BFGS-B",
            callback=look,
            options=_options(run.theta.size),
        )
        if run.stop_reason is None:
            run.theta[:] = result.x  # the last evaluation need not be that
            if not run.cost < begun_at:
                run.give_up()


def _options(n: int) -> dict[str, float]:
    """SciPy's, for n parameters: no end of its own but that of the memory."""
    memory = {"maxcor": min(MEMORY, 2 * n), "maxiter": RENEWAL * n}
    return memory | {"maxfun": math.inf, "ftol": 0.0, "gtol": 0.0}


def race(
    runs: Sequence[Run], advance: Callable[[Run, int], None], max_iter: int, first_lap: int
) -> Run:
    """The best of several runs, of which the worse half is left behind lap after lap.

    Successive halving: K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and
    hyperparameter optimization", AISTATS 2016. ``advance(run, limit)`` takes a run up to ``limit``
    updates. The first lap ends at ``first_lap``, each lap at twice the updates of the one before,
    and the last, for one run, at ``max_iter``. Ctrl-C ends the race too: of the runs so far, the
    one with the lowest cost on the way is the best.
    """
    field = list(runs)
    try:
        for lap in range(n_laps(len(runs))):
            for run in field:
                _advance(run, advance, first_lap << lap, max_iter)
                if run.stop_reason == STOPPED:
                    return _best(runs, STOPPED)
            field = sorted(field, key=attrgetter("kept_cost"))[: (len(field) + 1) // 2]
        best = field[0]
        while _advance(best, advance, max_iter, max_iter):
            if best.stop_reason == STOPPED:
                return _best(runs, STOPPED)
            best = min(runs, key=attrgetter("kept_cost"))  # one left behind, if this got worse
    except KeyboardInterrupt:
        if all(run.best_cost == math.inf for run in runs):  # nothing to keep yet
            raise
        return _best(runs, INTERRUPTED)
    return best


def _advance(run: Run, advance: Callable[[Run, int], None], limit: int, max_iter: int) -> bool:
    """Take a run further, unless it has ended; whether it had not."""
    unfinished = run.stop_reason is None or (
        run.stop_reason == ITERATION_LIMIT and run.n_iter < max_iter
    )
    if unfinished:
        advance(run, min(limit, max_iter))
    return unfinished


def n_laps(n_runs: int) -> int:
    """How often the worse half is left behind until there is one run."""
    return (n_runs - 1).bit_length()


def _best(runs: Sequence[Run], stop_reason: str) -> Run:
    """The best of runs that were ended before their time."""
    of = attrgetter("best_cost" if stop_reason == INTERRUPTED else "kept_cost")
    best = min(runs, key=of)
    best.stop_reason = stop_reason
    return best


def _all_finite(cost: float, square: float, gradient: Array, theta: Array) -> bool:
    # Squares overflow only where an entry is infinite, not a number or near the limit; the exact
    # test takes several times as long. ``square`` is the gradient's.
    if math.isfinite(cost + square + theta.dot(theta)):
        return True
    return bool(math.isfinite(cost) and np.isfinite(gradient).all() and np.isfinite(theta).all())
