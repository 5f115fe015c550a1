"""Errors about parameters, arguments and overflow."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, time, timedelta
from functools import wraps
from numbers import Integral
from types import MethodType
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from . import _network
from ._network import Array, Parameters
from ._parallel import NO_THREADS
from ._solvers import SOLVERS
from ._targets import Labels, Targets, check_not_lazy, counted

Method = TypeVar("Method", bound=Callable[..., Any])

DATE_TYPES = "date", "time", "duration", "period"  # of NumPy, pandas, Polars and Arrow
# Timestamp and Timedelta of pandas are subclasses.
DATE_OBJECTS = date, time, timedelta, np.datetime64, np.timedelta64
SCALE_THEM = "Scale the features, for example with sklearn.preprocessing.StandardScaler."


def check_parameters(clf: Any) -> None:
    """Raise if parameters that are each valid are in conflict."""
    has_steps, has_many = SOLVERS[clf.solver].has_learning_rate, clf.n_init > 1
    many = f"n_init={clf.n_init} needs several initial parameters, but "
    _refuse(
        (clf.n_jobs == 0, NO_THREADS),
        (
            not has_steps and clf.batch_size not in (None, "auto"),
            f"batch_size={clf.batch_size} is not supported by solver={clf.solver!r}, which uses "
            "all rows: use batch_size=None or 'auto'.",
        ),
        (
            not has_steps and clf.momentum > 0,
            f"momentum={clf.momentum} is not supported by solver={clf.solver!r}, which chooses its "
            "own steps: use momentum=0.",
        ),
        (has_many and clf.warm_start, many + "warm_start=True has one: set n_init=1."),
        (has_many and not isinstance(clf.init, str), many + "init gives one: set n_init=1."),
    )


def check_partial_fit(clf: Any) -> None:
    """Raise an AttributeError if the parameters do not allow ``partial_fit``."""
    n_init, class_weight, early_stopping = clf.n_init, clf.class_weight, clf.early_stopping
    is_balanced = isinstance(class_weight, str) and class_weight == "balanced"
    is_early = isinstance(early_stopping, (bool, np.bool_)) and bool(early_stopping)
    several = "needs several passes: "
    for applies, reason in (
        (
            isinstance(clf.solver, str)
            and clf.solver in SOLVERS
            and not SOLVERS[clf.solver].has_learning_rate,
            f"solver={clf.solver!r} needs all rows at once: use solver='gd'.",
        ),
        (
            isinstance(n_init, Integral) and int(n_init) > 1,
            f"n_init={n_init} {several}set n_init=1.",
        ),
        (is_balanced, "class_weight='balanced' needs all of y: give a dict."),
        (is_early, f"early_stopping=True {several}use early_stopping=False."),
    ):
        if applies:
            raise AttributeError(
                f"This {type(clf).__name__!r} has no attribute 'partial_fit', "
                f"which makes one pass over a part of the rows; {reason}"
            )


def available_if(check: Callable[[Any], None]) -> Callable[[Method], Method]:
    """A method that is there unless ``check`` raises an AttributeError.

    scikit-learn's decorator of this name does not give the reason in the last line of the error.
    """

    def decorate(method: Method) -> Method:
        return cast(Method, _Available(method, check))

    return decorate


class _Available:
    def __init__(self, method: Callable[..., Any], check: Callable[[Any], None]) -> None:
        self.__doc__ = method.__doc__
        self._method = method
        self._check = check

    def __get__(self, clf: Any, owner: type) -> Callable[..., Any]:
        if clf is not None:
            self._check(clf)
            return MethodType(self._method, clf)

        @wraps(self._method)  # a function, because scikit-learn reads its signature
        def unbound(clf: Any, *args: Any, **kwargs: Any) -> Any:
            return self.__get__(clf, owner)(*args, **kwargs)

        return unbound


# Names and values of MLPClassifier


WITHOUT_ADAM = "Use solver='gd' with batch_size and momentum, or solver='lbfgs'."
INSTEAD = {
    "hidden_layer_sizes": "Use n_h, the number of units of the one hidden layer.",
    "activation": "Leave it out: all units are sigmoids, activation='logistic' in MLPClassifier.",
    "learning_rate_init": "Use learning_rate.",
    "power_t": "Leave it out: learning_rate is constant.",
    "shuffle": "Leave it out: mini-batches are always shuffled.",
    "nesterovs_momentum": "Leave it out: momentum is always Nesterov's.",
    "max_fun": "Use max_iter.",
} | dict.fromkeys(
    ("beta_1", "beta_2", "epsilon"),
    f"Leave it out: there is no Adam. {WITHOUT_ADAM}",
)
INSTEAD_OF_VALUES = {
    "solver": dict.fromkeys(("adam", "sgd"), WITHOUT_ADAM),
    "learning_rate": dict.fromkeys(
        ("constant", "invscaling", "adaptive"),
        "It is the number that MLPClassifier calls learning_rate_init, and is constant.",
    ),
}


def name_the_class(init: Method) -> Method:
    """Make the TypeErrors of ``__init__`` name the class that was called, and what to use."""

    @wraps(init)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except TypeError as error:
            message = str(error).replace(init.__qualname__, f"{type(self).__name__}.__init__")
            keyword = re.search(r"unexpected keyword argument '(\w+)'", message)
            if keyword and keyword[1] in self._instead:
                message = f"{message[: keyword.end()]}. {self._instead[keyword[1]]}"
            raise TypeError(message) from None

    return cast(Method, checked)


def add_remedy(error: ValueError, clf: Any) -> str:
    """The message of an invalid parameter, and what to use instead of a value of MLPClassifier."""
    message = str(error)
    for name, instead in INSTEAD_OF_VALUES.items():
        value = getattr(clf, name, None)
        if f"'{name}' parameter" in message and isinstance(value, str):
            return f"{message} {instead.get(value, '')}".strip()
    return message


# Validation sets


def check_validation_set(clf: Any, X_val: Any, y_val: Any, sample_weight_val: Any) -> None:
    """Raise if a validation set is incomplete, not used or missing."""
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


# Features, labels and initial parameters


def check_features(X: Any) -> None:
    """Raise if X is a lazy frame, or has dates, whose number depends on their unit.

    NumPy and scikit-learn convert a whole frame of dates to such numbers, and objects that are
    dates of NumPy, and Polars converts dates among numbers.
    """
    check_not_lazy(X, "X")
    types: set[type] = set()  # of objects
    if hasattr(X, "columns") and hasattr(X, "dtypes"):  # a frame of pandas, Polars or Dask
        dtypes = set(X.dtypes)
        if np.dtype(object) in dtypes and not hasattr(X, "__dask_graph__"):
            for j in np.flatnonzero(X.dtypes == np.dtype(object)):
                types.update(map(type, X.iloc[:, j]))
    elif hasattr(X, "dtype"):  # not of a frame, which can have a column of this name
        dtypes = {X.dtype}
        if isinstance(X, np.ndarray) and X.dtype == np.dtype(object):
            types.update(map(type, X.ravel()))
    else:  # a table of Arrow, or a list of rows
        dtypes = set(getattr(getattr(X, "schema", None), "types", ()))
        for row in X if isinstance(X, list | tuple) else ():
            if hasattr(row, "dtype"):
                dtypes.add(row.dtype)
            elif isinstance(row, list | tuple):
                types.update(map(type, row))
    names = [str(_dtype_of_categories(dtype)) for dtype in dtypes]
    dates = [name for name in names if name.lower().startswith(DATE_TYPES)]
    dates += [one.__name__ for one in types if issubclass(one, DATE_OBJECTS)]
    if dates:
        raise TypeError(
            f"X holds features of the type {min(dates)}: convert dates and durations to numbers, "
            "for example with (X - np.datetime64('2000-01-01')) / np.timedelta64(1, 'D')."
        )


def _dtype_of_categories(dtype: Any) -> Any:
    """The dtype of the categories of pandas, or of a dictionary of Arrow; others as they are."""
    dtype = getattr(dtype, "pyarrow_dtype", dtype)
    categories = getattr(dtype, "categories", None)
    return getattr(categories, "dtype", getattr(dtype, "value_type", dtype))


def check_known_labels(y: Labels, classes: Labels) -> None:
    """Raise if strings are scored against numbers, or numbers against strings."""
    given, known = set(y.ravel().tolist()), classes.tolist()
    kinds = [{isinstance(label, str) for label in labels} for labels in (given, known)]
    if given and given.isdisjoint(known) and kinds[0].isdisjoint(kinds[1]):
        raise ValueError(
            f"y holds only labels of another type than those of fit, such as "
            f"{min(given, key=str)!r}: use the labels of fit, {known}."
        )


def check_resumable(n_h: int | str, targets: Targets, params: Parameters, before: Targets) -> None:
    """Raise if the number of hidden units or the classes have changed."""
    restart = "or start from scratch with sklearn.base.clone, or with fit and warm_start=False."
    if n_h not in ("auto", len(params.b1)):
        raise ValueError(
            f"n_h={n_h}, but the fitted weights have {counted(len(params.b1), 'hidden unit')}: set "
            f"n_h={len(params.b1)}, {restart}"
        )
    before.check_format(targets.is_multilabel, len(targets.classes))
    if not np.array_equal(targets.classes, before.classes):
        raise ValueError(
            f"y has the classes {targets.classes.tolist()}, but the weights were fitted to "
            f"{before.classes.tolist()}: use a y with all of these classes and no others, {restart}"
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


def check_no_overflow(
    params: Parameters, max_abs: dict[str, Array], dtype: npt.DTypeLike, other_remedy: str = ""
) -> None:
    """Raise if W1 x + b1 can overflow in ``dtype``.

    ``max_abs`` has, for the name of each data set, the largest absolute value of each feature.
    ``other_remedy`` is a sentence: another remedy than to scale them.
    """
    W1, b1 = (np.abs(array).astype(dtype) for array in params[:2])
    for name, largest in max_abs.items():
        if not np.isfinite(W1 @ largest.astype(dtype) + b1[:, 0]).all():
            raise ValueError(
                f"{name} holds values too large or too small for {dtype}: W1 x overflows. "
                f"{SCALE_THEM} {other_remedy}".rstrip()
            )


def check_variance(var: Array) -> None:
    """Raise if the variance ``(n_x,)`` of a feature has overflowed."""
    if not np.isfinite(var).all():
        raise ValueError(
            "X holds values too large for float64: the variance of a feature overflows. "
            "Divide the feature by a constant first."
        )


def check_initial_loss(loss: float) -> None:
    """Raise if the loss was never finite."""
    if not np.isfinite(loss):
        raise ValueError(
            "The loss or its gradient is not finite at the initial parameters: use smaller ones "
            f"in init. {SCALE_THEM}"
        )


def needs_no_conversion(clf: Any, X: Any, dtype: np.dtype[Any]) -> bool:
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
        and math.isfinite(X.sum())  # if the sum of finite entries overflows, it is not certain
    )


def check_logits(Z2: Array) -> None:
    """Raise if logits have overflowed."""
    if not np.isfinite(Z2).all():
        raise ValueError(f"X holds values so large that W1 x overflows. {SCALE_THEM}")
