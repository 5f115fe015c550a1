"""Training: from encoded rows to a :class:`Fit`. The estimator is read and never changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _checks
from ._blocks import BlockedData, Data
from ._callbacks import Tasks, has_callbacks
from ._monitor import INTERRUPTED, MAX_ITER, PARTIAL_FIT, Monitor, TrainingState, finalize
from ._network import Array, Parameters, sigmoid
from ._objective import Objective
from ._parallel import small_ufunc_buffer
from ._solvers import SOLVERS, successive_halving
from ._summary import CONSTANT_RTOL, Summary
from ._targets import Targets

# alpha="scale" is min(1, n_features / SCALE_FEATURES) / sqrt(n_outputs), divided by the sum of the
# weights of the rows. Measured (``benchmarks/defaults.py``): with many features the penalty of
# LogisticRegression(C=1) is best; with few features curved boundaries need less, and so do many
# classes.
SCALE_FEATURES = 16
# batch_size="auto" is all rows up to a number of rows, else mini-batches, and n_h="auto" depends on
# it. Measured (``benchmarks/batches.py``): mini-batches reach a lower held-out loss in about half
# of the time of 1000 updates on all rows. 64 units need them: with all rows in each update, the
# default rate makes their loss oscillate for hundreds of updates. Smaller batches end with noisier
# weights. Many outputs need more units, and so many more updates that mini-batches pay on few rows.
MANY_OUTPUTS = 5
ROWS_AT_ONCE, ROWS_AT_ONCE_MANY_OUTPUTS = 2000, 500
AUTO_BATCH_SIZE = 200
N_H_AT_ONCE, N_H_MINIBATCHES, N_H_MANY_OUTPUTS = 32, 64, 100
# A feature has another scale if its spread is larger by this factor. The chunks of one data set
# differ by less, if they have 20 rows or more. A growth by 2.5 already raises the loss by a tenth.
SCALE_LIMIT = 2.0
WEIGHTS = tuple(f"{name}_" for name in Parameters._fields)
# Fitted attributes that some fits lack.
OPTIONAL_ATTRIBUTES = ("feature_names_in_", "_velocity")


class Fit(NamedTuple):
    """The result of training: all that an estimator stores, and what its warnings need."""

    params: Parameters  # for X as it is, in the dtype of the fitted weights
    targets: Targets
    summary: Summary  # of the training rows; after partial_fit, of all rows so far
    scale: Array | None  # (n_x,), that features were divided by in training
    # (n_x,) each, the mean and the scale that W1 suits; see ``rescaled``.
    reference: tuple[Array, Array]
    velocity: Array | None = None  # of momentum, to continue with
    alpha: float = math.nan
    loss: float = math.nan
    log_loss: float = math.nan  # without penalty; computed if a warning can need it
    loss_curve: Sequence[float] = ()
    validation_loss_curve: Sequence[float] | None = None
    batch_size: int | None = None  # rows of a mini-batch; None is all rows
    has_many_rows: bool = False  # in memory, so that "auto" would be mini-batches
    stop_reason: str = ""
    feature_names: npt.NDArray[Any] | None = None

    @classmethod
    def of(cls, clf: Any) -> Fit:
        """The fit that an estimator has stored, as far as training can continue from it."""
        params = Parameters(*(getattr(clf, name) for name in WEIGHTS))
        # What is not stored does not change the sum with another summary.
        max_abs, target_weights = np.zeros(params.W1.shape[1]), np.zeros((2, len(params.W2)))
        summary = Summary(clf.n_samples_seen_, clf.mean_, clf.var_, max_abs, target_weights)
        velocity = getattr(clf, "_velocity", None)
        return cls(params, clf._targets, summary, clf.scale_, clf._reference, velocity)

    def attributes(self) -> dict[str, Any]:
        """The fitted attributes."""
        summary = self.summary
        attributes = dict(zip(WEIGHTS, self.params, strict=True)) | {
            "classes_": self.targets.classes,
            "_multilabel": self.targets.is_multilabel,
            "n_features_in_": self.params.W1.shape[1],
            "feature_names_in_": self.feature_names,
            "mean_": summary.mean,
            "var_": summary.var,
            "scale_": self.scale,
            "_reference": self.reference,
            "n_samples_seen_": summary.n_samples,
            "alpha_": self.alpha,
            "batch_size_": self.batch_size,
            "loss_": self.loss,
            "loss_curve_": self.loss_curve,
            "validation_loss_curve_": self.validation_loss_curve,
            "n_iter_": len(self.loss_curve),
            "stop_reason_": self.stop_reason,
            "_velocity": self.velocity,
        }
        for name in OPTIONAL_ATTRIBUTES:
            if attributes[name] is None:
                del attributes[name]
        return attributes


def has_many_rows(n_rows: int, n_outputs: int) -> bool:
    """Whether gradient descent should use mini-batches."""
    return n_rows > (ROWS_AT_ONCE if n_outputs < MANY_OUTPUTS else ROWS_AT_ONCE_MANY_OUTPUTS)


def choose_batch_size(
    clf: Any, n_rows: int, targets: Targets, *, one_pass: bool = False
) -> int | None:
    """The rows of a mini-batch; None is all rows."""
    size = clf.batch_size
    if size == "auto":
        minibatches = has_many_rows(n_rows, targets.n_outputs) and not one_pass
        minibatches = minibatches and SOLVERS[clf.solver].has_learning_rate
        size = AUTO_BATCH_SIZE if minibatches else None
    return None if size is None or size >= n_rows else int(size)


def choose_n_h(clf: Any, batch_size: int | None, targets: Targets, previous: Fit | None) -> int:
    """The number of hidden units."""
    if clf.n_h != "auto":
        return int(clf.n_h)
    if previous is not None:
        return len(previous.params.b1)
    if not isinstance(clf.init, str) and np.ndim(clf.init[0]) == 2:  # checked later
        return len(clf.init[0])
    if batch_size is None:
        return N_H_AT_ONCE
    return N_H_MINIBATCHES if targets.n_outputs < MANY_OUTPUTS else N_H_MANY_OUTPUTS


def train(
    clf: Any,
    data: Data,
    targets: Targets,
    validation: BlockedData | None = None,
    *,
    weight_sum: float,
    dtype: npt.DTypeLike,
    random_state: np.random.RandomState,
    previous: Fit | None = None,
    batch_size: int | None = None,
    one_pass: bool = False,
    feature_names: npt.NDArray[Any] | None = None,
    inputs: dict[str, Any],
) -> Fit:
    """Train with the parameters and the five steps of the estimator ``clf``.

    ``weight_sum`` is the sum of the weights of all rows as they were given, because those of
    ``data`` are relative. ``dtype`` is that of the fitted weights. Training continues from
    ``previous``. ``batch_size`` is that of mini-batches, None is all rows. ``one_pass`` is that of
    ``partial_fit``. Callbacks get the ``inputs`` of ``fit``.
    """
    solver = SOLVERS[clf.solver]
    rows = data.reduce(Summary.of_block)
    summary = replace(rows, n_samples=weight_sum)
    if one_pass and previous is not None:
        summary = previous.summary + summary
    params, scale, reference = _units(clf, previous, summary, one_pass=one_pass)
    steps = clf._steps() | {"scaling": (summary.mean, scale) if clf.standardize else None}
    alpha = _alpha(clf.alpha, summary, data)
    objective = Objective(data, **steps, total=rows.n_samples, alpha=alpha)
    states = _states(clf, objective, summary, params, random_state)
    if previous is not None and previous.velocity is not None and clf.momentum > 0:
        states[0].velocity = previous.velocity.astype(data.dtype)
    max_iter = 1 if one_pass else int(clf.max_iter)
    monitor = Monitor(
        tol=0.0 if one_pass else float(clf.tol),
        n_iter_no_change=clf.n_iter_no_change,
        ends_if_flat=batch_size is not None and validation is None and clf.tol > 0,
        plateau=summary.plateau,
        penalty=objective.penalty,
        print_every=_print_every(int(clf.verbose), max_iter),
    )
    max_abs = {"X": rows.max_abs}
    if validation is not None:
        rows = validation.reduce(Summary.of_block)
        max_abs["X_val"] = rows.max_abs
        monitor.validation_loss = Objective(validation, **steps, total=rows.n_samples).loss
    remedy = "" if isinstance(clf.init, str) else "Or use smaller numbers in init."
    for state in states:
        _checks.check_no_overflow(objective.to_input_units(state.params), max_abs, dtype, remedy)
    _checks.check_variance(summary.var)

    def fit_of(state: TrainingState) -> Fit:
        reason = state.stop_reason or MAX_ITER
        return Fit(
            params=Parameters(
                *(array.astype(dtype) for array in objective.to_input_units(state.params))
            ),
            targets=targets,
            summary=summary,
            scale=scale if clf.standardize else None,
            reference=reference,
            velocity=state.velocity if one_pass or clf.warm_start else None,
            alpha=objective.alpha,
            loss=state.loss,
            loss_curve=state.loss_curve.copy(),
            validation_loss_curve=state.validation_loss_curve.copy() if validation else None,
            batch_size=batch_size,
            has_many_rows=isinstance(data, BlockedData)
            and has_many_rows(data.n_rows, targets.n_outputs),
            stop_reason=PARTIAL_FIT if one_pass and reason == MAX_ITER else reason,
            feature_names=feature_names,
        )

    if has_callbacks(clf):
        n_updates = max_iter if len(states) == 1 else None
        monitor.tasks = Tasks(clf, n_updates, lambda state: fit_of(state).attributes(), **inputs)
    log_loss = math.nan
    with small_ufunc_buffer():
        best = successive_halving(
            states,
            partial(
                solver.run, objective, monitor=monitor, **_options(clf, batch_size, random_state)
            ),
            monitor,
            max_iter=max_iter,
            first_rung=solver.first_rung and solver.first_rung * states[0].theta.size,
        )
        finalize(best, objective, dtype)
        if not one_pass and best.stop_reason != INTERRUPTED:
            # Not the loss minus the penalty: a strong penalty leaves no digits.
            log_loss = objective.log_loss(best.params)
    monitor.close(best)
    _checks.check_initial_loss(best.loss)
    fit = fit_of(best)._replace(log_loss=log_loss)
    remedy = "Or lower learning_rate." if solver.has_learning_rate else ""
    _checks.check_no_overflow(fit.params, max_abs, dtype, remedy)
    return fit


def _alpha(alpha: float | str, summary: Summary, data: Data) -> float:
    """The strength of the penalty."""
    n_x, _, n_y = data.layer_sizes
    if alpha == "scale":
        return min(1.0, n_x / SCALE_FEATURES) / math.sqrt(n_y) / summary.n_samples
    return float(alpha)


def _states(
    clf: Any,
    objective: Objective,
    summary: Summary,
    params: Parameters | None,
    random_state: np.random.RandomState,
) -> list[TrainingState]:
    """The states to train: the one with the given parameters, or one for each initialisation."""
    if params is not None:
        initial = [objective.from_input_units(params)]
    else:
        mean, std = (0.0, 1.0) if clf.standardize else (summary.mean, summary.scale)
        # With init="auto" "small" and "spread" alternate: small weights may all stop at one saddle.
        inits = [clf.init, "spread" if clf.init == "auto" else clf.init]
        options = {"mean": mean, "std": std, "random_state": random_state}
        initial = [
            clf._initialize_parameters(*objective.data.layer_sizes, init=inits[i % 2], **options)
            for i in range(clf.n_init)
        ]
        if not isinstance(clf.init, str):  # given arrays are for X as it is
            initial = [objective.from_input_units(initial[0])]
    dtype = objective.data.dtype
    return [TrainingState(objective.views(params.flat().astype(dtype))) for params in initial]


def _units(
    clf: Any, previous: Fit | None, summary: Summary, *, one_pass: bool
) -> tuple[Parameters | None, Array, tuple[Array, Array]]:
    """The parameters to continue from, the scale of the features, and the reference of both."""
    std = summary.std
    if previous is None:
        return None, summary.scale, (summary.mean, std)
    params, reference = previous.params, previous.reference
    rescale = clf.standardize and isinstance(clf.init, str)  # given arrays are for X as it is
    if rescale:
        params, reference = rescaled(params, reference, summary)
    std = np.where(std > 0, std, reference[1])  # a feature that is constant now keeps its unit
    if not (rescale and one_pass):
        reference = summary.mean, std
    return params, np.where(std > 0, std, 1.0), reference


def rescaled(
    params: Parameters, reference: tuple[Array, Array], now: Summary
) -> tuple[Parameters, tuple[Array, Array]]:
    """The network for features whose scale has grown much, and its new reference.

    ``params`` are for X as it is. ``reference`` is the mean and the scale ``(n_x,)`` of the
    features that W1 suits; the scale is 0 for a feature that was constant, whose weights have no
    unit. The spread of a feature is its root mean square distance, by ``now``, from the
    mean of the reference. If it is more than ``SCALE_LIMIT`` scales, the weights of the feature
    would saturate the hidden units. They are divided by the growth of the scale. In the new scale
    the earlier rows have almost one value of this feature, so

    - if other features have kept their scale, z1 at the mean of the reference stays, and with it
      what was learnt from those features;
    - otherwise the hidden units move to the mean ``now``, and b2 keeps the output at the mean of
      the reference.

    The result does not depend on the units of the features. If no scale has grown much, the
    arguments are returned as they are.
    """
    mean, scale = reference
    spread = np.sqrt(now.var + (now.mean - mean) ** 2)
    spread[spread <= CONSTANT_RTOL * np.abs(mean)] = 0.0
    grown = spread > SCALE_LIMIT * scale
    if not grown.any():
        return params, reference
    # After a shift the standard deviation alone would be too small.
    new_scale = np.where(grown, np.maximum(now.std, spread / SCALE_LIMIT), scale)
    growth = np.where(grown, new_scale / np.where(scale > 0, scale, 1.0), 1.0)
    new_mean = now.mean if (grown | (scale == 0)).all() else mean
    W1 = params.W1 / growth
    z1 = params.b1 + params.W1 @ mean[:, np.newaxis]
    b1 = z1 - W1 @ new_mean[:, np.newaxis]
    change = sigmoid(b1 + W1 @ mean[:, np.newaxis]) - sigmoid(z1)
    new = Parameters(W1, b1, params.W2, params.b2 - params.W2 @ change)
    new = Parameters(*(a.astype(old.dtype) for a, old in zip(new, params, strict=True)))
    return new, (new_mean, new_scale)


def _options(
    clf: Any, batch_size: int | None, random_state: np.random.RandomState
) -> dict[str, Any]:
    """The options of the solver."""
    if not SOLVERS[clf.solver].has_learning_rate:
        return {}
    return {
        "update": clf._update,
        "learning_rate": float(clf.learning_rate),  # a NumPy scalar would widen float32
        "momentum": float(clf.momentum),
        "batch_size": batch_size,
        "random_state": random_state,
    }


def _print_every(verbose: int, max_iter: int) -> int:
    """The number of iterations from one printed loss to the next; 0 prints nothing."""
    if verbose == 1:
        return math.ceil(max_iter / 10)
    return min(verbose, 1)
