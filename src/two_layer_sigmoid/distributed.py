"""Training on a Dask cluster, for data larger than the memory of one machine.

Partitions stay on their workers. A worker computes the loss and the gradient of its shards with the
code for data in memory. The client adds up the results of all shards and makes the update.
"""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _encoding, _prediction, _validation
from ._classifier import WEIGHTS, BaseTwoLayerSigmoid, TwoLayerSigmoidClassifier, rollback_on_error
from ._dask_data import (
    DaskData,
    accuracy,
    check_dask,
    dask_meta,
    find_scheduler,
    is_dask_collection,
    lazy_arrays,
    predict_lazily,
    read_inputs,
    shards_in_memory,
)
from ._parallel import single_blas_thread

__all__ = ["DaskTwoLayerSigmoidClassifier"]


class DaskTwoLayerSigmoidClassifier(BaseTwoLayerSigmoid):
    """The network, trained on a Dask cluster to the same weights as in memory.

    Every evaluation sends the parameters to the workers and returns a loss and a gradient for each
    shard, a group of consecutive rows. The client adds them in the order of the rows. The result is
    the same bit for bit for any number of workers, also if workers are lost and others compute
    their chunks again.

    If no chunk boundary cuts a shard of the fit in memory (see :meth:`row_chunks`), the result is
    that of :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier` on the same rows in C order, bit
    for bit. Otherwise each chunk is a shard, and loss and gradient differ in the last digits.

    Parameters, attributes and warnings are those of
    :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier`, except: ``batch_size`` must be None,
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

    A subclass can override the steps of the lecture. Workers import the subclass. There the
    forward, cost and backward steps see the parameters of the estimator, not its attributes.

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

    @rollback_on_error
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
            If X is not a dask collection.
        ValueError
            As in memory, with the partition if the error is in one; if the length of a chunk is
            unknown; or if ``batch_size``, ``early_stopping`` or
            ``alpha="loo"`` is set.
        """
        check_dask("DaskTwoLayerSigmoidClassifier.fit")
        _validation.check_parameters(self)
        _check_supported(self)
        resume = self.warm_start and hasattr(self, "W1_")
        scheduler = find_scheduler(client)  # another can become Dask's default during training
        data = DaskData(int(self.n_h), scheduler)
        with single_blas_thread, _validation.ignore_overflow(), data:
            with read_inputs(X, y, sample_weight, scheduler) as inputs:
                validate_data(self, dask_meta(X), skip_check_array=True, reset=not resume)
                dtype = inputs.X.dtype
                labels = data.read(inputs, self._working_dtype(dtype))
            weight_sum = self._encode(data, labels, resume=resume)
            self._train(
                data,
                weight_sum=weight_sum,
                dtype=np.dtype(np.float32 if dtype == np.float32 else np.float64),
                random_state=check_random_state(self.random_state),
                resume=resume,
                inputs={"X": X, "y": y, "sample_weight": sample_weight},
            )
        return self

    def row_chunks(self, X: Any) -> tuple[int, ...]:
        """The chunk lengths for which ``fit`` equals the fit in memory bit for bit.

        Use ``X.rechunk((clf.row_chunks(X), -1))``. Larger chunks that join some of these are equal
        too. Remove rows of weight 0 first.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            A dask or NumPy array; only its shape and dtype are used.

        Returns
        -------
        lengths : tuple of int
            At most 16 lengths, with the sum n_samples.
        """
        m, n_x = X.shape
        shards = shards_in_memory(m, n_x, int(self.n_h), self._working_dtype(X.dtype))
        return tuple(shard.stop - shard.start for shard in shards)

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
        params = self.get_params(deep=False)
        fitted = {
            name: copy.deepcopy(value)
            for name, value in vars(self).items()
            if name not in params and name != "_skl_callbacks"
        }
        local = TwoLayerSigmoidClassifier(**params)
        local.__dict__.update(fitted)
        return local

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean accuracy of ``predict``, computed at once.

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
        if not is_dask_collection(X):
            return super().score(X, y, sample_weight)
        self._check_columns(X)
        scheduler = find_scheduler(None)
        with read_inputs(X, y, sample_weight, scheduler, self._predict_labels) as inputs:
            score = accuracy(inputs, scheduler)
            if score == 0 and not self._multilabel:
                _validation.check_known_labels(inputs.unique_labels(), self.classes_)
        return score

    def _predict(self, X: Any, from_logits: Any) -> Any:
        if not is_dask_collection(X):
            return super()._predict(X, from_logits)
        self._check_columns(X)
        (rows,) = lazy_arrays([X])
        return self._predict_lazily(rows, from_logits)

    def _check_columns(self, X: Any) -> None:
        check_is_fitted(self)
        validate_data(self, dask_meta(X), skip_check_array=True, reset=False)

    def _predict_lazily(self, X: Any, from_logits: Any) -> Any:
        """Of a dask array."""
        # Workers get what prediction needs, but no feature names: chunks are arrays.
        clf = self._unfitted_copy()
        for name in (*WEIGHTS, "classes_", "n_features_in_", "_multilabel"):
            setattr(clf, name, getattr(self, name))
        return predict_lazily(clf._predict, X, from_logits, self.n_features_in_)

    def _predict_labels(self, X: Any) -> Any:
        return self._predict_lazily(X, _prediction.labels)

    def _working_dtype(self, dtype: Any) -> np.dtype[Any]:
        """The dtype of the arithmetic for X of a dtype."""
        return np.dtype(np.float32 if dtype == np.float32 and self.solver == "gd" else np.float64)

    def _encode(self, data: DaskData, labels: Any, *, resume: bool) -> float:
        """Encode the rows on the workers; return the sum of their weights as given.

        Sets ``classes_``.
        """
        multilabel = labels.ndim == 2
        classes = np.arange(labels.shape[1]) if multilabel else _encoding.unique_labels(labels)
        if not multilabel:
            _encoding.check_two_classes(classes)
        if resume:
            _validation.check_resumable(self, classes, multilabel)
        sums = np.array([data.weight_sum()]) if multilabel else data.class_weight_sums(classes)
        class_weight, weight_sum = _encoding.resolve_class_weight(
            self.class_weight, classes, multilabel, sums
        )
        present = data.encode(classes, multilabel, class_weight)
        _encoding.check_rows_left(data.n_rows)
        if not multilabel:
            _validation.warn_one_class(classes[present])
        self.classes_, self._multilabel = classes, multilabel
        return data.largest_weight * weight_sum

    def _steps(self) -> dict[str, Any]:
        return BaseTwoLayerSigmoid._steps(self._unfitted_copy())

    def _unfitted_copy(self) -> Self:
        """An estimator that is small enough to be sent with every task, for one thread."""
        return type(self)(**self.get_params(deep=False) | {"init": "auto", "n_jobs": 1})


def _check_supported(clf: DaskTwoLayerSigmoidClassifier) -> None:
    """Refuse parameters that need the rows in memory."""
    remedy = "; TwoLayerSigmoidClassifier, in memory or on mapped files, does that."
    if clf.batch_size is not None:
        raise ValueError(f"batch_size={clf.batch_size} is not for Dask: use None{remedy}")
    if clf.early_stopping:
        raise ValueError(f"early_stopping=True is not for Dask: use early_stopping=False{remedy}")
    if clf.alpha == "loo":
        raise ValueError(f"alpha='loo' is not for Dask: use alpha='scale'{remedy}")
