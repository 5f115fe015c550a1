"""Training on a Dask cluster, for data larger than the memory of one machine.

Partitions stay on their workers. A worker computes the loss and the gradient of its partitions with
the code for data in memory. The client adds the results and makes the update.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import _checks
from .._base import BaseTwoLayerSigmoid
from .._classifier import TwoLayerSigmoidClassifier
from .._parallel import ignore_overflow, single_blas_thread
from .._solvers import SOLVERS
from .._targets import Targets, unique_labels
from .._training import WEIGHTS, Fit, choose_n_h, train
from . import _data

__all__ = ["DaskTwoLayerSigmoidClassifier"]


class DaskTwoLayerSigmoidClassifier(BaseTwoLayerSigmoid):
    """The network, trained on a Dask cluster.

    Every evaluation sends the parameters to the workers and returns a loss and a gradient for each
    chunk. The client adds them in the order of the rows. The result is the same bit for bit for any
    number of workers, even if workers are lost and others compute their chunks again. Up to
    rounding it equals that of :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier` on these rows
    with ``batch_size=None``.

    Parameters, attributes and warnings are those of
    :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier`, except: every update uses all rows,
    ``early_stopping`` False, and ``alpha`` a number or "scale"; there is no ``partial_fit``;
    ``n_jobs`` applies to predictions in memory only, because workers use one thread for each chunk.
    Predictions of dask arrays and dataframes are lazy dask arrays in the partitions of X.

    See Also
    --------
    two_layer_sigmoid.TwoLayerSigmoidClassifier : The network for data in memory or mapped files.

    Notes
    -----
    During ``fit`` the workers keep X, unless it is persisted already, and 8 bytes (float32: 4) for
    each row and output. If a worker is lost, Dask computes its chunks again, from files or from
    arrays in the graph; data that was scattered to that worker only is lost.

    A subclass can override the five steps. Workers import the subclass. On workers the forward,
    cost and backward steps see the parameters of the estimator, but no other attributes.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import make_moons
    >>> from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier
    >>> X, y = (da.from_array(A, chunks=50) for A in make_moons(200, noise=0.1, random_state=0))
    >>> clf = DaskTwoLayerSigmoidClassifier(8, solver="lbfgs", tol=1e-3, random_state=0)
    >>> clf.fit(X, y).predict(X)[:5].compute()
    array([0, 1, 1, 0, 1])
    >>> clf.to_local().W1_.shape
    (8, 2)
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, client: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : dask array of shape (n_samples, n_features), or dask dataframe
            Dense training rows. float32 and float64 are not converted, other types become float64.
            The chunks of an array must have known lengths; those of a dataframe are computed.
        y : dask array, series or dataframe, or array-like, of shape (n_samples,) or \
