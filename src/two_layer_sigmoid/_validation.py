"""Input validation, errors and warnings."""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.exceptions import ConvergenceWarning

from . import _network, _solvers
from ._blocks import Data
from ._encoding import Labels, check_same_format, counted
from ._leave_one_out import MAX_OPERATIONS, MAX_SIZE, matrix_size
from ._network import Array, Parameters
from ._statistics import Moments

WILD_SCALES = 1e3  # a ratio of standard deviations, or of mean to standard deviation
LOST_PRECISION = 1e-3  # relative rounding error of W1 x that is worth a warning
SEPARATED_LOSS = 1e-4  # without a penalty L-BFGS reaches it only if no finite weights are best
# The learning rate is too high if the loss rises in more than this fraction of the updates, and its
# late loss is more than this multiple of its lowest value, or steps are large: the rate times the
# mean squared norm of a row. The lecture's raw data have many rises, but neither of the others.
MANY_RISES = 0.2
FAR_ABOVE = 1.25
LARGE_STEP = 1000
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
        (
            clf.alpha == "loo" and not is_lbfgs,
            "alpha='loo' needs the minimum of the loss, which solver='gd' does not reach: use "
            "solver='lbfgs', or alpha='scale'.",
        ),
        (
            clf.alpha == "loo" and clf.early_stopping,
            "alpha='loo' and early_stopping=True both limit overfitting: use early_stopping=False, "
            "or alpha='scale'.",
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


def check_leave_one_out(data: Data) -> None:
    """Refuse ``alpha="loo"`` if it would take too much memory or time."""
    size, operations = matrix_size(data.n_rows, *data.layer_sizes)
    if size > MAX_SIZE or operations > MAX_OPERATIONS:
        n_x, n_h, n_y = data.layer_sizes
        raise ValueError(
            f"alpha='loo' is too expensive for {counted(data.n_rows, 'row')}, "
            f"{counted(n_x, 'feature')}, {counted(n_y, 'output')} and n_h={n_h}: it needs a matrix "
            f"of size {size} and {operations:.0e} operations for each penalty, of at most "
            f"{MAX_SIZE} and {MAX_OPERATIONS:.0e}. Use alpha='scale', or a smaller n_h."
        )


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


def check_known_labels(y: Labels, classes: Labels) -> None:
    """Refuse to score strings against numbers, or numbers against strings."""
    given, known = set(y.ravel().tolist()), classes.tolist()
    kinds = [{isinstance(label, str) for label in labels} for labels in (given, known)]
    if given and given.isdisjoint(known) and kinds[0].isdisjoint(kinds[1]):
        raise ValueError(
            f"y holds only labels of another type than those of fit, such as "
            f"{min(given, key=str)!r}: use the labels of fit, {known}."
        )


def check_resumable(clf: Any, classes: Labels, multilabel: bool) -> None:
    """Refuse to continue with another number of hidden units or other classes."""
    restart = "or start from scratch with sklearn.base.clone, or with fit and warm_start=False."
    n_h = len(clf.b1_)
    if n_h != clf.n_h:
        raise ValueError(
            f"n_h={clf.n_h}, but the fitted weights have {counted(n_h, 'hidden unit')}: set "
            f"n_h={n_h}, {restart}"
        )
    n_columns = len(classes if multilabel else clf.classes_)
    check_same_format(multilabel, clf._multilabel, n_columns)
    if not np.array_equal(classes, clf.classes_):
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
            f"init must be (W1, b1, W2, b2) of shapes {shapes} for n_h={n_h}, "
            f"{counted(n_x, 'feature')} and {counted(n_y, 'output')}, got arrays of shapes {got}."
        )
    if not all(array.dtype.kind in "fiu" and np.isfinite(array).all() for array in arrays):
        raise ValueError(f"init must hold finite numbers, got {init!r}.")
    return Parameters(*(array.astype(np.float64) for array in arrays))


# Overflow


