"""What is refused before training, and what is warned of: the words for users, in one place."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from . import _network, _solvers
from ._network import Array, Parameters
from ._objective import largest_entries
from ._training import PLATEAU

WILD_SCALES = 1e3  # a ratio of spreads, or of mean to spread, that gradient descent cannot bridge
CALLER = 8  # frames from a warning up to the line that calls `fit`
SCALE_THEM = "Scale the features, for example with sklearn.preprocessing.StandardScaler."


def check_combinations(clf: Any, *, one_pass: bool) -> None:
    """Refuse parameters that are each allowed but do not go together."""
    many = f"n_init={clf.n_init} draws several starts and "
    lbfgs = "solver='lbfgs' works on all rows and chooses its own steps: "
    _refuse(
        (clf.n_jobs == 0, "n_jobs=0 leaves no thread to work: use None, 1, or -1 for all cores."),
        (clf.solver == "lbfgs" and clf.batch_size is not None, lbfgs + "use batch_size=None."),
        (clf.solver == "lbfgs" and clf.momentum > 0, lbfgs + "use momentum=0."),
        (clf.n_init > 1 and clf.warm_start, many + "warm_start=True has one: set n_init=1."),
        (clf.n_init > 1 and not isinstance(clf.init, str), many + "init gives one: set n_init=1."),
        (clf.n_init > 1 and one_pass, many + "partial_fit goes on from one: set n_init=1."),
        (
            one_pass and isinstance(clf.class_weight, str),
            "class_weight='balanced' needs all of y, and partial_fit sees a part: give a dict.",
        ),
        (
            one_pass and clf.early_stopping,
            "early_stopping=True needs more than the one pass of partial_fit: use "
            "early_stopping=False.",
        ),
    )


def check_validation_set(clf: Any, X_val: Any, y_val: Any, sample_weight_val: Any) -> None:
    """Refuse an incomplete validation set, or one that early stopping does not use, or lacks."""
    no_set = X_val is None
    splits_anew = clf.warm_start and not isinstance(clf.random_state, Integral)
    _refuse(
        (no_set != (y_val is None), "X_val and y_val go together: give both or none."),
        (no_set and sample_weight_val is not None, "sample_weight_val needs X_val and y_val."),
        (
            not no_set and not clf.early_stopping,
            "early_stopping=False makes no use of X_val and y_val: use early_stopping=True.",
        ),
        (
            no_set and clf.early_stopping and splits_anew,
            "early_stopping=True with warm_start=True must hold out the same rows in every fit: "
            f"give X_val and y_val, or an int as random_state, which is {clf.random_state!r}.",
        ),
    )


def check_coding(y: Any, classes: npt.NDArray[Any]) -> None:
    """Refuse to score against labels that are all unknown: they are coded differently."""
    given = set(np.asarray(y).ravel().tolist())
    if len(given) > 1 and given.isdisjoint(classes.tolist()):
        raise ValueError(
            f"y holds only labels that fit has not seen, such as {min(given, key=str)!r}: "
            f"code it like the y of fit, with the labels {classes.tolist()}."
        )


def check_resumable(clf: Any, classes: npt.NDArray[Any], multilabel: bool) -> None:
    """Refuse to go on training what would be another network, or other classes."""
    anew = "or fit anew with warm_start=False."
    n_h = len(clf.b1_)
    if n_h != clf.n_h:
        raise ValueError(
            f"n_h={clf.n_h}, but the weights to go on from have {n_h} hidden units: set n_h={n_h}, "
            + anew
        )
    if multilabel != clf._multilabel or not np.array_equal(classes, clf.classes_):
        raise ValueError(
            f"y has the classes {classes.tolist()}, but the weights to go on from were "
            f"fitted to {clf.classes_.tolist()}: give y all of these and no others, {anew}"
        )


def given_start(init: Any, n_x: int, n_h: int, n_y: int) -> Parameters:
    """Copies of the arrays in ``init``, in float64."""
    shapes = _network.parameter_shapes(n_x, n_h, n_y)
    try:
        arrays = [np.array(array) for array in init]
    except ValueError as error:  # NumPy's, of rows of several lengths
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


def largest_of(**data: Any) -> dict[str, Array]:
    """The largest absolute value of each feature of the named rows, without those that are None."""
    return {name: largest_entries(rows) for name, rows in data.items() if rows is not None}


def check_reach(starts: list[Parameters], largest: dict[str, Array], dtype: npt.DTypeLike) -> None:
    """Refuse rows, named, of which some could make W1 x + b1 overflow in ``dtype``."""
    for name, entries in largest.items():
        for params in starts:
            W1, b1 = (np.abs(array).astype(dtype) for array in params[:2])
            if not np.isfinite(W1 @ entries.astype(dtype) + b1[:, 0]).all():
                raise ValueError(
                    f"{name} holds values too large or too small for {dtype}: W1 x overflows. "
                    + SCALE_THEM
                )


def located(error: TypeError | ValueError, place: str) -> TypeError | ValueError:
    """The error, told with the place where it lies."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{place}: {error}")


