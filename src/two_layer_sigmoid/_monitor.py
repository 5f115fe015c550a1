"""The state of training, and the rules by which training stops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ._network import Array, Parameters

if TYPE_CHECKING:
    from ._callbacks import Tasks
    from ._objective import Objective

# The values of ``stop_reason_``.
CONVERGED = "converged"
LINE_SEARCH = "line_search"
MAX_ITER = "max_iter"
EARLY_STOPPING = "early_stopping"
NO_IMPROVEMENT = "no_improvement"
DIVERGED = "diverged"
INTERRUPTED = "interrupted"
CALLBACK = "callback"
PARTIAL_FIT = "partial_fit"

# Training has diverged if the loss stays above DIVERGENCE_FACTOR times the larger of the initial
# loss and ln 2 for DIVERGENCE_ITERS iterations. The default learning rate oscillates less.
DIVERGENCE_FACTOR = 10
DIVERGENCE_ITERS = 100
LN_2 = math.log(2)
# Training by mini-batches ends if the lowest mean loss of the last FLAT_EPOCHS epochs is less than
# this fraction below that of all epochs before. Measured: with 10 epochs, the noise of the
# mini-batches ends some trainings too early. So does 3 % with many classes, and 1 % takes longer.
FLAT_EPOCHS = 20
MIN_FALL = 0.02


@dataclass(eq=False)
class TrainingState:
    """The state of training from one set of initial parameters.

    ``params`` are views of the flat vector ``theta``, which solvers change in place. ``loss`` is
    that of ``params``, penalty included. The monitored loss is the validation loss if there is a
    validation set, else ``loss``. ``loss_curve[i]`` is the loss before update i.
    """

    params: Parameters
    velocity: Array | None = None  # of momentum
    loss: float = math.inf
    validation_loss: float | None = None  # None without a validation set
    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    stop_reason: str | None = None
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
        return self.loss if self.validation_loss is None else self.best_loss

    def go_back_to(self, theta: Array) -> None:
        """Set the parameters to earlier ones, with the velocity 0."""
        if self.velocity is not None and not np.array_equal(theta, self.theta):
            self.velocity[:] = 0.0
        self.theta[:] = theta

    def restore_best(self, objective: Objective) -> None:
        """Set the parameters to those with the lowest monitored loss."""
        self.go_back_to(self.best_theta)
        self.loss = self.best_loss = objective.loss(self.params)
        if self.validation_loss is not None:
            self.validation_loss = self.best_monitored_loss
        del self.validation_loss_curve[self.n_iter :]  # an interrupted epoch has no loss


@dataclass(eq=False)
class Monitor:
    """Decides when training stops, prints the loss and calls callbacks.

    Early stopping counts an iteration only if the training loss without penalty is below
    ``plateau``, because a network on the plateau cannot overfit.
    """

    tol: float  # training stops if no entry of the gradient is larger in absolute value
    validation_loss: Callable[[Parameters], float] | None = None
    n_iter_no_change: int = 0  # iterations without a lower validation loss that stop training
    ends_if_flat: bool = False  # whether mini-batches end if the loss of the epochs stays
    plateau: float = math.inf
    penalty: Callable[[Parameters], float] = lambda params: 0.0
    print_every: int = 0  # iterations; 0 prints nothing
    tasks: Tasks | None = None  # of the callbacks

    def should_stop(
        self, state: TrainingState, loss: float, gradient: Array, max_iter: int
    ) -> bool:
        """Record the loss and the gradient of the state's parameters; return whether to stop.

        Every solver calls this before each update, and once after the last one.
        """
        state.stop_reason = self._reason_to_stop(state, loss, gradient, max_iter)
        if state.stop_reason is None:
            if self.print_every and state.n_iter % self.print_every == 0:
                self.print_loss(state)
            if self.tasks is not None and self.tasks.begin_iteration(state):
                state.stop_reason = CALLBACK
            elif state.validation_loss is not None:
                state.validation_loss_curve.append(state.validation_loss)
        return state.stop_reason is not None

    def is_flat(self, state: TrainingState) -> bool:
        """Whether the mean loss of the epochs no longer falls, and has not diverged."""
        before, last = state.loss_curve[:-FLAT_EPOCHS], state.loss_curve[-FLAT_EPOCHS:]
        if not (self.ends_if_flat and before) or min(last) <= (1 - MIN_FALL) * min(before):
            return False
        return last[-1] <= state.max_loss

    def stop_line_search_failed(self, state: TrainingState) -> None:
        """Stop because L-BFGS finds no lower loss; remove the entry of the update that failed."""
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
        if self.print_every and len(states) > 1:
            print(f"Start {states.index(state) + 1} of {len(states)}, up to iteration {until}")

    def end(self, state: TrainingState, states: Sequence[TrainingState]) -> None:
        """End the open task of the callbacks, which can stop training."""
        if self.tasks is None or not self.tasks.end_iteration(state):
            return
        if len(states) > 1 or state.stop_reason == MAX_ITER:  # else training has ended already
            state.stop_reason = CALLBACK

    def close(self, state: TrainingState) -> None:
        """Print the final loss, and end the task of ``fit``."""
        if self.print_every:
            self.print_loss(state, f", {state.stop_reason}")
        if self.tasks is not None:
            self.tasks.close(state)

    def print_loss(self, state: TrainingState, ending: str = "") -> None:
        """Print the losses of a state."""
        loss = f"{state.loss:.6f}"
        if state.validation_loss is not None:
            loss += f", validation {state.validation_loss:.6f}"
        print(f"Cost after iteration {state.n_iter}: {loss}{ending}")

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
        # The cheaper test comes first: if all entries are within tol, so is their root mean square.
        # The factor 2 allows for rounding errors.
        tol = self.tol
        if square <= 2 * gradient.size * tol * tol and np.abs(gradient).max() <= tol:
            return CONVERGED
        if self.validation_loss and state.n_iter - state.best_iter >= self.n_iter_no_change:
            return EARLY_STOPPING
        return MAX_ITER if state.n_iter >= max_iter else None

    def _compare(self, state: TrainingState) -> None:
        """Compare the losses with the best ones and with the highest allowed one."""
        if state.n_iter == 0:
            state.max_loss = DIVERGENCE_FACTOR * max(state.loss, LN_2)
        if state.loss <= state.max_loss:
            state.last_below_max = state.n_iter
        monitored_loss = state.loss
        if self.validation_loss is not None:
            monitored_loss = state.validation_loss = self.validation_loss(state.params)
        if monitored_loss < state.best_monitored_loss:
            state.best_loss, state.best_monitored_loss = state.loss, monitored_loss
            state.best_theta[:] = state.theta
            state.best_iter = state.n_iter
        elif self.validation_loss and state.loss - self.penalty(state.params) >= self.plateau:
            state.best_iter = state.n_iter


def finalize(state: TrainingState, objective: Objective, dtype: npt.DTypeLike) -> None:
    """Set the state to the parameters to keep, rounded to ``dtype``, and compute their loss."""
    try:
        _finalize(state, objective, dtype)
    except KeyboardInterrupt:  # a second Ctrl-C is raised
        state.stop_reason = INTERRUPTED
        _finalize(state, objective, dtype)


def _finalize(state: TrainingState, objective: Objective, dtype: npt.DTypeLike) -> None:
    if state.validation_loss is not None or state.stop_reason == INTERRUPTED:
        state.restore_best(objective)
    if state.theta.dtype != dtype:
        raw = objective.to_input_units(state.params)
        raw.flat()[:] = raw.flat().astype(dtype)
        state.params.assign(objective.from_input_units(raw))
        state.loss = objective.loss(state.params)


def _all_finite(loss: float, square: float, gradient: Array, theta: Array) -> bool:
    """Whether all are finite. ``square`` is the sum of the squared gradient."""
    # A sum of squares is finite unless an entry is very large or not finite. The exact test takes
    # several times as long.
    if math.isfinite(loss + square + theta.dot(theta)):
        return True
    return bool(math.isfinite(loss) and np.isfinite(gradient).all() and np.isfinite(theta).all())
