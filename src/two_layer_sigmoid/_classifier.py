"""The estimator: its parameters, ``fit``, ``partial_fit`` and prediction."""

import math
from collections.abc import Callable
from functools import partial, reduce, wraps
from importlib.metadata import PackageNotFoundError, metadata
from numbers import Integral, Real
from operator import add
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _encoding, _network, _prediction, _solvers, _validation
from ._blocks import BlockedData, Data, row_shards, with_contiguous_parts
from ._callbacks import CallbackSupportMixin, Tasks, has_callbacks
from ._encoding import Examples
from ._leave_one_out import ALPHA_PATH, search_alpha
from ._network import Array, Cache, Parameters
from ._objective import Objective
from ._parallel import ThreadPool, single_blas_thread, small_ufunc_buffer
from ._solvers import Monitor, TrainingState
from ._statistics import (
    Moments,
    baseline_loss,
    feature_moments,
    max_abs_features,
    rescaled,
)

MAX_UNITS_SMALL = 2  # up to this many hidden units init="auto" is "small"
# max_iter="auto", with that many units and with more. Small weights need some 1500 updates to leave
# the plateau of the lecture's data, and an update of two units takes little time. With 32 units
# more than 1000 updates gain little (``benchmarks/defaults.py``).
AUTO_MAX_ITER_SMALL, AUTO_MAX_ITER = 3000, 1000
FIRST_RUNG_LBFGS = 4  # iterations for each parameter; then L-BFGS has approximated the curvature
# alpha="scale" is min(1, n_features / SCALE_FEATURES) / sqrt(n_outputs), divided by the sum of the
# weights of the rows. Measured (``benchmarks/defaults.py``): with many features the penalty of
# LogisticRegression(C=1) is best; with few features curved boundaries need less, and so do many
# classes.
SCALE_FEATURES = 16
DTYPES = (np.float64, np.float32)
WEIGHTS = tuple(f"{name}_" for name in Parameters._fields)