def check_logits(Z2: Array) -> None:
    """Refuse to judge rows that come out as anything but numbers."""
    if not np.isfinite(Z2).all():
        raise ValueError(f"X holds values so large that W1 x overflows. {SCALE_THEM}")


def silent_overflow() -> np.errstate:
    """Overflow is looked for where it matters, and told of in words of our own."""
    return np.errstate(over="ignore", invalid="ignore")


def check_begun(cost: float) -> None:
    """Refuse a start that not even a first cost could be computed at."""
    if not np.isfinite(cost):
        raise ValueError(
            "The cost or its gradient is not finite at the initial parameters, so there is "
            f"nothing to train from: give smaller ones by init. {SCALE_THEM}"
        )


def warn_of_wild_scales(spread: Array, offset: Array) -> None:
    """``offset`` is how far each mean lies from zero, in standard deviations."""
    varying = spread[spread > 0] if spread.any() else np.ones(1)
    if max(varying.max() / varying.min(), offset.max()) > WILD_SCALES:
        warnings.warn(
            f"The features of X have wild scales: standard deviations from {varying.min():.3g} to "
            f"{varying.max():.3g}, means up to {offset.max():.3g} standard deviations from zero. "
            f"Training will be slow and poor. {SCALE_THEM}",
            UserWarning,
            stacklevel=CALLER,
        )


def warn_of_the_end(clf: Any, log_loss: float, constant_cost: float, *, one_pass: bool) -> None:
    """Warn where training ended badly, with what log loss beside that of predicting base rates."""
    reason, tried = clf.stop_reason_, f"after {clf.n_iter_} iterations the cost is {clf.loss_:.3g}"
    message = None
    if reason == _solvers.DIVERGED:
        message = (
            f"Training diverged at iteration {clf.n_iter_} with "
            f"learning_rate={clf.learning_rate} and alpha={clf.alpha}; the last finite "
            f"weights are kept, with a cost of {clf.loss_:.3g}. Lower learning_rate (times "
            f"alpha it must stay below 2). {SCALE_THEM}"
        )
    elif one_pass or reason in {_solvers.INTERRUPTED, _solvers.STOPPED}:
        pass  # ended before its time, as was wanted
    elif constant_cost > 0 and abs(log_loss - constant_cost) <= PLATEAU * constant_cost:
        message = (
            f"Training ended on the plateau: {tried}, that of predicting the base rate "
            f"{constant_cost:.3g}. Raise max_iter, lower alpha, or try another learning_rate, "
            f"init or random_state. {SCALE_THEM}"
        )
    elif clf.solver == "lbfgs" and reason == _solvers.ITERATION_LIMIT:
        message = (
            f"Training by L-BFGS ran out of iterations: {tried}, and its gradient not yet within "
            f"tol={clf.tol}. Raise max_iter={clf.max_iter} or tol, or give alpha. {SCALE_THEM}"
        )
    if message is not None:
        warnings.warn(message, ConvergenceWarning, stacklevel=CALLER)


def _refuse(*cases: tuple[bool, str]) -> None:
    for wrong, message in cases:
        if wrong:
            raise ValueError(message)
