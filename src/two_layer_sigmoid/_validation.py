"""Input validation, errors and warnings."""

from __future__ import annotations

import os
import sys
import warnings
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.exceptions import ConvergenceWarning

from . import _network, _solvers
from ._encoding import Labels
from ._network import Array, Parameters

WILD_SCALES = 1e3  # a ratio of standard deviations, or of mean to standard deviation
SCALE_THEM = "Scale the features, for example with sklearn.preprocessing.StandardScaler."
PACKAGE = str(Path(__file__).parent) + os.sep
FIT_WRAPPER = str(Path(sklearn.__file__).parent / "base.py")


# Parameters and arguments


def check_parameters(clf: Any) -> None:
    """Refuse parameters that are each valid but are in conflict."""
    is_lbfgs, has_many = clf.solver == "lbfgs", clf.n_init > 1
    many = f"n_init={clf.n_init} needs several initial parameters, but "
    _refuse(
        (clf.n_jobs == 0, "n_jobs=0 is not a number of threads: use None, 1, or -1 for all cores."),
        (
            is_lbfgs and clf.batch_size is not None,
            f"batch_size={clf.batch_size} is not supported by solver='lbfgs', which uses all rows: "
            "use batch_size=None.",
        ),
        (
            is_lbfgs and clf.momentum > 0,
            f"momentum={clf.momentum} is not supported by solver='lbfgs', which chooses its own "
            "steps: use momentum=0.",
        ),
        (has_many and clf.warm_start, many + "warm_start=True has one: set n_init=1."),
        (has_many and not isinstance(clf.init, str), many + "init gives one: set n_init=1."),
    )


def has_partial_fit(clf: Any) -> bool:
    """Whether the parameters allow ``partial_fit``; if not, an AttributeError gives the reason."""
    n_init, class_weight, early_stopping = clf.n_init, clf.class_weight, clf.early_stopping
    is_balanced = isinstance(class_weight, str) and class_weight == "balanced"
    is_early = isinstance(early_stopping, (bool, np.bool_)) and bool(early_stopping)
    several = "needs several passes: "
    for applies, reason in (
        (clf.solver == "lbfgs", "solver='lbfgs' needs all rows at once: use solver='gd'."),
        (
            isinstance(n_init, Integral) and int(n_init) > 1,
            f"n_init={n_init} {several}set n_init=1.",
        ),
        (is_balanced, "class_weight='balanced' needs all of y: give a dict."),
        (is_early, f"early_stopping=True {several}use early_stopping=False."),
    ):
        if applies:
            raise AttributeError(f"partial_fit makes one pass over a part of the rows; {reason}")
    return True


def check_validation_set(clf: Any, X_val: Any, y_val: Any, sample_weight_val: Any) -> None:
    """Refuse an incomplete validation set, one that is not used, or one that is missing."""
    no_set = X_val is None
    new_split = clf.warm_start and not isinstance(clf.random_state, Integral)
    _refuse(
        (no_set != (y_val is None), "X_val and y_val go together: give both or none."),
        (no_set and sample_weight_val is not None, "sample_weight_val needs X_val and y_val."),
        (
            not no_set and not clf.early_stopping,
            "early_stopping=False does not use X_val and y_val: use early_stopping=True.",
        ),
        (
            no_set and clf.early_stopping and new_split,
            "early_stopping=True with warm_start=True must split off the same rows in every fit, "
            f"but random_state={clf.random_state!r} does not: give X_val and y_val, or an int as "
            "random_state.",
        ),
    )


def _refuse(*cases: tuple[bool, str]) -> None:
    for wrong, message in cases:
        if wrong:
            raise ValueError(message)


