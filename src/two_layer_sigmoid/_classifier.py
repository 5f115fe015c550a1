"""The estimator: parameters, validation, ``fit`` and prediction; all contact with scikit-learn."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _network, _solvers, _targets
from ._network import Array, Cache, Parameters
from ._objective import Objective, largest_entries, moments, row_blocks, single_blas_thread
from ._targets import Targets

WILD_SCALES = 1e3  # a ratio of spreads, or of mean to spread, that gradient descent cannot bridge
PLATEAU = 0.01  # this near to the constant predictor's cost nothing has been learned
FEW_UNITS = 2  # up to here init="auto" starts small
CALLER = 5  # frames from a warning up to the line that calls `fit`
SCALE_THEM = "Scale the features, for example with sklearn.preprocessing.StandardScaler."


class TwoLayerSigmoidClassifier(ClassifierMixin, BaseEstimator):
    """The neural network with two layers of sigmoid units, trained by gradient descent.

    For a row x of X, with the lecture's equation numbers::

        z1 = W1 x + b1     (2)        a1 = sigmoid(z1)     (3)
        z2 = W2 a1 + b2    (4)        a2 = sigmoid(z2)

    Training minimises the log loss (8) of all m rows, plus an L2 penalty on the weights::

        1/m sum_i (-y_i log(a2_i) - (1 - y_i) log(1 - a2_i))  +  alpha/2 (||W1||^2 + ||W2||^2)

    by full-batch gradient descent (9) with the gradient written out by hand, (10) to (15).

    Two classes are one output, and class 1 is predicted where a2 > 0.5, strictly. More classes are
    one sigmoid output each: the largest z2 wins, and the probabilities are normalised to sum to
    one. A multilabel indicator matrix y is one output for each label; the loss is then the sum
    over the outputs.

    Parameters
    ----------
    n_h : int, default=8
        Number of hidden units.

    learning_rate : float, default=1.2
        Length of a step, as a multiple of the gradient. The default is the lecture's, and suits
        features of about unit scale.

    solver : {"gd"}, default="gd"
        Full-batch gradient descent, equation (9) and nothing else.

    max_iter : int, default=3000
        Largest number of updates. Gradient descent mostly ends here, which is no cause for a
        warning; ``stop_reason_`` says so.

    tol : float, default=1e-6
        Training stops where no entry of the gradient, penalty included, is larger than this. A
        loss that merely pauses stops nothing: sigmoid networks pause on plateaus.

    alpha : float, default=0.0
        Strength of the L2 penalty in the formula above. It multiplies no 1/m, so it means the same
        for any number of rows; ``MLPClassifier(alpha=a)`` corresponds to ``alpha=a / m``. Without
        it 3000 iterations overfit small data; 1e-3 is a start.

    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with ``sample_weight``. "balanced" gives every class the
        same sum of weights. Not for multilabel y.

    init : {"auto", "small", "spread"} or (W1, b1, W2, b2), default="auto"
        Where training starts.

        - "small" is the lecture's: weights from 0.01 N(0, 1), biases zero.
        - "spread" draws hidden units whose dividing lines pass through the data: rows of W1 from
          N(0, 1) times 2 / sqrt(n_x) / (standard deviation of each feature), and b1 such that
          W1 x + b1 = 0 at a point drawn from N(mean, standard deviation). W2 and b2 are as for
          "small".
        - "auto" takes "small" for up to two hidden units and "spread" for more. Chosen by
          measuring (``benchmarks/initialisation.py``): with two units small weights find the good
          minimum of the lecture's data most often; from three on, spread lines end lower on most
          problems, because small weights leave many units doing the same.
        - Four arrays of the shapes of the fitted attributes are copied.

    random_state : int, RandomState instance or None, default=None
        Draws the initial parameters. Pass an int for the same result in every call.

    verbose : int, default=0
        Print the cost: 0 never, 1 about ten times, 2 before every update; and at the end.

    Attributes
    ----------
    W1_ : ndarray of shape (n_h, n_x)
        Weights of the hidden layer. ``W1``, ``b1``, ``W2`` and ``b2`` are read-only properties for
        the four arrays, under the lecture's names. Their dtype is that of X, float32 or float64.
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
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X has names that are all strings.
    n_iter_ : int
        Number of updates made. Where training diverged or was interrupted, the weights kept may
        be those of an earlier one.
    loss_ : float
        The training loss, penalty included, of the weights as stored, in nats.
    loss_curve_ : list of float
        Entry i is the training loss before update i; ``n_iter_`` entries.
    stop_reason_ : str
        Why training ended: "gradient small", "iteration limit", "diverged" or "interrupted".

    Warns
    -----
    ConvergenceWarning
        If training diverged: cost or weights not finite, or the cost above ten times the larger of
        the first cost and ln 2 for 100 iterations. The last finite weights are kept. Or if it ended
        on the plateau: a loss within 1 % of the best constant predictor's.
    UserWarning
        If the features have wild scales: standard deviations that differ by more than 1000 times,
        or a mean more than 1000 standard deviations from zero (constant features: more than 1000).

    See Also
    --------
    sklearn.neural_network.MLPClassifier : Networks of any depth, with other activations.

    Notes
    -----
    The steps of the lecture are the methods ``_initialize_parameters``, ``_forward``, ``_cost``,
    ``_backward`` and ``_update``, in its orientation (X is ``(n_x, m)``, examples are columns).
    Training runs these and nothing else, so a subclass may override them.

    Ctrl-C in ``fit`` keeps the best weights so far and then raises ``KeyboardInterrupt``. A ``fit``
    that raises any other error leaves an earlier fit as it was.

    References
    ----------
    The system is that of the lecture "A neural network with two layers". The cost is computed in
    the stable form of M. Maechler, "Accurately computing log(1 - exp(-abs(a)))", 2012, and the
    probabilities of several classes in that of P. Blanchard, D. J. Higham and N. J. Higham,
    "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41, 2021.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from two_layer_sigmoid import TwoLayerSigmoidClassifier
    >>> X, y = make_moons(200, noise=0.1, random_state=0)
    >>> clf = TwoLayerSigmoidClassifier(random_state=0).fit(X, y)
    >>> clf.W1_.shape, clf.W2_.shape
    ((8, 2), (1, 8))
    >>> clf.predict(X[:5])
    array([0, 1, 1, 0, 1])
    >>> clf.stop_reason_
    'iteration limit'
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_h": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, np.inf, closed="neither")],
        "solver": [StrOptions({"gd"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, np.inf, closed="left")],
        "alpha": [Interval(Real, 0, np.inf, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "init": [StrOptions({"auto", "small", "spread"}), tuple, list],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_h: int = 8,
        learning_rate: float = 1.2,
        *,
        solver: str = "gd",
        max_iter: int = 3000,
        tol: float = 1e-6,
        alpha: float = 0.0,
        class_weight: Any = None,
        init: Any = "auto",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_h = n_h
        self.learning_rate = learning_rate
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.alpha = alpha
        self.class_weight = class_weight
        self.init = init
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float32 and float64 are used as they are, other types are converted to float64. Sparse
            X is used as CSR.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels of any one kind, or a multilabel indicator matrix of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. Weight 2 counts as the row twice, weight 0 as the row gone, but
            for its label, which stays in ``classes_``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X, y or a weight is not as described, or the features are so large or
            so small that W1 x overflows.
        """
        with _unchanged_on_error(self), single_blas_thread, _silent_overflow():
            X, y = self._validate(X, y)
            X, targets = _targets.encode(X, y, sample_weight, self.class_weight)
            theta = self._start(X, targets)
            objective = self._build_objective(X, targets)
            result = self._solve(objective, theta)
            self._store(objective.views(theta), result, X, targets)
        if result.stop_reason == _solvers.INTERRUPTED:
            raise KeyboardInterrupt
        return self

    def decision_function(self, X: Any) -> Array:
        """The logits z2 of the output layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        Z2 : ndarray of shape (n_samples,) or (n_samples, n_y)
            Log-odds, in nats: one-dimensional for two classes, where positive means class 1.
        """
        Z2 = self._logits(X)
        return Z2[:, 0] if Z2.shape[1] == 1 else Z2

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The predicted labels.

        Two classes: class 1 where a2 > 0.5, strictly, which is z2 > 0. More classes: the largest
        z2. Multilabel: a 1 for each label with z2 > 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels from ``classes_``, or a multilabel indicator matrix.
        """
        return _targets.labels(self._logits(X), self.classes_, self._multilabel)

    def predict_proba(self, X: Any) -> Array:
        """The predicted probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Probability of each class, in the order of ``classes_``; rows sum to one. Multilabel:
            of each label. Kept inside (0, 1), at least the dtype's smallest normal number.
        """
        return _targets.probabilities(self._logits(X), self._multilabel)

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the predicted probabilities, from the logits and so never -inf.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        log_P : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Natural logarithms, in the order of ``predict_proba``.
        """
        return _targets.log_probabilities(self._logits(X), self._multilabel)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean accuracy of ``predict``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True labels. One that ``fit`` has not seen counts as wrong.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Share of the rows whose label (multilabel: all labels) is predicted, in [0, 1].

        Raises
        ------
        ValueError
            If y holds several labels and none that ``fit`` has seen: it is coded differently.
        """
        check_is_fitted(self)
        if not self._multilabel:
            given = set(np.asarray(y).ravel().tolist())
            if len(given) > 1 and given.isdisjoint(self.classes_.tolist()):
                raise ValueError(
                    f"y holds only labels that fit has not seen, such as {min(given, key=str)!r}: "
                    f"code it like the y of fit, with the labels {self.classes_.tolist()}."
                )
        accuracy: float = super().score(X, y, sample_weight=sample_weight)
        return accuracy

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

    # The five steps of the lecture. Training runs these methods and no others, so a subclass that
    # overrides one changes `fit`; it should accept the keywords and hand them on.

    def _initialize_parameters(
        self,
        n_x: int,
        n_h: int,
        n_y: int,
        *,
        mean: Array | float = 0.0,
        spread: Array | float = 1.0,
        random_state: np.random.RandomState | None = None,
    ) -> Parameters:
        """The start of training, by ``init``: ``(n_h, n_x), (n_h, 1), (n_y, n_h), (n_y, 1)``."""
        if not isinstance(self.init, str):
            return _given(self.init, n_x, n_h, n_y)
        if random_state is None:
            random_state = check_random_state(self.random_state)
        if self.init == "small" or (self.init == "auto" and n_h <= FEW_UNITS):
            return _network.initialize_small(n_x, n_h, n_y, random_state=random_state)
        return _network.initialize_spread(
            n_x, n_h, n_y, mean=mean, spread=spread, random_state=random_state
        )

    def _forward(self, X: Array, params: Parameters, **buffers: Any) -> tuple[Array, Cache]:
        """Equations (2) to (4): A2 ``(n_y, m)`` and the cache, from X ``(n_x, m)``."""
        return _network.forward(X, params, **buffers)

    def _cost(self, cache: Cache, Y: Array, **weighting: Any) -> float:
        """Equation (8): the log loss of the cache against Y ``(n_y, m)``."""
        return _network.cost(cache, Y, **weighting)

    def _backward(
        self, params: Parameters, cache: Cache, X: Array, Y: Array, **weighting: Any
    ) -> Parameters:
        """Equations (10) to (15): the gradient of the cost, in the shapes of ``params``."""
        return _network.backward(params, cache, X, Y, **weighting)

    def _update(self, params: Parameters, grads: Parameters, learning_rate: float) -> Parameters:
        """Equation (9), in place."""
        return _network.update(params, grads, learning_rate)

    # The lines of `fit`.

    def _validate(self, X: Any, y: Any) -> tuple[Any, Any]:
        dtypes = [np.float64, np.float32]
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=dtypes, multi_output=True)
        return X, y

    def _start(self, X: Any, targets: Targets) -> Array:
        """The initial parameters as one flat vector of the data's dtype."""
        mean, spread = moments(X, targets.weights)
        unit = np.where(spread > 0, spread, 1.0)  # as StandardScaler treats constant features
        params = self._initialize_parameters(
            X.shape[1],
            int(self.n_h),
            len(targets.Y),
            mean=mean,
            spread=unit,
            random_state=check_random_state(self.random_state),
        )
        theta = np.concatenate([array.ravel() for array in params]).astype(X.dtype)
        _check_reach(params, X)
        _warn_of_wild_scales(spread, np.abs(mean) / unit)
        return theta

    def _build_objective(self, X: Any, targets: Targets) -> Objective:
        return Objective(
            X,
            targets.Y,
            int(self.n_h),
            forward=self._forward,
            cost=self._cost,
            backward=self._backward,
            sample_weight=targets.weights,
            alpha=float(self.alpha),
        )

    def _solve(self, objective: Objective, theta: Array) -> _solvers.Result:
        return _solvers.gradient_descent(
            objective,
            theta,
            update=self._update,
            learning_rate=float(self.learning_rate),  # a NumPy scalar would widen float32
            max_iter=self.max_iter,
            tol=float(self.tol),
            on_step=self._report if self.verbose else _solvers.say_nothing,
        )

    def _report(self, k: int, cost: float) -> None:
        every = math.ceil(self.max_iter / 10) if self.verbose == 1 else 1
        if k % every == 0:
            _print_cost(k, cost)

    def _store(self, params: Parameters, result: _solvers.Result, X: Any, targets: Targets) -> None:
        if not np.isfinite(result.cost):
            raise ValueError(
                "The cost or its gradient is not finite at the initial parameters, so there is "
                f"nothing to train from: give smaller ones by init. {SCALE_THEM}"
            )
        _check_reach(params, X)
        self.W1_, self.b1_, self.W2_, self.b2_ = params
        self.classes_, self._multilabel = targets.classes, targets.multilabel
        self.loss_, self.loss_curve_ = result.cost, result.loss_curve
        self.n_iter_ = len(result.loss_curve)
        self.stop_reason_ = result.stop_reason
        if self.verbose:
            _print_cost(self.n_iter_, self.loss_, f", {self.stop_reason_}")
        self._warn_of_the_end(_targets.constant_cost(targets))

    def _warn_of_the_end(self, constant_cost: float) -> None:
        """Warn where training ended badly; ``constant_cost`` is that of predicting base rates."""
        if self.stop_reason_ == _solvers.DIVERGED:
            warnings.warn(
                f"Training diverged at iteration {self.n_iter_} with "
                f"learning_rate={self.learning_rate} and alpha={self.alpha}; the last finite "
                f"weights are kept, with a cost of {self.loss_:.3g}. Lower learning_rate (times "
                f"alpha it must stay below 2). {SCALE_THEM}",
                ConvergenceWarning,
                stacklevel=CALLER,
            )
        elif self.stop_reason_ != _solvers.INTERRUPTED and (
            constant_cost > 0 and abs(self.loss_ - constant_cost) <= PLATEAU * constant_cost
        ):
            warnings.warn(
                f"Training ended on the plateau: after {self.n_iter_} iterations the cost is "
                f"{self.loss_:.3g}, that of predicting the base rate {constant_cost:.3g}. "
                "Raise max_iter, lower alpha, or try another learning_rate, init or "
                f"random_state. {SCALE_THEM}",
                ConvergenceWarning,
                stacklevel=CALLER,
            )

    def _logits(self, X: Any) -> Array:
        """Z2.T ``(m, n_y)``, computed in blocks of rows."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=self.W1_.dtype, reset=False)
        params = Parameters(self.W1_, self.b1_, self.W2_, self.b2_)
        Z2 = np.empty((X.shape[0], len(self.b2_)), self.W1_.dtype)
        with _silent_overflow():
            for rows in row_blocks(X, len(self.b1_)):
                _, cache = self._forward(X[rows].T, params)
                if not (np.isfinite(cache.Z1).all() and np.isfinite(cache.Z2).all()):
                    raise ValueError(f"X holds values so large that W1 x overflows. {SCALE_THEM}")
                Z2[rows] = cache.Z2.T
        return Z2

    def _fitted(self, name: str) -> Array:
        check_is_fitted(self)
        array: Array = getattr(self, name)
        return array

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = self.class_weight is None
        return tags


@contextmanager
def _unchanged_on_error(estimator: BaseEstimator) -> Iterator[None]:
    """Undo what a failing ``fit`` has set, so that an earlier fit stays usable."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _print_cost(k: int, cost: float, ending: str = "") -> None:
    print(f"Cost after iteration {k}: {cost:.6f}{ending}")


def _silent_overflow() -> np.errstate:
    """Overflow is looked for where it matters, and told of in words of our own."""
    return np.errstate(over="ignore", invalid="ignore")


def _given(init: Any, n_x: int, n_h: int, n_y: int) -> Parameters:
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


def _check_reach(params: Parameters, X: Any) -> None:
    """Refuse X of which some row could make W1 x + b1 overflow."""
    W1, b1 = (np.abs(array).astype(X.dtype) for array in params[:2])
    if not np.isfinite(W1 @ largest_entries(X) + b1[:, 0]).all():
        raise ValueError(
            f"X holds values too large or too small for {X.dtype}: W1 x overflows. {SCALE_THEM}"
        )


def _warn_of_wild_scales(spread: Array, offset: Array) -> None:
    """``offset`` is how far each mean lies from zero, in standard deviations."""
    varying = spread[spread > 0] if spread.any() else np.ones(1)
    if max(varying.max() / varying.min(), offset.max()) > WILD_SCALES:
        warnings.warn(
            f"The features of X have wild scales: standard deviations from {varying.min():.3g} to "
            f"{varying.max():.3g}, means up to {offset.max():.3g} standard deviations from zero. "
            f"Gradient descent will hardly train. {SCALE_THEM}",
            UserWarning,
            stacklevel=CALLER,
        )