def ignore_overflow() -> np.errstate:
    """Silence NumPy's warnings: overflow is checked where it matters, with better errors."""
    return np.errstate(over="ignore", invalid="ignore", under="ignore")


def check_no_overflow(
    params: Parameters, max_abs: dict[str, Array], dtype: npt.DTypeLike, otherwise: str = ""
) -> None:
    """Refuse parameters with which W1 x + b1 can overflow in ``dtype``.

    ``max_abs`` has, for the name of each data set, the largest absolute value of each feature.
    ``otherwise`` is another remedy than to scale them.
    """
    W1, b1 = (np.abs(array).astype(dtype) for array in params[:2])
    for name, largest in max_abs.items():
        if not np.isfinite(W1 @ largest.astype(dtype) + b1[:, 0]).all():
            raise ValueError(
                f"{name} holds values too large or too small for {dtype}: W1 x overflows. "
                f"{SCALE_THEM}{otherwise}"
            )


def check_initial_loss(loss: float) -> None:
    """Refuse a state whose loss was never finite."""
    if not np.isfinite(loss):
        raise ValueError(
            "The loss or its gradient is not finite at the initial parameters: use smaller ones "
            f"in init. {SCALE_THEM}"
        )


def is_valid(clf: Any, X: Any, dtype: np.dtype[Any]) -> bool:
    """Whether ``validate_data`` would return X as it is; False also if that is not certain.

    For one row ``validate_data`` takes longer than the network.
    """
    return (
        type(X) is np.ndarray
        and X.dtype == dtype
        and X.ndim == 2
        and X.shape[0] > 0
        and X.shape[1] == clf.n_features_in_
        and getattr(clf, "feature_names_in_", None) is None
        and _is_surely_finite(X)
    )


def _is_surely_finite(X: Array) -> bool:
    """Whether the sum of X is finite; False also if the sum of finite entries overflows."""
    with ignore_overflow():
        return math.isfinite(X.sum())


def check_logits(Z2: Array) -> None:
    """Refuse logits that have overflowed."""
    if not np.isfinite(Z2).all():
        raise ValueError(f"X holds values so large that W1 x overflows. {SCALE_THEM}")


# Warnings


def warn_feature_scales(moments: Moments, dtype: np.dtype[Any], *, standardize: bool) -> None:
    """Warn if training suffers from the scales of the features."""
    std = moments.std()
    offset = (np.abs(moments.mean) / moments.scale()).max()
    varying = std[std > 0] if std.any() else np.ones(1)
    if standardize:
        if offset * np.finfo(dtype).eps > LOST_PRECISION:
            _warn(
                f"Features of X lose precision in {dtype}: a mean is {offset:.3g} standard "
                "deviations from zero. Subtract the means from X in float64 first.",
                UserWarning,
            )
    elif max(varying.max() / varying.min(), offset) > WILD_SCALES:
        _warn(
            f"The features of X have wild scales: standard deviations from {varying.min():.3g} to "
            f"{varying.max():.3g}, means up to {offset:.3g} standard deviations from zero. "
            "Training will be slow and poor. Set standardize=True.",
            UserWarning,
        )


def warn_one_class(classes: Labels) -> None:
    """Warn if the rows of positive weight, as in a bootstrap, have one class only."""
    if len(classes) == 1:
        _warn(
            f"y holds only one class, {classes.tolist()[0]!r}, in the rows of positive weight "
            "(sample_weight, class_weight). The network predicts it for every row.",
            UserWarning,
        )


