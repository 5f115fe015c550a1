"""One call of ``fit`` or ``partial_fit``: from the estimator's parameters to a trained network.

Chooses the solver, tells it what to watch and whom to tell, runs the race of several starts, and
is the only place that prints.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from . import _solvers
from ._callbacks import Tasks, has_callbacks
from ._network import Array
from ._objective import Objective, broadcast_row_by_row
from ._solvers import Run, Step, Watch

LBFGS_LAP = 4  # iterations for each parameter
PLATEAU = 0.01  # this near to the constant predictor's cost nothing has been learned


class Call(NamedTuple):
    """What tells one call of ``fit`` or ``partial_fit`` from another."""

    max_iter: int
    tol: float
    random_state: np.random.RandomState
    dtype: np.dtype[Any]  # of the fitted weights, that of X
    resume: bool  # from the fitted weights
    one_pass: bool  # partial_fit

    @classmethod
    def of(cls, clf: Any, dtype: np.dtype[Any], *, resume: bool, one_pass: bool) -> Call:
        """The call of an estimator on X of a dtype."""
        return cls(
            max_iter=1 if one_pass else int(clf.max_iter),
            tol=0.0 if one_pass else float(clf.tol),
            random_state=check_random_state(clf.random_state),
            dtype=dtype,
            resume=resume,
            one_pass=one_pass,
        )


def all_or_nothing(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Let a fit that raises leave the estimator as it was; but Ctrl-C keeps what has been learned.

    Outside ``_fit_context``, which needs what is undone here to take leave of the callbacks.
    """

    @wraps(fit)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = vars(self).copy()
        try:
            fit(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise
        if self.stop_reason_ == _solvers.INTERRUPTED:
            raise KeyboardInterrupt
        return self

    return wrapper


@broadcast_row_by_row()
def train(
    clf: Any,
    call: Call,
    objective: Objective,
    starts: list[Array],
    held_out: Objective | None,
    *,
    constant_cost: float,
    data: dict[str, Any],
) -> tuple[Run, list[float]]:
    """Train from each start, as far as it deserves: the best run, and the losses of all.

    ``clf`` is bound to the run at work, so that callbacks find its weights. ``held_out`` gives
    the validation cost; ``constant_cost`` is that of predicting base rates, on the rows that are
    trained on. ``data`` is what callbacks are told of.
    """
    tasks = (
        Tasks(clf, None if len(starts) > 1 else call.max_iter, **data)
        if has_callbacks(clf)
        else None
    )
    watch = Watch(
        tol=call.tol,
        on_step=_on_step(clf, tasks),
        validation_cost=held_out,
        penalty=objective.penalty,
        n_iter_no_change=clf.n_iter_no_change,
        plateau=(1 - PLATEAU) * constant_cost,
    )
    solver = _solver(clf, objective, call.random_state)
    runs = [Run(objective.views(theta), _velocity(clf, call, theta.dtype)) for theta in starts]

    def advance(run: Run, limit: int) -> None:
        clf._bind(run)
        if clf.verbose and len(runs) > 1:
            print(f"Start {runs.index(run) + 1} of {len(runs)}, up to iteration {limit}")
        solver(run, limit, watch=watch)
        wants_to_stop = tasks is not None and tasks.end()
        if wants_to_stop and (len(runs) > 1 or run.stop_reason == _solvers.ITERATION_LIMIT):
            run.stop_reason = _solvers.STOPPED

    run = _solvers.race(runs, advance, call.max_iter, _first_lap(clf, call, starts))
    try:
        _close(run, call, objective)
    except KeyboardInterrupt:  # now of all times
        run.stop_reason = _solvers.INTERRUPTED
        _close(run, call, objective)
    clf._bind(run)
    if clf.verbose:
        _print_cost(run, f", {run.stop_reason}")
    if tasks is not None:
        tasks.close()
    return run, [each.cost if each is run else each.kept_cost for each in runs]


def _close(run: Run, call: Call, objective: Objective) -> None:
    """Leave the run with the parameters to keep, and their cost."""
    if run.validated or run.stop_reason == _solvers.INTERRUPTED:
        run.restore_best(objective)
    if run.theta.dtype != call.dtype:
        run.round(call.dtype, objective)


def _solver(
    clf: Any, objective: Objective, random_state: np.random.RandomState
) -> Callable[..., None]:
    """The function that takes a run up to a limit of updates."""
    if clf.solver == "lbfgs":
        return partial(_solvers.lbfgs, objective)
    # A rate that is a NumPy scalar would widen float32.
    step = Step(clf._update, float(clf.learning_rate), float(clf.momentum))
    if clf.batch_size is None or clf.batch_size >= objective.rows.n_rows:
        return partial(_solvers.gradient_descent, objective, step=step)
    batches = partial(objective.batches, int(clf.batch_size), random_state)
    return partial(_solvers.mini_batch_descent, objective, step=step, batches=batches)


def _first_lap(clf: Any, call: Call, starts: list[Array]) -> int:
    """How many updates several starts get before the worse half is left behind.

    Half of ``max_iter`` for the last two, a quarter for the last four or three, and so on: ten
    starts cost 2.3 times one. L-BFGS, which knows the curvature after some multiple of as many
    iterations as there are parameters, needs no more than that.
    """
    first_lap = max(1, call.max_iter >> _solvers.n_laps(len(starts)))
    return min(first_lap, LBFGS_LAP * starts[0].size) if clf.solver == "lbfgs" else first_lap


def _velocity(clf: Any, call: Call, dtype: Any) -> Array | None:
    """The velocity of an earlier call to go on with, copied."""
    velocity = getattr(clf, "_velocity", None)
    if velocity is None or not (call.resume and clf.solver == "gd" and clf.momentum > 0):
        return None
    copied: Array = velocity.astype(dtype)
    return copied


def _on_step(clf: Any, tasks: Tasks | None) -> Callable[[Run], bool] | None:
    """What to do before each update, if anything; True stops."""
    if not clf.verbose:
        return None if tasks is None else lambda _: tasks.next()
    every = math.ceil(clf.max_iter / 10) if clf.verbose == 1 else 1

    def report(run: Run) -> bool:
        if run.n_iter % every == 0:
            _print_cost(run)
        return tasks is not None and tasks.next()

    return report


def _print_cost(run: Run, ending: str = "") -> None:
    held_out = f", validation {run.score:.6f}" if run.validated else ""
    print(f"Cost after iteration {run.n_iter}: {run.cost:.6f}{held_out}{ending}")
