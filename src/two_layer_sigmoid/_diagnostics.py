"""Warnings about a :class:`Fit`. Each function is one warning: if it applies, and its text."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning

from . import _monitor
from ._solvers import SOLVERS
from ._summary import PLATEAU_RTOL
from ._targets import counted
from ._training import Fit

WILD_SCALES = 1e3  # a ratio of standard deviations, or of mean to standard deviation
LOST_PRECISION = 1e-3  # relative rounding error of W1 x that is worth a warning
SEPARATED_LOSS = 1e-4  # without a penalty L-BFGS reaches it only if no finite weights are best
# The learning rate is too high if the loss rises in more than this fraction of the updates, and its
# late loss is more than this multiple of its lowest value, or steps are large: the rate times the
# mean squared norm of a row. The lecture's raw data have many rises, but neither of the others.
MANY_RISES = 0.2
FAR_ABOVE = 1.25
LARGE_STEP = 1000
# The loss still falls fast if in the last tenth of the updates (epochs) it falls by more than this
# fraction of the loss of a constant prediction. A fraction of the loss itself would not do, because
# the loss of separable classes always falls. Measured (``benchmarks/batches.py``): with the default
# settings the loss falls by at most 3 %.
FAST_FALL = 0.05
SMALL_SUM = 2.0  # the weights of two rows; AdaBoostClassifier divides weights by their sum
MIN_CURVE = 20  # of fewer updates a tenth tells nothing
PACKAGE = str(Path(__file__).parent) + os.sep
FIT_WRAPPER = str(Path(sklearn.__file__).parent / "base.py")


def warn_about(clf: Any, fit: Fit, *, resumed: bool, one_pass: bool = False) -> None:
    """Warn if the features or the end of training are bad."""
    warn_about_data(fit, resumed=resumed, one_pass=one_pass)
    if fit.stop_reason == _monitor.DIVERGED:
        warn(diverged(clf, fit))
    elif not one_pass and fit.stop_reason not in {_monitor.INTERRUPTED, _monitor.CALLBACK}:
        # Of several reasons the first is the one to mend.
        warn(
            above_constant(clf, fit)
            or on_plateau(clf, fit)
            or out_of_iterations(clf, fit)
            or separated(clf, fit)
            or unstable(clf, fit)
            or still_falling(clf, fit)
        )


def warn_about_data(fit: Fit, *, resumed: bool = False, one_pass: bool = False) -> None:
    """Warn if the features or the labels are bad."""
    if not one_pass:
        warn(one_class(fit), UserWarning)
    if not resumed:
        warn(wild_scales(fit), UserWarning)


def one_class(fit: Fit) -> str | None:
    """The rows of positive weight, as in a bootstrap, have one class only."""
    targets, (zeros, ones) = fit.targets, fit.summary.target_weights
    has_rows = np.append(zeros, ones) > 0 if targets.n_outputs == 1 else ones > 0
    if targets.is_multilabel or has_rows.sum() > 1:
        return None
    return (
        f"y holds only one class, {targets.classes[has_rows].tolist()[0]!r}, in the rows of "
        "positive weight (sample_weight, class_weight). The network predicts it for every row."
    )


def wild_scales(fit: Fit) -> str | None:
    """The scales of the features slow training down, or cost digits."""
    summary, dtype = fit.summary, fit.params.W1.dtype
    offset = (np.abs(summary.mean) / summary.scale).max()
    if fit.scale is not None:
        if offset * np.finfo(dtype).eps <= LOST_PRECISION:
            return None
        return (
            f"Features of X lose precision in {dtype}: a mean is {offset:.3g} standard deviations "
            "from zero. Subtract the means from X in float64 first."
        )
    varying = summary.std[summary.std > 0] if summary.std.any() else np.ones(1)
    if max(varying.max() / varying.min(), offset) <= WILD_SCALES:
        return None
    return (
        f"The features of X have wild scales: standard deviations from {varying.min():.3g} to "
        f"{varying.max():.3g}, means up to {offset:.3g} standard deviations from zero. "
        "Training will be slow and poor. Set standardize=True."
    )


def diverged(clf: Any, fit: Fit) -> str:
    """The loss or the weights went to infinity."""
    remedies = [*_weights(clf, fit), *_standardize(clf), "lower learning_rate"]
    return (
        f"Training diverged at iteration {len(fit.loss_curve)} with "
        f"learning_rate={clf.learning_rate} and alpha={fit.alpha:.3g}. The last finite weights are "
        f"kept; their loss is {fit.loss:.3g}. {_either(remedies)} (learning_rate times alpha must "
        "be below 2)."
    )


def above_constant(clf: Any, fit: Fit) -> str | None:
    """The loss is higher than that of a constant prediction."""
    baseline = fit.summary.baseline_loss
    if baseline == 0 or fit.log_loss <= (1 + PLATEAU_RTOL) * baseline:
        return None
    rate = [f"lower learning_rate={clf.learning_rate}"] if _has_rate(clf) else []
    remedies = [*_standardize(clf), *_longer(clf, fit), *rate, "lower alpha"]
    return (
        f"Training ended above the loss of a constant prediction, {baseline:.3g}: {_end(fit)}. "
        f"{_either(remedies)}."
    )


def on_plateau(clf: Any, fit: Fit) -> str | None:
    """The loss is that of a constant prediction."""
    if fit.log_loss < fit.summary.plateau:
        return None
    change = "change learning_rate, init or random_state"
    if not _has_rate(clf):
        change = "change init or random_state"
    weights = _weights(clf, fit)
    remedies = [*weights, *_standardize(clf), *_longer(clf, fit), "lower alpha", change]
    return (
        f"Training ended on the plateau: {_end(fit)}, that of a constant prediction "
        f"{fit.summary.baseline_loss:.3g}. {_either(remedies)}."
    )


def out_of_iterations(clf: Any, fit: Fit) -> str | None:
    """A solver that finds the minimum has not reached it."""
    if _has_rate(clf) or fit.stop_reason != _monitor.MAX_ITER:
        return None
    remedies = [*_standardize(clf), *_longer(clf, fit), "raise tol", "raise alpha"]
    return (
        f"Training by L-BFGS ran out of iterations: {_end(fit)}, and the gradient is larger than "
        f"tol={clf.tol}. {_either(remedies)}."
    )


def separated(clf: Any, fit: Fit) -> str | None:
    """No finite weights are best."""
    if _has_rate(clf) or fit.alpha > 0 or fit.log_loss >= SEPARATED_LOSS:
        return None
    if fit.summary.baseline_loss == 0:  # of one class that is right
        return None
    return (
        f"The classes can be separated, so the weights grow without bound: {_end(fit)}. "
        "Predictions for new rows are too certain. Set alpha, for example alpha='scale'."
    )


def unstable(clf: Any, fit: Fit) -> str | None:
    """The learning rate is so high that the loss rises in many updates."""
    if not _has_rate(clf) or fit.batch_size is not None or fit.summary.baseline_loss == 0:
        return None  # the loss of mini-batches is noisy at every rate
    rises = np.diff(fit.loss_curve) > 0
    if not rises.any() or rises.mean() <= MANY_RISES:
        return None
    n, lowest, summary = len(fit.loss_curve), min(fit.loss_curve), fit.summary
    # Not the last loss: if the loss oscillates, that depends on the seed and the processor.
    late = np.median(fit.loss_curve[n * 9 // 10 :])
    squares = summary.var + summary.mean**2 if fit.scale is None else summary.std > 0
    if late <= FAR_ABOVE * lowest and clf.learning_rate * squares.sum() <= LARGE_STEP:
        return None
    remedies = [*_standardize(clf), f"lower learning_rate={clf.learning_rate}"]
    return (
        f"Training is unstable: the loss rose in many of the {n} updates. Its median in the last "
        f"tenth of them is {late:.3g}, its lowest value is {lowest:.3g}. {_either(remedies)}."
    )


def still_falling(clf: Any, fit: Fit) -> str | None:
    """Gradient descent ends at ``max_iter`` while the loss falls fast."""
    curve, n = fit.loss_curve, len(fit.loss_curve)
    if not _has_rate(clf) or fit.stop_reason != _monitor.MAX_ITER or n < MIN_CURVE:
        return None
    if fit.summary.baseline_loss == 0:  # all labels are equal
        return None
    last = n - n // 10
    fall = min(curve[:last]) - min(curve[last:])
    if fall <= FAST_FALL * fit.summary.baseline_loss:
        return None
    remedies = [*_longer(clf, fit), f"raise learning_rate={clf.learning_rate}"]
    if fit.has_many_rows and fit.batch_size is None:
        remedies.append("set batch_size='auto' for mini-batches")
    remedies.append("use solver='lbfgs'")
    return (
        f"Training ended while the loss was falling fast: {_end(fit)}, and the loss fell by "
        f"{fall:.3g} in the last {n - last}. {_either(remedies)}."
    )


def _has_rate(clf: Any) -> bool:
    return SOLVERS[clf.solver].has_learning_rate


def _end(fit: Fit) -> str:
    n_iter = counted(len(fit.loss_curve), "iteration")
    return f"after {n_iter} the log loss is {fit.log_loss:.3g}"


def _standardize(clf: Any) -> list[str]:
    return [] if clf.standardize else ["set standardize=True"]


def _weights(clf: Any, fit: Fit) -> list[str]:
    """How to mend the penalty of weights that were divided by their sum."""
    if clf.alpha != "scale" or fit.summary.n_samples > SMALL_SUM:
        return []
    total = f"alpha='scale' is divided by its sum, {fit.summary.n_samples:.3g}"
    return [f"multiply sample_weight by the number of rows ({total})"]


def _longer(clf: Any, fit: Fit) -> list[str]:
    """How to let training go on, if it ended by a limit."""
    if fit.stop_reason == _monitor.MAX_ITER:
        return [f"raise max_iter={clf.max_iter}"]
    return [f"lower tol={clf.tol}"] if fit.stop_reason == _monitor.CONVERGED else []


def _either(remedies: list[str]) -> str:
    """A sentence that offers the remedies, without its full stop."""
    *others, last = remedies
    sentence = f"{', '.join(others)}, or {last}" if others else last
    return sentence[0].upper() + sentence[1:]


def warn(message: str | None, category: type[Warning] = ConvergenceWarning) -> None:
    """Warn at the first line outside the package, which is the caller's call of ``fit``."""
    if message is None:
        return
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith((PACKAGE, FIT_WRAPPER)):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
