"""What the estimators share: parameters, prediction, the five steps, and how a fit is stored."""

import re
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from . import _checks, _network
from ._blocks import with_contiguous_parts
from ._callbacks import CallbackSupportMixin
from ._diagnostics import warn_about
from ._monitor import INTERRUPTED
from ._network import Array, Cache, Parameters
from ._parallel import ignore_overflow
from ._prediction import logits
from ._solvers import SOLVERS
from ._targets import Targets, as_labels, in_unit_of_classes, is_surely_a_column, usable_dates
from ._training import OPTIONAL_ATTRIBUTES, WEIGHTS, Fit

DTYPES = (np.float64, np.float32)
MAX_UNITS_SMALL = 2  # up to this many hidden units init="auto" is "small"


class BaseTwoLayerSigmoid(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Parameters, prediction and the five steps; subclasses read and encode the data."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_h": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, np.inf, closed="neither")],
        "solver": [StrOptions(set(SOLVERS))],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, np.inf, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), None],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "standardize": ["boolean"],
        "alpha": [StrOptions({"scale"}), Interval(Real, 0, np.inf, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "init": [StrOptions({"auto", "small", "spread"}), tuple, list],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    # A sentence for each keyword that users of other classes may try.
    _instead: ClassVar[dict[str, str]] = _checks.INSTEAD

    @_checks.name_the_class
    def __init__(
        self,
        n_h: int | str = "auto",
        learning_rate: float = 1.2,
        *,
        solver: str = "gd",
        max_iter: int = 500,
        tol: float = 1e-6,
        batch_size: int | str | None = "auto",
        momentum: float = 0.0,
        standardize: bool = True,
        alpha: float | str = "scale",
        class_weight: Any = None,
        init: Any = "auto",
        n_init: int = 1,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_h = n_h
        self.learning_rate = learning_rate
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.momentum = momentum
        self.standardize = standardize
        self.alpha = alpha
        self.class_weight = class_weight
        self.init = init
        self.n_init = n_init
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def set_params(self, **params: Any) -> Self:
        """Set parameters.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If a name is not that of a parameter.
        """
        try:
            return super().set_params(**params)
        except ValueError as error:
            name = re.match(r"Invalid parameter '(\w+)'", str(error))
            if name and name[1] in self._instead:
                raise ValueError(f"{error} {self._instead[name[1]]}") from None
            raise

    def __getstate__(self) -> dict[str, Any]:
        """The state for pickle, copy and skops, in types that each of them restores.

        Memory maps, which ``joblib.load(mmap_mode="r")`` returns, become arrays: skops cannot read
        a file that has them. The keys False and True of ``class_weight`` become the equal 0 and 1,
        because skops stores only one of two Booleans.
        """
        state: dict[str, Any] = super().__getstate__()
        state = {name: _without_memory_maps(value) for name, value in state.items()}
        class_weight = state.get("class_weight")
        if isinstance(class_weight, dict):
            state["class_weight"] = {
                int(label) if isinstance(label, bool | np.bool) else label: weight
                for label, weight in class_weight.items()
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state. Dates pickled by NumPy >= 2.3 become usable for NumPy <= 2.2."""
        super().__setstate__(state)
        if "classes_" in state:
            self.classes_ = usable_dates(state["classes_"])
        class_weight = state.get("class_weight")
        if isinstance(class_weight, dict):
            self.class_weight = {usable_dates(label): w for label, w in class_weight.items()}

    def decision_function(self, X: Any) -> Array:
        """The logits z2 of the output layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        Z2 : ndarray of shape (n_samples,) or (n_samples, n_y)
            Log-odds in nats. One-dimensional for two classes; positive means class 1.
        """
        return self._predict(X, Targets.decisions)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The predicted labels.

        Two classes: class 1 if a2 > 0.5, strictly, which is z2 > 0. More classes: the class with
        the largest z2. Multilabel: 1 for each label with z2 > 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels from ``classes_``, or a multilabel indicator matrix.
        """
        return self._predict(X, Targets.labels)

    def predict_proba(self, X: Any) -> Array:
        """The predicted probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Probability of each class, in the order of ``classes_``; rows sum to one. Multilabel:
            of each label. Inside (0, 1): at least the smallest normal number of the dtype.
        """
        return self._predict(X, Targets.probabilities)

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the predicted probabilities, from the logits: never -inf.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        log_P : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Natural logarithms, in the order of ``predict_proba``. The lowest value is log(tiny),
            -708 (float32: -87); for two classes and multilabel y it is 8 times that.
        """
        return self._predict(X, Targets.log_probabilities)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean accuracy of ``predict``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True labels. A label that ``fit`` has not seen counts as wrong.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Fraction of the rows whose label (multilabel: all labels) is predicted correctly.

        Raises
        ------
        ValueError
            If a label is missing, or if y has strings and ``classes_`` numbers, or the other way
            round.
        """
        check_is_fitted(self)
        y = as_labels(y)
        if not (self._multilabel or issparse(y)):
            _checks.check_known_labels(y, self.classes_)
            y = in_unit_of_classes(y, self.classes_)
        return float(super().score(X, y, sample_weight=sample_weight))

    @property
    def W1(self) -> Array:
        """Weights of the hidden layer: ``W1_``."""
        return self._fitted("W1_")

    @property
    def b1(self) -> Array:
        """Biases of the hidden layer: ``b1_``."""
        return self._fitted("b1_")

    @property
    def W2(self) -> Array:
        """Weights of the output layer: ``W2_``."""
        return self._fitted("W2_")

    @property
    def b2(self) -> Array:
        """Biases of the output layer: ``b2_``."""
        return self._fitted("b2_")

    # The five steps. Training runs these methods, so a subclass can override them. It should accept
    # the keywords and pass them on.

    def _initialize_parameters(
        self,
        n_x: int,
        n_h: int,
        n_y: int,
        *,
        mean: Array | float = 0.0,
        std: Array | float = 1.0,
        random_state: np.random.RandomState | None = None,
        init: Any = None,
    ) -> Parameters:
        """Initial parameters by ``init``, else ``self.init``."""
        init = self.init if init is None else init
        if not isinstance(init, str):
            return _checks.check_initial_parameters(init, n_x, n_h, n_y)
        random_state = random_state or check_random_state(self.random_state)
        if init == "small" or (init == "auto" and n_h <= MAX_UNITS_SMALL):
            return _network.initialize_parameters(n_x, n_h, n_y, random_state=random_state)
        return _network.initialize_spread(
            n_x, n_h, n_y, mean=mean, std=std, random_state=random_state
        )

    def _forward(self, X: Array, params: Parameters, **options: Any) -> tuple[Array, Cache]:
        """Equations (2) to (4): A2 ``(n_y, m)`` and the cache, from X ``(n_x, m)``."""
        return _network.forward_propagation(X, params, **options)

    def _cost(self, cache: Cache, Y: Array, **options: Any) -> float:
        """Equation (8): the log loss of the cache against Y ``(n_y, m)``."""
        return _network.compute_cost(cache, Y, **options)

    def _backward(
        self, params: Parameters, cache: Cache, X: Array, Y: Array, **options: Any
    ) -> Parameters:
        """Equations (10) to (15): the gradient of the cost, in the shapes of ``params``."""
        return _network.backward_propagation(params, cache, X, Y, **options)

    def _update(self, params: Parameters, grads: Parameters, learning_rate: float) -> Parameters:
        """Equation (9), in place."""
        return _network.update_parameters(params, grads, learning_rate, out=params)

    def _steps(self) -> dict[str, Any]:
        return {"forward": self._forward, "cost": self._cost, "backward": self._backward}

    def _finish(self, fit: Fit, *, resumed: bool, one_pass: bool = False) -> Self:
        """Warn, and set every fitted attribute; those of an earlier fit go."""
        warn_about(self, fit, resumed=resumed, one_pass=one_pass)
        for name in OPTIONAL_ATTRIBUTES:
            self.__dict__.pop(name, None)
        self.__dict__.update(fit.attributes())
        if fit.stop_reason == INTERRUPTED:
            raise KeyboardInterrupt
        return self

    def _validate_params(self) -> None:
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            raise InvalidParameterError(_checks.add_remedy(error, self)) from None

    def _draft(self) -> Self:
        """An estimator with the same attributes; validation can set some without harm."""
        draft = object.__new__(type(self))
        draft.__dict__.update(self.__dict__)
        return draft

    def _validate(self, X: Any, y: Any, *, reset: bool, dtype: Any = DTYPES) -> Any:
        """X and y as arrays. ``reset`` sets the number and the names of the features."""
        _checks.check_features(X)
        y = as_labels(y)
        checks = {"accept_sparse": "csr", "dtype": dtype, "reset": reset}
        if is_surely_a_column(y):
            X = validate_data(self, X, **checks)
            check_consistent_length(X, y)
        else:
            X, y = validate_data(self, X, y, multi_output=True, **checks)
        X = with_contiguous_parts(X)
        if issparse(X) and not X.has_canonical_format:  # entries of one place can be stored twice
            X = X.copy()
            X.sum_duplicates()
        return X, y

    @property
    def _targets(self) -> Targets:
        return Targets(self.classes_, self._multilabel)

    def _predict(self, X: Any, from_logits: Callable[[Targets, Array], Any]) -> Any:
        """Apply ``from_logits`` to the targets and the logits of X."""
        params = Parameters(*map(self._fitted, WEIGHTS))
        with ignore_overflow():
            if not _checks.needs_no_conversion(self, X, params.W1.dtype):
                _checks.check_features(X)
                X = validate_data(self, X, accept_sparse="csr", dtype=params.W1.dtype, reset=False)
                X = with_contiguous_parts(X)
            Z2 = logits(X, params, forward=self._forward, n_jobs=self.n_jobs)
            _checks.check_logits(Z2)
            return from_logits(self._targets, Z2)

    def _fitted(self, name: str) -> Array:
        if name not in vars(self):
            check_is_fitted(self)  # slow, so called only to raise
        return vars(self)[name]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = self.class_weight is None
        return tags


def _without_memory_maps(value: Any) -> Any:
    """The same numbers as arrays, also in a tuple or list, which ``init`` can be."""
    if isinstance(value, np.memmap):
        return np.asarray(value)
    if isinstance(value, tuple | list) and any(isinstance(item, np.memmap) for item in value):
        return tuple(map(_without_memory_maps, value))
    return value