def add_location(error: TypeError | ValueError, location: str) -> TypeError | ValueError:
    """The error with its location in front of the message."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{location}: {error}")


# Labels and initial parameters


def check_known_labels(y: Any, classes: Labels) -> None:
    """Refuse to score labels that are all unknown, which probably have another encoding."""
    given = set(np.asarray(y).ravel().tolist())
    if len(given) > 1 and given.isdisjoint(classes.tolist()):
        raise ValueError(
            f"y holds only labels that fit has not seen, such as {min(given, key=str)!r}: "
            f"use the labels of fit, {classes.tolist()}."
        )


def check_resumable(clf: Any, classes: Labels, multilabel: bool) -> None:
    """Refuse to continue with another number of hidden units or other classes."""
    restart = "or start from scratch with warm_start=False."
    n_h = len(clf.b1_)
    if n_h != clf.n_h:
        raise ValueError(
            f"n_h={clf.n_h}, but the fitted weights have {n_h} hidden units: set n_h={n_h}, "
            + restart
        )
    if multilabel != clf._multilabel or not np.array_equal(classes, clf.classes_):
        raise ValueError(
            f"y has the classes {classes.tolist()}, but the weights were fitted to "
            f"{clf.classes_.tolist()}: use a y with all of these classes and no others, {restart}"
        )


def check_initial_parameters(init: Any, n_x: int, n_h: int, n_y: int) -> Parameters:
    """Copies of the arrays in ``init``, in float64."""
    shapes = _network.parameter_shapes(n_x, n_h, n_y)
    try:
        arrays = [np.array(array) for array in init]
    except ValueError as error:  # NumPy's, for rows of different lengths
        raise ValueError(f"init must be (W1, b1, W2, b2), got {init!r}: {error}") from error
    got = tuple(array.shape for array in arrays)
    if got != shapes:
        raise ValueError(
            f"init must be (W1, b1, W2, b2) of shapes {shapes} for n_h={n_h}, {n_x} features and "
            f"{n_y} outputs, got arrays of shapes {got}."
        )
    if not all(array.dtype.kind in "fiu" and np.isfinite(array).all() for array in arrays):
        raise ValueError(f"init must hold finite numbers, got {init!r}.")
    return Parameters(*(array.astype(np.float64) for array in arrays))


# Overflow


def ignore_overflow() -> np.errstate:
    """Silence NumPy's warnings: overflow is checked where it matters, with better errors."""
    return np.errstate(over="ignore", invalid="ignore")


def check_no_overflow(
    candidates: list[Parameters], max_abs: dict[str, Array], dtype: npt.DTypeLike
) -> None:
    """Refuse parameters with which W1 x + b1 can overflow in ``dtype``.

    ``max_abs`` has, for the name of each data set, the largest absolute value of each feature.
    """
    for name, largest in max_abs.items():
        for params in candidates:
            W1, b1 = (np.abs(array).astype(dtype) for array in params[:2])
            if not np.isfinite(W1 @ largest.astype(dtype) + b1[:, 0]).all():
                raise ValueError(
                    f"{name} holds values too large or too small for {dtype}: W1 x overflows. "
                    + SCALE_THEM
                )


def check_initial_loss(loss: float) -> None:
    """Refuse a state whose loss was never finite."""
    if not np.isfinite(loss):
        raise ValueError(
            "The loss or its gradient is not finite at the initial parameters: use smaller ones "
            f"in init. {SCALE_THEM}"
        )


def check_logits(Z2: Array) -> None:
    """Refuse logits that have overflowed."""
    if not np.isfinite(Z2).all():
        raise ValueError(f"X holds values so large that W1 x overflows. {SCALE_THEM}")


# Warnings


def warn_feature_scales(mean: Array, std: Array) -> None:
    """Warn if the features have very different scales; ``std`` is 0 for constant features."""
    offset = np.abs(mean) / np.where(std > 0, std, 1.0)
    varying = std[std > 0] if std.any() else np.ones(1)
    if max(varying.max() / varying.min(), offset.max()) > WILD_SCALES:
        _warn(
            f"The features of X have wild scales: standard deviations from {varying.min():.3g} to "
            f"{varying.max():.3g}, means up to {offset.max():.3g} standard deviations from zero. "
            f"Training will be slow and poor. {SCALE_THEM}",
            UserWarning,
        )


def warn_training_end(
    clf: Any, log_loss: float, baseline_loss: float, *, incremental: bool
) -> None:
    """Warn if training ended badly."""
    reason, end = clf.stop_reason_, f"after {clf.n_iter_} iterations the loss is {clf.loss_:.3g}"
    if reason == _solvers.DIVERGED:
        _warn(
            f"Training diverged at iteration {clf.n_iter_} with "
            f"learning_rate={clf.learning_rate} and alpha={clf.alpha}. The last finite weights are "
            f"kept; their loss is {clf.loss_:.3g}. {SCALE_THEM} Lower learning_rate (learning_rate "
            "times alpha must be below 2)."
        )
    elif incremental or reason in {_solvers.INTERRUPTED, _solvers.STOPPED}:
        return  # the user has ended it early
    elif baseline_loss > 0 and abs(log_loss - baseline_loss) <= (
        _solvers.PLATEAU_RTOL * baseline_loss
    ):
        _warn(
            f"Training ended on the plateau: {end}, that of a constant prediction "
            f"{baseline_loss:.3g}. {SCALE_THEM} Then raise max_iter, lower alpha, or change "
            "learning_rate, init or random_state."
        )
    elif clf.solver == "lbfgs" and reason == _solvers.ITERATION_LIMIT:
        _warn(
            f"Training by L-BFGS ran out of iterations: {end}, and the gradient is larger than "
            f"tol={clf.tol}. Raise max_iter={clf.max_iter}, tol or alpha. {SCALE_THEM}"
        )


def _warn(message: str, category: type[Warning] = ConvergenceWarning) -> None:
    """Warn at the first line outside the package, which is the caller's call of ``fit``."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith((PACKAGE, FIT_WRAPPER)):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