def rollback_on_error(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Restore the estimator if ``fit`` raises; after Ctrl-C keep the new weights and raise.

    It wraps ``_fit_context``, which needs the new attributes to tear down the callbacks.
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


def _without_memory_maps(value: Any) -> Any:
    """The same numbers as arrays, also in a tuple or list, which ``init`` can be."""
    if isinstance(value, np.memmap):
        return np.asarray(value)
    if isinstance(value, tuple | list) and any(isinstance(item, np.memmap) for item in value):
        return tuple(map(_without_memory_maps, value))
    return value


class BaseTwoLayerSigmoid(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """All that the estimators in memory and on Dask share; each reads and encodes its data."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_h": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, np.inf, closed="neither")],
        "solver": [StrOptions({"gd", "lbfgs"})],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, np.inf, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "standardize": ["boolean"],
        "alpha": [StrOptions({"scale", "loo"}), Interval(Real, 0, np.inf, closed="left")],
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

    def __init__(
        self,
        n_h: int = 32,
        learning_rate: float = 1.2,
        *,
        solver: str = "gd",
        max_iter: int | str = "auto",
        tol: float = 1e-6,
        batch_size: int | None = None,
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
        return self._predict(X, _prediction.decisions)

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
        return self._predict(X, _prediction.labels)

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
        return self._predict(X, _prediction.probabilities)

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
        return self._predict(X, _prediction.log_probabilities)

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
        y = _encoding.as_labels(y)
        if not (self._multilabel or issparse(y)):
            _validation.check_known_labels(y, self.classes_)
            y = _encoding.in_unit_of_classes(y, self.classes_)
        return float(super().score(X, y, sample_weight=sample_weight))

    @property
    def W1(self) -> Array:
        """Weights of the hidden layer, the lecture's name for ``W1_``."""
        return self._fitted("W1_")

    @property
    def b1(self) -> Array:
        """Biases of the hidden layer, the lecture's name for ``b1_``."""
        return self._fitted("b1_")

    @property
    def W2(self) -> Array:
        """Weights of the output layer, the lecture's name for ``W2_``."""
        return self._fitted("W2_")

    @property
    def b2(self) -> Array:
        """Biases of the output layer, the lecture's name for ``b2_``."""
        return self._fitted("b2_")

    # The five steps of the lecture. Training runs these methods, so a subclass can override them.
    # It should accept the keywords and pass them on.

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
        """Initial parameters by ``init``, else ``self.init``, in the lecture's shapes."""
        init = self.init if init is None else init
        if not isinstance(init, str):
            return _validation.check_initial_parameters(init, n_x, n_h, n_y)
        random_state = random_state or check_random_state(self.random_state)
        if init == "small" or (init == "auto" and n_h <= MAX_UNITS_SMALL):
            return _network.initialize_small(n_x, n_h, n_y, random_state=random_state)
        return _network.initialize_spread(
            n_x, n_h, n_y, mean=mean, std=std, random_state=random_state
        )

    def _forward(self, X: Array, params: Parameters, **options: Any) -> tuple[Array, Cache]:
        """Equations (2) to (4): A2 ``(n_y, m)`` and the cache, from X ``(n_x, m)``."""
        return _network.forward(X, params, **options)

    def _cost(self, cache: Cache, Y: Array, **options: Any) -> float:
        """Equation (8): the log loss of the cache against Y ``(n_y, m)``."""
        return _network.cost(cache, Y, **options)

    def _backward(
        self, params: Parameters, cache: Cache, X: Array, Y: Array, **options: Any
    ) -> Parameters:
        """Equations (10) to (15): the gradient of the cost, in the shapes of ``params``."""
        return _network.backward(params, cache, X, Y, **options)

    def _update(self, params: Parameters, grads: Parameters, learning_rate: float) -> Parameters:
        """Equation (9), in place."""
        return _network.update(params, grads, learning_rate)

    # Training: initialise, optimise, store.

    def _train(
        self,
        data: Data,
        validation: BlockedData | None = None,
        *,
        weight_sum: float,
        dtype: np.dtype[Any],
        random_state: np.random.RandomState,
        resume: bool,
        incremental: bool = False,
        inputs: dict[str, Any],
    ) -> None:
        """Train on encoded data, and set the fitted attributes.

        ``weight_sum`` is the sum of the weights of all rows as they were given; those of ``data``
        can have another scale. ``dtype`` is that of the fitted weights. ``resume`` starts from the
        fitted weights. ``incremental`` makes one pass over the data. Callbacks get the ``inputs``
        of ``fit``.
        """
        if self.alpha == "loo":
            _validation.check_leave_one_out(data)
        max_abs = {"X": max_abs_features(data)}
        if validation is not None:
            max_abs["X_val"] = max_abs_features(validation)
        moments = self._set_statistics(data, weight_sum, resume=resume, incremental=incremental)
        steps = self._steps() | {"scaling": (self.mean_, self.scale_) if self.standardize else None}
        objective = Objective(data, **steps, alpha=self.alpha_)
        initial = self._initialize(objective, moments, random_state, resume=resume)
        states = [
            TrainingState(objective.views(params.flat().astype(data.dtype))) for params in initial
        ]
        otherwise = "" if isinstance(self.init, str) else " Or use smaller numbers in init."
        for state in states:
            raw = objective.raw(state.params)
            _validation.check_no_overflow(raw, max_abs, dtype, otherwise)
        if not resume:
            _validation.warn_feature_scales(moments, dtype, standardize=self.standardize)
        velocity = getattr(self, "_velocity", None)
        if resume and velocity is not None and self.solver == "gd" and self.momentum > 0:
            states[0].velocity = velocity.astype(data.dtype)

        max_iter = 1 if incremental else self._max_iter()
        baseline = baseline_loss(data)
        monitor = Monitor(
            tol=0.0 if incremental else float(self.tol),
            n_iter_no_change=self.n_iter_no_change,
            penalty=objective.penalty,
            plateau=(1 - _solvers.PLATEAU_RTOL) * baseline or math.inf,  # one class has none
            print_every={0: 0, 1: math.ceil(max_iter / 10)}.get(int(self.verbose), 1),
            bind=partial(self._bind, objective),
        )
        if validation is not None:
            monitor.validation_loss = Objective(validation, **steps).loss
        if has_callbacks(self):
            one_training = len(states) == 1 and self.alpha != "loo"
            monitor.tasks = Tasks(self, max_iter if one_training else None, **inputs)
        with small_ufunc_buffer():
            best = self._optimize(
                objective, states, monitor, random_state, max_iter=max_iter, dtype=dtype
            )
        _validation.check_initial_loss(best.loss)
        fitted = objective.raw(best.params)
        otherwise = " Or lower learning_rate." if self.solver == "gd" else ""
        _validation.check_no_overflow(fitted, max_abs, dtype, otherwise)

        for name, array in zip(WEIGHTS, fitted, strict=True):
            setattr(self, name, array.astype(dtype, copy=False))
        self.loss_, self.n_iter_, self.stop_reason_ = best.loss, best.n_iter, best.stop_reason
        self.init_losses_ = np.array(
            [state.loss if state is best else state.restorable_loss for state in states]
        )
        self.__dict__.pop("_velocity", None)
        if best.velocity is not None and (self.warm_start or incremental):
            self._velocity = best.velocity
        _validation.warn_training_end(
            self,
            baseline,
            partial(objective.log_loss, best.params),
            moments.squared_norm(standardize=self.standardize),
            incremental=incremental,
        )

    def _set_statistics(
        self, data: Data, weight_sum: float, *, resume: bool, incremental: bool
    ) -> Moments:
        """Set ``mean_``, ``scale_`` and ``alpha_``; of all calls if ``incremental``."""
        moments = feature_moments(data)._replace(n_samples=weight_sum)
        before = Moments(*self._moments) if resume and hasattr(self, "_moments") else None
        if before is not None and incremental:
            moments = before.combined_with(moments)
        std = moments.std()
        reference = moments.mean, std
        if before is not None:
            reference = getattr(self, "_reference", (before.mean, before.std()))
            # Weights that the user gave are for X as it is, whatever the first rows are.
            if rescale := self.standardize and isinstance(self.init, str):
                params = Parameters(*map(self._fitted, WEIGHTS))
                params, reference = rescaled(params, reference, moments)
                self.W1_, self.b1_, self.W2_, self.b2_ = params
            # A feature that is constant now keeps the unit of its weights.
            std = np.where(std > 0, std, reference[1])
            if not (rescale and incremental):
                reference = moments.mean, std
        # Every format of persistence knows a tuple.
        self._moments: tuple[Any, ...] = tuple(moments)
        self._reference: tuple[Array, Array] = reference
        self.mean_: Array | None = moments.mean if self.standardize else None
        self.scale_: Array | None = np.where(std > 0, std, 1.0) if self.standardize else None
        n_x, _, n_y = data.layer_sizes
        scale = min(1.0, n_x / SCALE_FEATURES) / math.sqrt(n_y)
        resolved = {"scale": scale / moments.n_samples, "loo": ALPHA_PATH[0] / data.n_rows}
        self.alpha_: float = float(resolved.get(str(self.alpha), self.alpha))
        return moments

    def _initialize(
        self,
        objective: Objective,
        moments: Moments,
        random_state: np.random.RandomState,
        *,
        resume: bool,
    ) -> list[Parameters]:
        """The parameters to start from, for the objective; with ``resume`` the fitted ones."""
        if resume:
            return [objective.standardized(Parameters(*map(self._fitted, WEIGHTS)))]
        mean, scale = (0.0, 1.0) if self.standardize else (moments.mean, moments.scale())
        # Small weights can all meet the same saddle: every other start is of another kind.
        inits = [self.init, "spread" if self.init == "auto" else self.init]
        initial = [
            self._initialize_parameters(
                *objective.data.layer_sizes,
                mean=mean,
                std=scale,
                random_state=random_state,
                init=inits[i % 2],
            )
            for i in range(self.n_init)
        ]
        return initial if isinstance(self.init, str) else [objective.standardized(initial[0])]

    def _optimize(
        self,
        objective: Objective,
        states: list[TrainingState],
        monitor: Monitor,
        random_state: np.random.RandomState,
        *,
        max_iter: int,
        dtype: np.dtype[Any],
    ) -> TrainingState:
        """The best state, with the parameters to keep."""
        solve: Callable[[TrainingState, int], None]
        is_lbfgs = self.solver == "lbfgs"
        if is_lbfgs:
            solve = partial(_solvers.lbfgs, objective, monitor=monitor)
        else:
            step = partial(
                _solvers.gradient_step,
                update=self._update,
                learning_rate=float(self.learning_rate),  # a NumPy scalar would widen float32
                momentum=float(self.momentum),
            )
            solve = partial(_solvers.gradient_descent, objective, monitor=monitor, step=step)
            if self.batch_size is not None and self.batch_size < objective.data.n_rows:
                minibatches = partial(objective.minibatches, int(self.batch_size), random_state)
                solve = partial(
                    _solvers.minibatch_descent,
                    objective,
                    monitor=monitor,
                    step=step,
                    minibatches=minibatches,
                )
        race = partial(
            _solvers.successive_halving,
            solve=solve,
            monitor=monitor,
            first_rung=FIRST_RUNG_LBFGS * states[0].theta.size if is_lbfgs else max_iter,
        )
        for name in ("loo_loss_", "loo_path_"):  # of an earlier fit
            self.__dict__.pop(name, None)
        if self.alpha == "loo":
            multiclass = len(self.classes_) > 2 and not self._multilabel
            best, self.loo_loss_, self.loo_path_ = search_alpha(
                objective, states, race, max_iter=max_iter, multiclass=multiclass
            )
            self.alpha_ = objective.alpha
        else:
            best = race(states, max_iter=max_iter)
        _solvers.finalize(best, objective, dtype)
        self._bind(objective, best)
        if self.verbose:
            monitor.print_loss(best, f", {best.stop_reason}")
        if monitor.tasks is not None:
            monitor.tasks.close()
        return best

    def _bind(self, objective: Objective, state: TrainingState) -> None:
        """Set the fitted attributes to those of a state."""
        self.W1_, self.b1_, self.W2_, self.b2_ = objective.raw(state.params)
        self.loss_curve_ = state.loss_curve
        self.validation_loss_curve_ = state.validation_loss_curve if self.early_stopping else None

    def _max_iter(self) -> int:
        """The largest number of updates."""
        if self.max_iter != "auto":
            return int(self.max_iter)
        return AUTO_MAX_ITER_SMALL if self.n_h <= MAX_UNITS_SMALL else AUTO_MAX_ITER

    def _steps(self) -> dict[str, Any]:
        return {"forward": self._forward, "cost": self._cost, "backward": self._backward}

    # Prediction.

    def _predict(self, X: Any, from_logits: Callable[..., npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Apply ``from_logits`` to the logits of X, the classes and whether y is multilabel."""
        params = Parameters(*map(self._fitted, WEIGHTS))
        if not _validation.is_valid(self, X, params.W1.dtype):
            X = validate_data(self, X, accept_sparse="csr", dtype=params.W1.dtype, reset=False)
            X = with_contiguous_parts(X)
        with _validation.ignore_overflow():
            Z2 = _prediction.logits(X, params, forward=self._forward, n_jobs=self.n_jobs)
            _validation.check_logits(Z2)
            return from_logits(Z2, self.classes_, self._multilabel)

    def _get_doc_link(self) -> str:
        """The link in scikit-learn's HTML representation, if the documentation is published."""
        try:
            urls = metadata("two-layer-sigmoid").get_all("Project-URL") or []
        except PackageNotFoundError:
            return ""
        site = dict(url.split(", ", 1) for url in urls).get("Documentation")
        module = type(self).__module__.replace("._classifier", "")
        return f"{site}/api/{module}.{type(self).__name__}.html" if site else ""

    def _fitted(self, name: str) -> Array:
        if name not in vars(self):
            check_is_fitted(self)  # raises; it is slower than the line above
        array: Array = vars(self)[name]
        return array

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = self.class_weight is None
        return tags


class TwoLayerSigmoidClassifier(BaseTwoLayerSigmoid):
    """One hidden layer of sigmoid units, trained by gradient descent or L-BFGS.

    For a row x of X, with the lecture's equation numbers::

        z1 = W1 x + b1     (2)        a1 = sigmoid(z1)     (3)
        z2 = W2 a1 + b2    (4)        a2 = sigmoid(z2)

    Training minimises the mean log loss (8) of the m rows plus an L2 penalty on the weights::

        1/m sum_i (-y_i log(a2_i) - (1 - y_i) log(1 - a2_i))  +  alpha/2 (||W1||^2 + ||W2||^2)

    The gradient, (10) to (15), is written out by hand. The default solver is full-batch gradient
    descent (9).

    Two classes have one output, and class 1 is predicted if a2 > 0.5. More classes have one sigmoid
    output each: the largest z2 is predicted, and the probabilities are normalised to sum to one. A
    multilabel indicator matrix y has one output for each label. The loss is summed over outputs.

    Parameters
    ----------
    n_h : int, default=32
        Number of hidden units.

    learning_rate : float, default=1.2
        Factor of the gradient in an update. The default is the lecture's. It suits features with
        mean 0 and standard deviation 1, which ``standardize=True`` provides. L-BFGS ignores it.

    solver : {"gd", "lbfgs"}, default="gd"
        - "gd" is gradient descent, equation (9). By default it uses all rows and no momentum.
        - "lbfgs" is SciPy's L-BFGS. It chooses its own step sizes, so it uses none of
          ``learning_rate``, ``batch_size`` and ``momentum``, and does not call ``_update``. It
          reaches a lower training loss in less time, so on small data it needs ``alpha`` or early
          stopping. It computes in float64, on a copy if X is float32.

    max_iter : int or "auto", default="auto"
        Maximum number of updates; with ``batch_size`` of epochs, with "lbfgs" of iterations.
        Gradient descent usually ends here. That is not an error and gives no warning. "auto" is
        3000 for one or two hidden units, which need some 1500 updates to leave the plateau of the
        lecture's data, and 1000 for more.

    tol : float, default=1e-6
        Training stops if no entry of the gradient, penalty included, is larger in absolute value.
        A small change of the loss does not stop training, because sigmoid networks have plateaus.

    batch_size : int, default=None
        Rows in a mini-batch of gradient descent. Every epoch shuffles the rows. None, or at least
        the number of rows, is the full batch. A mini-batch B of b rows has the loss
        m/b sum_{i in B} w_i L_i / sum_i w_i plus the penalty, with L_i the loss and w_i the weight
        of row i: the objective does not depend on the batch size.

    momentum : float, default=0.0
        Nesterov momentum of gradient descent, in [0, 1). With momentum multiply the learning rate
        by about 1 - momentum.

    standardize : bool, default=True
        Whether to train on features with mean 0 and standard deviation 1. X is neither changed nor
        copied: the updates and the penalty apply to W1 times the standard deviations and to
        b1 + W1 mean. The fitted ``W1_`` and ``b1_``, and arrays in ``init``, are for X as it is.
        Means and standard deviations are weighted; a constant feature is not scaled.
        ``partial_fit`` uses those of all rows so far. If the spread of a feature more than doubles
        in ``partial_fit`` or a warm ``fit``, its weights are divided by the growth. False is
        the lecture's network of X as it is.

    alpha : float, "scale" or "loo", default="scale"
        Strength of the L2 penalty in the formula above. ``MLPClassifier(alpha=a)`` on full batches
        is ``alpha=a / m`` here.

        - "scale" is min(1, n_x / 16) / sqrt(n_y) / (sum of the weights of the rows), with n_x
          features and n_y outputs. For two classes and 16 features or more it is the penalty of
          ``LogisticRegression(C=1)``. The sum includes rows that are split off for validation, and
          in ``partial_fit`` all rows so far. Weights that sum to 1 give a very strong penalty.
        - "loo" trains with a path of penalties from weak to strong, each time from the weights of
          the previous penalty and for at most 250 iterations. The path ends if the approximate
          leave-one-out loss exceeds 1.5 times the lowest. The network with the lowest loss is then
          trained up to ``max_iter``. For more than two classes this loss is first raised by half of
          its difference from the training loss. "loo" needs ``solver="lbfgs"``. The matrix of this
          loss has one row for each parameter, or for each row and output if these are fewer;
          ``fit`` refuses more than 5000.
        - 0 is the lecture's cost (8), without a penalty.

    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with ``sample_weight``. "balanced" gives every class the
        same sum of weights. Not for multilabel y.

    init : {"auto", "small", "spread"} or (W1, b1, W2, b2), default="auto"
        Initial parameters.

        - "small" is the lecture's: weights from 0.01 N(0, 1), biases 0.
        - "spread" draws hidden units whose dividing lines W1 x + b1 = 0 pass through the data: rows
          of W1 from N(0, 1) times 2 / sqrt(n_x) / (standard deviation of each feature), and b1 such
          that the line passes through a point drawn from N(mean, standard deviation). W2 and b2 are
          as for "small".
        - "auto" is "small" for one or two hidden units and "spread" for more. Measured
          (``benchmarks/initialisation.py``): with two units, small weights find the good minimum of
          the lecture's data most often; with more, they leave many units doing the same.
        - Four arrays with the shapes of the fitted attributes are copied.

    n_init : int, default=1
        Number of initial parameters to train from. The ones with the lowest training loss are kept,
        by successive halving: all are trained for some iterations, the better half for twice as
        many, and so on; the last continues to ``max_iter``. Ten take 2.3 times as long as one with
        ``solver="gd"``, 2 to 10 times with "lbfgs". With ``init="auto"`` every second one is
        "spread". With early stopping the loss compared is that of the weights that would be kept.

    early_stopping : bool, default=False
        Whether to stop if the log loss of a validation set (weighted, without penalty) no longer
        falls, and to keep the weights with the lowest one. The validation set is ``X_val`` of
        ``fit``, or else is split off X.

    validation_fraction : float, default=0.1
        Fraction of the rows to split off if ``early_stopping`` has no ``X_val``, rounded up, and at
        least as many rows as classes. The split is stratified, except for multilabel y. It ignores
        ``sample_weight`` in drawing rows; the rows keep their weights.

    n_iter_no_change : int, default=10
        Number of updates (epochs, iterations) without a lower validation loss after which training
        stops. They do not count while the training loss is within 1 % of the best constant
        predictor's or above it.

    warm_start : bool, default=False
        Whether ``fit`` continues from the weights of the last fit, and with momentum from its
        velocity if that fit had ``warm_start=True`` too. For full batches of gradient descent k
        fits of n iterations have the same result as one of k * n: to rounding, with
        ``standardize=False`` bit for bit. For mini-batches too if ``random_state`` is one
        RandomState instance. L-BFGS starts with an empty history.

    n_jobs : int, default=None
        Number of threads for training and prediction; 1 is the calling thread alone, -1 is one for
        each processor. None is the number of threads that BLAS could use, shared with concurrent
        fits in this process, so ``threadpoolctl`` and joblib's limits apply to it. The number does
        not change the results. Fewer than some ten thousand rows use one thread.

    random_state : int, RandomState instance or None, default=None
        Draws the validation split, the initial parameters and the mini-batches, in this order. Pass
        an int for reproducible results.

    verbose : int, default=0
        Print the loss: 0 never, 1 about ten times, 2 before every update.

    Attributes
    ----------
    W1_ : ndarray of shape (n_h, n_x)
        Weights of the hidden layer, in the dtype of X (float32 or float64). ``W1``, ``b1``, ``W2``
        and ``b2``, the lecture's names, are read-only properties for the four arrays.
    b1_ : ndarray of shape (n_h, 1)
        Biases of the hidden layer.
    W2_ : ndarray of shape (n_y, n_h)
        Weights of the output layer; n_y is 1 for two classes.
    b2_ : ndarray of shape (n_y, 1)
        Biases of the output layer.
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; for multilabel y the column numbers.
    n_features_in_ : int
        Number of features seen in ``fit``, n_x.
    feature_names_in_ : ndarray of shape (n_x,)
        Names of the features, if X has names that are all strings.
    n_iter_ : int
        Number of updates (epochs, iterations) of the last call; with ``alpha="loo"`` those with
        ``alpha_``. After divergence, Ctrl-C and early stopping the weights can be those of an
        earlier one.
    loss_ : float
        Training loss of the stored weights, penalty included, in nats.
    loss_curve_ : list of float
        Entry i is the training loss before update i; ``n_iter_`` entries. For mini-batches it is
        the mean over those of epoch i, each before its update.
    validation_loss_curve_ : list of float or None
        With early stopping, entry i is the validation loss before update (epoch) i; else None.
    init_losses_ : ndarray of shape (n_init,)
        The last training loss of each initialisation; with ``alpha="loo"`` that of the first
        penalty of the path.
    mean_, scale_ : ndarray of shape (n_x,) or None
        Mean and standard deviation of each feature (1 if it is constant, in a warm ``fit``
        what it was before); None without ``standardize``.
    alpha_ : float
        Strength of the penalty that was used.
    loo_loss_ : float
        Approximate leave-one-out log loss with ``alpha_``, in nats. For more than two classes it is
        that of the normalised probabilities, so it cannot be compared with ``loss_``. Only with
        ``alpha="loo"``.
    loo_path_ : dict of ndarray of shape (n_alphas,)
        The penalties "alpha" that were tried, and for each the "loo_loss" and the "train_loss"
        without penalty; for more than two classes of the normalised probabilities. The losses of
        ``alpha_`` are those after the last training, the others after at most 250 iterations
        (``max_iter`` for the first penalty if ``n_init`` is above 1). Only with ``alpha="loo"``.
    stop_reason_ : str
        Why training ended:

        - "converged": no entry of the gradient is larger than ``tol``;
        - "line_search": L-BFGS finds no lower loss in the precision of float64;
        - "max_iter": ``max_iter`` updates;
        - "early_stopping": ``n_iter_no_change`` updates without a lower validation loss;
        - "diverged": see the warnings;
        - "interrupted": Ctrl-C;
        - "callback": see the notes;
        - "partial_fit": one pass of ``partial_fit``.

    Warns
    -----
    ConvergenceWarning
        If training diverges: the loss or the weights are not finite, or the loss is above ten times
        the larger of its first value and ln 2 for 100 iterations; the last finite weights are kept.
        If the loss, without penalty, ends above 99 % of the best constant predictor's. If the
        learning rate is so high that the loss rises in many updates and ends far above its lowest
        value. If L-BFGS ends at ``max_iter``, or without a penalty at a loss below 1e-4, where the
        weights grow without bound.
    UserWarning
        With ``standardize=False``, if the standard deviations of the features differ by a factor of
        more than 1000, or a mean is more than 1000 standard deviations from zero. Otherwise, if a
        mean is so many standard deviations from zero that W1 x loses its digits.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : Networks of any depth, with other activations.

    Notes
    -----
    The steps of the lecture are the methods ``_initialize_parameters``, ``_forward``, ``_cost``,
    ``_backward`` and ``_update``, in the lecture's orientation: X is ``(n_x, m)``. Training runs
    these methods, so a subclass can override them. Several threads can call the middle three at the
    same time, each with a block of rows. ``alpha="loo"`` assumes the mathematics of this class.

    Ctrl-C in ``fit`` keeps the best weights so far and raises ``KeyboardInterrupt``. A ``fit`` that
    raises another error does not change an earlier fit.

    With scikit-learn 1.9 or newer ``set_callbacks`` accepts its callbacks. Each update (epoch,
    iteration) is one task, during which the fitted weights are the current ones. A callback that
    stops training keeps them, or with early stopping the best ones.

    References
    ----------
    The network is that of the lecture "A neural network with two layers". The cost has the stable
    form of M. Maechler, "Accurately computing log(1 - exp(-abs(a)))", 2012. The probabilities of
    several classes are shifted by the largest one, as in P. Blanchard, D. J. Higham and N. J.
    Higham, "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41,
    2021. The solvers are those of Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16, 1995
    (L-BFGS), Sutskever, Martens, Dahl and Hinton, ICML 2013 (Nesterov momentum), and Jamieson and
    Talwalkar, AISTATS 2016 (successive halving).

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from two_layer_sigmoid import TwoLayerSigmoidClassifier
    >>> X, y = make_moons(200, noise=0.1, random_state=0)
    >>> clf = TwoLayerSigmoidClassifier(random_state=0).fit(X, y)
    >>> clf.W1_.shape, clf.W2_.shape
    ((32, 2), (1, 32))
    >>> clf.predict(X[:5])
    array([0, 1, 1, 0, 1])
    >>> clf.stop_reason_
    'max_iter'
    """

    @rollback_on_error
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows. float32 and float64 are used without a copy, other types are converted
            to float64. Sparse X is converted to CSR.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a multilabel indicator matrix of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. For full batches without a validation split, weight 2 equals the
            row twice and weight 0 equals no row, except that its label stays in ``classes_``.
            ``alpha="loo"`` leaves a row out with all of its weight.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation set for ``early_stopping=True``, instead of a part of X. A pipeline
            transforms it like X with ``Pipeline(..., transform_input=["X_val"])``.
        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Labels of the validation set, among those of y.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation set.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X, y or a weight is not as described, if two of them are in conflict,
            or if the features are so large or so small that W1 x overflows.
        """
        _validation.check_parameters(self)
        _validation.check_validation_set(self, X_val, y_val, sample_weight_val)
        resume = self.warm_start and hasattr(self, "W1_")
        random_state = check_random_state(self.random_state)
        with single_blas_thread, ThreadPool(self.n_jobs) as pool, _validation.ignore_overflow():
            X, y = self._validate(X, y, reset=not resume)
            training, class_weight, weight_sum = self._encode(X, y, sample_weight, resume=resume)
            validation = None
            if X_val is not None:
                validation = self._encode_validation(
                    X_val, y_val, sample_weight_val, class_weight, training[0].dtype
                )
            elif self.early_stopping:
                training, validation = _encoding.split(
                    training,
                    None if self._multilabel else self.classes_,
                    self.validation_fraction,
                    random_state,
                )
            self._train(
                BlockedData(*training, int(self.n_h), pool=pool),
                validation and BlockedData(*validation, int(self.n_h), pool=pool),
                weight_sum=weight_sum,
                dtype=X.dtype,
                random_state=random_state,
                resume=resume,
                inputs={"X": X, "y": y, "sample_weight": sample_weight},
            )
        return self

    @available_if(_validation.has_partial_fit)
    @rollback_on_error
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some rows: one update, or with ``batch_size`` one epoch.

        Continues from the weights of the last ``partial_fit`` or ``fit``, if any, and with momentum
        from the velocity of the last ``partial_fit`` or warm ``fit``. ``loss_``, ``loss_curve_``
        and ``n_iter_`` are those of this call and these rows. ``tol`` has no effect. The method is
        not available with ``solver="lbfgs"``, ``early_stopping=True``, ``n_init`` above 1 or
        ``class_weight="balanced"``, which need several passes or all rows at once.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels; some of the classes can be missing.
        classes : array-like of shape (n_classes,), default=None
            All labels of all calls; for multilabel y the column numbers, ``np.arange(n_labels)``.
            Required in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. The loss of this call depends on their ratios; means, standard
            deviations and ``alpha="scale"`` count them as they are, like those of earlier calls.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in ``fit``; and if ``classes`` is missing in the first call or changes later.
        """
        self._validate_params()  # scikit-learn does it before the first call only
        _validation.check_parameters(self)
        resume = hasattr(self, "W1_")
        with single_blas_thread, ThreadPool(self.n_jobs) as pool, _validation.ignore_overflow():
            X, y = self._validate(X, y, reset=not resume)
            _check_partial_fit_first_call(self, _encoding.as_labels(classes, "classes"))
            training, _, weight_sum = self._encode(
                X, y, sample_weight, resume=resume, incremental=True
            )
            self._train(
                BlockedData(*training, int(self.n_h), pool=pool),
                weight_sum=weight_sum,
                dtype=X.dtype,
                random_state=check_random_state(self.random_state),
                resume=resume,
                incremental=True,
                inputs={"X": X, "y": y, "sample_weight": sample_weight},
            )
        if self.stop_reason_ == _solvers.MAX_ITER:
            self.stop_reason_ = _solvers.PARTIAL_FIT
        return self

    def _validate(self, X: Any, y: Any, *, reset: bool, dtype: Any = DTYPES) -> Any:
        y = _encoding.as_labels(y)
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=dtype, multi_output=True, reset=reset
        )
        X = with_contiguous_parts(X)
        if issparse(X) and not X.has_canonical_format:  # entries of one place can be stored twice
            X = X.copy()
            X.sum_duplicates()
        return X, y

    def _encode(
        self, X: Any, y: Any, sample_weight: Any, *, resume: bool, incremental: bool = False
    ) -> tuple[Examples, dict[Any, float] | None, float]:
        """The examples, the class weights as a dict, and the sum of all weights as given.

        Sets ``classes_``.
        """
        if self.solver == "lbfgs":  # in float32 its line search fails on the plateau
            X = X.astype(np.float64, copy=False)
        given = _encoding.validate_sample_weight(sample_weight, X.shape[0])
        weights = None if given is None else _encoding.scale_weights(given, "sample_weight")
        if incremental:  # y can lack some of the classes
            classes, before = self.classes_, getattr(self, "_multilabel", None)
            multilabel = _encoding.check_target_type(y, classes, before)
        else:
            classes, multilabel = _encoding.find_classes(y)
        if not multilabel:
            _encoding.check_two_classes(classes, "classes" if incremental else "y")
        if resume:
            _validation.check_resumable(self, classes, multilabel)
        codes, K = _encoding.codes_of(y, classes, multilabel), len(classes)
        sums = np.array([X.shape[0] if weights is None else weights.sum()])
        if not multilabel:
            shards = row_shards(X, int(self.n_h))
            sums = reduce(add, _encoding.class_weight_sums(codes, weights, K, shards))
        class_weight, weight_sum = _encoding.resolve_class_weight(
            self.class_weight, classes, multilabel, sums
        )
        examples = _encoding.encode(X, codes, weights, classes, class_weight)
        _encoding.check_rows_left(examples[1].shape[1])
        if not (multilabel or incremental):
            _validation.warn_one_class(classes[_encoding.has_rows(examples[1], K)])
        self.classes_: npt.NDArray[Any] = classes
        self._multilabel: bool = multilabel
        return examples, class_weight, weight_sum * (1.0 if given is None else float(given.max()))

    def _encode_validation(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        class_weight: dict[Any, float] | None,
        dtype: np.dtype[Any],
    ) -> Examples:
        try:
            X, y = self._validate(X, y, reset=False, dtype=dtype)
            _encoding.check_target_type(y, self.classes_, self._multilabel)
            weights = _encoding.check_sample_weight(sample_weight, X.shape[0])
            codes = _encoding.codes_of(y, self.classes_, self._multilabel)
            examples = _encoding.encode(X, codes, weights, self.classes_, class_weight)
            _encoding.check_rows_left(examples[1].shape[1])
            return examples
        except (TypeError, ValueError) as error:
            location = "X_val, y_val and sample_weight_val"
            raise _validation.add_location(error, location) from error