def warn_training_end(
    clf: Any,
    baseline_loss: float,
    log_loss_of_fit: Callable[[], float],
    squared_norm: float,
    *,
    incremental: bool,
) -> None:
    """Warn if training ended badly.

    ``log_loss_of_fit`` computes the loss without penalty. ``squared_norm`` is the mean of ||x||^2
    that the solver sees.
    """
    reason = clf.stop_reason_
    remedy = "" if clf.standardize else "Set standardize=True. "
    if reason == _solvers.DIVERGED:
        _warn(
            f"Training diverged at iteration {clf.n_iter_} with "
            f"learning_rate={clf.learning_rate} and alpha={clf.alpha_:.3g}. The last finite "
            f"weights are kept; their loss is {clf.loss_:.3g}. {remedy}Lower learning_rate "
            "(learning_rate times alpha must be below 2)."
        )
        return
    if incremental or reason in {_solvers.INTERRUPTED, _solvers.CALLBACK}:
        return  # the user has ended it early
    log_loss, plateau = log_loss_of_fit(), (1 - _solvers.PLATEAU_RTOL) * baseline_loss
    lower = "alpha" if clf.solver == "lbfgs" else f"learning_rate={clf.learning_rate} or alpha"
    change = "init" if clf.solver == "lbfgs" else "learning_rate, init"
    longer = {
        _solvers.MAX_ITER: f"Raise max_iter={clf._max_iter()}, lower",
        _solvers.CONVERGED: f"Lower tol={clf.tol}, lower",
    }.get(reason, "Lower")
    end = f"after {counted(clf.n_iter_, 'iteration')} the log loss is {log_loss:.3g}"
    if baseline_loss > 0 and log_loss > baseline_loss + (baseline_loss - plateau):
        _warn(
            f"Training ended above the loss of a constant prediction, {baseline_loss:.3g}: {end}. "
            f"{remedy}{longer} {lower}."
        )
    elif baseline_loss > 0 and log_loss >= plateau:
        if clf.alpha == "loo":
            remedy += (
                "By leave-one-out, weaker penalties are worse: X may hold no information about y"
            )
        else:
            remedy += f"{longer} alpha"
        _warn(
            f"Training ended on the plateau: {end}, that of a constant prediction "
            f"{baseline_loss:.3g}. {remedy}, or change {change} or random_state."
        )
    elif clf.solver == "lbfgs" and reason == _solvers.MAX_ITER:
        _warn(
            f"Training by L-BFGS ran out of iterations: {end}, and the gradient is larger than "
            f"tol={clf.tol}. {remedy}Raise max_iter={clf._max_iter()}, "
            + ("or tol." if clf.alpha == "loo" else "tol or alpha.")
        )
    elif baseline_loss == 0:
        return  # one class
    elif clf.solver == "lbfgs" and clf.alpha_ == 0 and log_loss < SEPARATED_LOSS:
        _warn(
            f"The classes can be separated, so the weights grow without bound: {end}. Predictions "
            "for new rows are too certain. Set alpha, for example alpha='scale'."
        )
    elif clf.solver == "gd" and _is_unstable(clf, squared_norm):
        _warn(
            f"Training is unstable: the loss rose in many of the {clf.n_iter_} updates. Its "
            f"median in the last tenth of them is {_late_loss(clf):.3g}, its lowest value is "
            f"{min(clf.loss_curve_):.3g}. {remedy}Lower learning_rate={clf.learning_rate}."
        )


def _is_unstable(clf: Any, squared_norm: float) -> bool:
    """Whether the loss rose in many updates because the learning rate is too high."""
    rises = np.diff(clf.loss_curve_) > 0
    if clf.batch_size is not None:
        return False  # the loss of mini-batches is noisy at every rate
    if not rises.any() or rises.mean() <= MANY_RISES:
        return False
    far_above: bool = _late_loss(clf) > FAR_ABOVE * min(clf.loss_curve_)
    return far_above or clf.learning_rate * squared_norm > LARGE_STEP


def _late_loss(clf: Any) -> float:
    """The median loss of the last tenth of the updates.

    If the loss oscillates, its last value depends on the seed and the processor.
    """
    return float(np.median(clf.loss_curve_[len(clf.loss_curve_) * 9 // 10 :]))


def _warn(message: str, category: type[Warning] = ConvergenceWarning) -> None:
    """Warn at the first line outside the package, which is the caller's call of ``fit``."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith((PACKAGE, FIT_WRAPPER)):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