(n_samples, n_labels)
            Class labels, or a multilabel indicator matrix of 0 and 1.
        sample_weight : dask array, series, or array-like, of shape (n_samples,), default=None
            Non-negative weights.
        client : distributed.Client, default=None
            The cluster to train on. None is Dask's default: the current client if there is one,
            else threads of this process.

        Returns
        -------
        self : object
            The fitted estimator. The attributes are NumPy arrays and numbers.

        Raises
        ------
        ImportError
            If Dask is not installed.
        TypeError
            If X is not a dask collection, or has dates; or if labels have several types.
        ValueError
            As in memory, naming the partition if the error is in one; if the length of a chunk is
            unknown; or if ``batch_size`` is a number or ``early_stopping`` is set.
        """
        _data.check_dask("DaskTwoLayerSigmoidClassifier.fit")
        _checks.check_parameters(self)
        _check_supported(self)
        previous = Fit.of(self) if self.warm_start and hasattr(self, "W1_") else None
        # Once, because another scheduler can become Dask's default during training.
        scheduler = _data.find_scheduler(client)
        draft = self._draft()
        with single_blas_thread, ignore_overflow(), _data.Partitions(scheduler) as partitions:
            with _data.read_inputs(X, y, sample_weight, scheduler) as inputs:
                meta = _data.dask_meta(X)
                validate_data(draft, meta, skip_check_array=True, reset=previous is None)
                dtype = np.dtype(np.float32 if inputs.X.dtype == np.float32 else np.float64)
                in_float64 = SOLVERS[self.solver].computes_in_float64
                raw = _data.read(partitions, inputs, np.dtype(np.float64) if in_float64 else dtype)
            if raw.labels.ndim == 2:
                targets = Targets(np.arange(raw.labels.shape[1]), True)
            else:
                targets = Targets.of_labels(unique_labels(raw.labels))
            if previous is not None:
                _checks.check_resumable(self.n_h, targets, previous.params, previous.targets)
            n_h = choose_n_h(self, None, targets, previous)
            data, weight_sum = _data.encode(partitions, raw, targets, self.class_weight, n_h)
            fit = train(
                self,
                data,
                targets,
                weight_sum=weight_sum,
                dtype=dtype,
                random_state=check_random_state(self.random_state),
                previous=previous,
                feature_names=getattr(draft, "feature_names_in_", None),
                inputs={"X": X, "y": y, "sample_weight": sample_weight},
            )
        return self._finish(fit, resumed=previous is not None)

    def to_local(self) -> TwoLayerSigmoidClassifier:
        """Convert to the estimator for data in memory.

        Returns
        -------
        clf : TwoLayerSigmoidClassifier
            Has the same parameters, and copies of the fitted attributes.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self)
        local = TwoLayerSigmoidClassifier(**self.get_params(deep=False))
        not_fitted = {*vars(local), "_skl_callbacks"}
        for name, value in vars(self).items():
            if name not in not_fitted:
                setattr(local, name, copy.deepcopy(value))
        return local

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean accuracy of ``predict``: a number, not a lazy array.

        Parameters
        ----------
        X : dask array or dataframe, or array-like, of shape (n_samples, n_features)
            Rows to predict.
        y : dask array, series or dataframe, or array-like, of shape (n_samples,) or \
(n_samples, n_labels)
            True labels.
        sample_weight : dask array, series, or array-like, of shape (n_samples,), default=None
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
        if not _data.is_dask_collection(X):
            return super().score(X, y, sample_weight)
        self._check_columns(X)
        scheduler = _data.find_scheduler(None)
        predict = partial(self._predict_lazily, from_logits=Targets.labels)
        with _data.read_inputs(X, y, sample_weight, scheduler, predict) as inputs:
            score = _data.accuracy(inputs, scheduler)
            if score == 0 and not self._multilabel:
                _checks.check_known_labels(inputs.unique_labels(), self.classes_)
        return score

    def _predict(self, X: Any, from_logits: Any) -> Any:
        if not _data.is_dask_collection(X):
            return super()._predict(X, from_logits)
        self._check_columns(X)
        return self._predict_lazily(_data.lazy_array(X), from_logits)

    def _check_columns(self, X: Any) -> None:
        check_is_fitted(self)
        _checks.check_features(_data.dask_meta(X))
        validate_data(self, _data.dask_meta(X), skip_check_array=True, reset=False)

    def _predict_lazily(self, X: Any, from_logits: Any) -> Any:
        """``_predict`` of a dask array, lazily."""
        # Without feature names: the chunks are arrays.
        clf = self._unfitted_copy()
        for name in (*WEIGHTS, "classes_", "n_features_in_", "_multilabel"):
            setattr(clf, name, getattr(self, name))
        return _data.predict_lazily(clf._predict, X, from_logits, self.n_features_in_)

    def _steps(self) -> dict[str, Any]:
        return BaseTwoLayerSigmoid._steps(self._unfitted_copy())

    def _unfitted_copy(self) -> Self:
        """An estimator with one thread that is small enough to be sent with every task."""
        return type(self)(**self.get_params(deep=False) | {"init": "auto", "n_jobs": 1})


def _check_supported(clf: DaskTwoLayerSigmoidClassifier) -> None:
    """Raise if a parameter needs the rows in memory."""
    remedy = "; TwoLayerSigmoidClassifier, in memory or on mapped files, does that."
    if clf.batch_size not in (None, "auto"):
        raise ValueError(f"batch_size={clf.batch_size} is not for Dask: use 'auto' or None{remedy}")
    if clf.early_stopping:
        raise ValueError(f"early_stopping=True is not for Dask: use early_stopping=False{remedy}")
