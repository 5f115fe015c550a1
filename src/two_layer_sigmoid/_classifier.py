"""The estimator for data in memory: ``fit`` and ``partial_fit``."""

from typing import Any, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import _check_partial_fit_first_call

from . import _checks
from ._base import BaseTwoLayerSigmoid
from ._blocks import BlockedData
from ._network import Array
from ._parallel import ignore_overflow, single_blas_thread
from ._solvers import SOLVERS
from ._targets import (
    Examples,
    Targets,
    as_labels,
    class_sums,
    class_weights,
    examples,
    split,
    validate_sample_weight,
)
from ._training import Fit, choose_batch_size, choose_n_h, train


class TwoLayerSigmoidClassifier(BaseTwoLayerSigmoid):
    """One hidden layer of sigmoid units, trained by gradient descent or L-BFGS.

    For a row x of X, with the numbers of the :doc:`equations </mathematics>`::

        z1 = W1 x + b1     (2)        a1 = sigmoid(z1)     (3)
        z2 = W2 a1 + b2    (4)        a2 = sigmoid(z2)

    Training minimises the mean log loss (8) of the m rows plus an L2 penalty on the weights::

        1/m sum_i (-y_i log(a2_i) - (1 - y_i) log(1 - a2_i))  +  alpha/2 (||W1||^2 + ||W2||^2)

    Two classes have one output. More classes have one output each, and the probabilities are
    normalised to sum to one. A multilabel indicator matrix y has one output for each label. The
    loss is summed over outputs.

    Read more in the :doc:`user guide </user_guide/index>`.

    Parameters
    ----------
    n_h : int or "auto", default="auto"
        Number of hidden units. "auto" is 32; 64 if ``fit`` trains by mini-batches, with five or
        more outputs 100; that of given or earlier weights if training starts from them.
    learning_rate : float, default=1.2
        Factor of the gradient in an update. The default suits the features that
        ``standardize=True`` provides. Worth a search: 0.1 to 5. L-BFGS ignores it.
    solver : {"gd", "lbfgs"}, default="gd"
        - "gd" is gradient descent (9), with ``learning_rate``, ``momentum`` and ``batch_size``.
        - "lbfgs" is SciPy's L-BFGS. It chooses its own steps, and reaches a lower training loss in
          less time. It computes in float64, on a copy if X is float32.
    max_iter : int, default=500
        Maximum number of epochs, passes over all rows; with "lbfgs" of iterations. If all rows are
        one batch, an epoch is one update, and gradient descent usually ends here.
    tol : float, default=1e-6
        Training stops if no entry of the gradient, penalty included, is larger in absolute value.
        Mini-batches, except with ``tol=0`` or early stopping, also end below the plateau if no mean
        loss of the last 20 epochs is 2 % below the lowest before; five updates on all rows follow.
    batch_size : int, "auto" or None, default="auto"
        Rows in a mini-batch of gradient descent. Every epoch shuffles the rows. None is all rows.
        "auto" is all rows up to 2000 rows, with five or more outputs up to 500 rows, else 200; for
        ``partial_fit`` and L-BFGS all rows.
    momentum : float, default=0.0
        Nesterov momentum, in [0, 1). Multiply the learning rate by about 1 - momentum then.
    standardize : bool, default=True
        Whether to train on features with mean 0 and standard deviation 1. X is neither changed nor
        copied, and the fitted ``W1_`` and ``b1_`` are for X as it is. The penalty applies to W1
        times the standard deviations. ``partial_fit`` uses those of all rows so far.
    alpha : float or "scale", default="scale"
        Strength of the L2 penalty. ``MLPClassifier(alpha=a)`` on all rows is ``alpha=a / m`` here.
        Worth a search: 0.003 / m to 10 / m.

        - "scale" is min(1, n_x / 16) / sqrt(n_y) / (sum of the weights of the rows), for n_x
          features and n_y outputs.
        - 0 is the cost (8) without a penalty.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with ``sample_weight``. "balanced" gives every class the
        same sum of weights. Not for multilabel y.
    init : {"auto", "small", "spread"} or (W1, b1, W2, b2), default="auto"
        Initial parameters.

        - "small" draws weights from 0.01 N(0, 1) and sets biases to 0.
        - "spread" draws hidden units whose dividing lines W1 x + b1 = 0 pass through the data.
        - "auto" is "small" for one or two hidden units and "spread" for more.
        - Four arrays with the shapes of the fitted attributes, for X as it is, are copied.
    n_init : int, default=1
        Number of initial parameters to train from, to keep the network with the lowest loss.
        Successive halving ends the worse half early. With ``init="auto"`` every second is "spread".
    early_stopping : bool, default=False
        Whether to stop if the log loss of a validation set, weighted and without penalty, no longer
        falls, and to keep the weights with the lowest one. The validation set is ``X_val`` of
        ``fit``, or else is split off X.
    validation_fraction : float, default=0.1
        Fraction of the rows to split off if ``early_stopping`` has no ``X_val``, rounded up. The
        split is stratified, except for multilabel y.
    n_iter_no_change : int, default=10
        Number of updates without a lower validation loss after which training stops. Updates before
        training leaves the plateau, which is the loss of a constant prediction, do not count.
    warm_start : bool, default=False
        Whether ``fit`` continues from the weights of the last fit (and the velocity of momentum).
    n_jobs : int, default=None
        Number of threads for training and prediction; -1 is one for each processor. None is the
        number that BLAS could use, so ``threadpoolctl`` and joblib's limits apply to it. The number
        does not change the results. Fewer than some ten thousand rows use one thread.
    random_state : int, RandomState instance or None, default=None
        Draws the validation split, the initial parameters and the mini-batches, in this order.
    verbose : int, default=0
        Print the loss: 0 never, 1 about ten times, 2 before every update.

    Attributes
    ----------
    W1_ : ndarray of shape (n_h, n_x)
        Weights of the hidden layer, in the dtype of X (float32 or float64). ``W1``, ``b1``, ``W2``
        and ``b2`` are read-only properties for the four arrays.
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
    batch_size_ : int or None
        Rows in a mini-batch; None is all rows.
    n_iter_ : int
        Number of updates (epochs, iterations) of the last call. The weights can be those of an
        earlier iteration after divergence, Ctrl-C and early stopping.
    loss_ : float
        Training loss of the stored weights, penalty included, in nats.
    loss_curve_ : list of float
        Entry i is the training loss before update i; for mini-batches their mean in epoch i.
    validation_loss_curve_ : list of float or None
        With early stopping, entry i is the validation loss before update (epoch) i; else None.
    mean_, var_ : ndarray of shape (n_x,)
        Weighted mean and variance of each feature.
    scale_ : ndarray of shape (n_x,) or None
        Standard deviation of each feature, 1 if it is 0; None without ``standardize``.
    n_samples_seen_ : float
        Sum of the weights of the training rows; with ``partial_fit`` of all calls.
    alpha_ : float
        Strength of the penalty that was used.
    stop_reason_ : str
        Why training ended:

        - "converged": no entry of the gradient is larger than ``tol``;
        - "line_search": L-BFGS finds no lower loss in the precision of float64;
        - "max_iter": ``max_iter`` updates (epochs, iterations);
        - "no_improvement": the mean loss of the epochs of mini-batches no longer falls;
        - "early_stopping": ``n_iter_no_change`` updates without a lower validation loss;
        - "diverged": the loss or the weights grow without bound; the last finite ones are kept;
        - "interrupted": Ctrl-C;
        - "callback": a callback of scikit-learn stopped training;
        - "partial_fit": one pass of ``partial_fit``.

    Warns
    -----
    ConvergenceWarning
        If training ends badly; UserWarning if the features have unsuitable scales, or only one
        class has rows. All are listed in :doc:`/user_guide/messages`.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : Networks of any depth, with other activations.
    sklearn.linear_model.LogisticRegression : The network without a hidden layer.
    two_layer_sigmoid.distributed.DaskTwoLayerSigmoidClassifier : Training on a Dask cluster.
    two_layer_sigmoid.plotting.LossCurveDisplay : Draws ``loss_curve_``.

    Notes
    -----
    Training runs the methods ``_initialize_parameters``, ``_forward``, ``_cost``, ``_backward`` and
    (not L-BFGS) ``_update``, with examples in columns. A subclass can override them.

    Ctrl-C in ``fit`` keeps the best weights so far and raises ``KeyboardInterrupt``. A ``fit`` that
    raises another error does not change an earlier fit.

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
            or if the features are so large or so small that W1 x or a variance overflows.
        TypeError
            If X has dates, X or y is lazy, or labels have several types.
        """
        _checks.check_parameters(self)
        _checks.check_validation_set(self, X_val, y_val, sample_weight_val)
        previous = Fit.of(self) if self.warm_start and hasattr(self, "W1_") else None
        random_state = check_random_state(self.random_state)
        draft = self._draft()
        with single_blas_thread, ignore_overflow():
            X, y = draft._validate(X, y, reset=previous is None)
            targets = Targets.of(y)
            training, weight_of_class, weight_sum = self._encode(
                X, y, sample_weight, targets, previous
            )
            validation = None
            if X_val is not None:
                validation = draft._encode_validation(
                    (X_val, y_val, sample_weight_val), targets, weight_of_class, training[0].dtype
                )
            elif self.early_stopping:
                training, validation = split(
                    training, targets, self.validation_fraction, random_state
                )
            batch_size = choose_batch_size(self, training[0].shape[0], targets)
            n_h = choose_n_h(self, batch_size, targets, previous)
            fit = train(
                self,
                BlockedData(*training, n_h, n_jobs=self.n_jobs),
                targets,
                validation and BlockedData(*validation, n_h, n_jobs=self.n_jobs),
                weight_sum=weight_sum,
                batch_size=batch_size,
                dtype=X.dtype,
                random_state=random_state,
                previous=previous,
                feature_names=getattr(draft, "feature_names_in_", None),
                inputs={"X": X, "y": y, "sample_weight": sample_weight},
            )
        return self._finish(fit, resumed=previous is not None)

    @_checks.available_if(_checks.check_partial_fit)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some rows: one update; one epoch if ``batch_size`` is a number.

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
        _checks.check_parameters(self)
        previous = Fit.of(self) if hasattr(self, "W1_") else None
        draft = self._draft()
        with single_blas_thread, ignore_overflow():
            X, y = draft._validate(X, y, reset=previous is None)
            _check_partial_fit_first_call(draft, as_labels(classes, "classes"))
            if previous is None:
                targets = Targets.of_stream(y, draft.classes_)
            else:
                targets = previous.targets
                targets.check_same_kind(y)
            training, _, weight_sum = self._encode(X, y, sample_weight, targets, previous)
            batch_size = choose_batch_size(self, training[0].shape[0], targets, one_pass=True)
            fit = train(
                self,
                BlockedData(
                    *training, choose_n_h(self, None, targets, previous), n_jobs=self.n_jobs
                ),
                targets,
                weight_sum=weight_sum,
                batch_size=batch_size,
                dtype=X.dtype,
                random_state=check_random_state(self.random_state),
                previous=previous,
                one_pass=True,
                feature_names=getattr(draft, "feature_names_in_", None),
                inputs={"X": X, "y": y, "sample_weight": sample_weight},
            )
        return self._finish(fit, resumed=previous is not None, one_pass=True)

    def _encode(
        self, X: Any, y: Any, sample_weight: Any, targets: Targets, previous: Fit | None
    ) -> tuple[Examples, Array | None, float]:
        """The examples, the weight of each class, and the sum of all weights as given."""
        weights = validate_sample_weight(sample_weight, X.shape[0])
        if previous is not None:
            _checks.check_resumable(self.n_h, targets, previous.params, previous.targets)
        if SOLVERS[self.solver].computes_in_float64:
            X = X.astype(np.float64, copy=False)
        codes = targets.codes(y)
        sums = class_sums(codes, weights, targets)
        weight_of_class = class_weights(self.class_weight, targets, sums)
        training, weight_sum = examples(targets, X, codes, weights, weight_of_class)
        return training, weight_of_class, weight_sum

    def _encode_validation(
        self,
        validation_set: tuple[Any, Any, Any],
        targets: Targets,
        weight_of_class: Array | None,
        dtype: np.dtype[Any],
    ) -> Examples:
        X, y, sample_weight = validation_set
        try:
            X, y = self._validate(X, y, reset=False, dtype=dtype)
            targets.check_same_kind(y)
            weights = validate_sample_weight(sample_weight, X.shape[0])
            return examples(targets, X, targets.codes(y), weights, weight_of_class)[0]
        except (TypeError, ValueError) as error:
            location = "X_val, y_val and sample_weight_val"
            raise _checks.add_location(error, location) from error
