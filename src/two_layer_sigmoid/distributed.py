"""Training on Dask (the extra ``dask``), for data that one machine does not hold.

The partitions stay where they are: a worker adds up its shards of the cost and the gradient, by the
same code as in memory, and the machine that calls ``fit`` adds those up and makes the step.
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
    DaskInputs,
    accuracy,
    check_dask,
    dask_meta,
    is_dask_collection,
    predict_lazily,
    shards_in_memory,
)
from ._parallel import single_blas_thread

__all__ = ["DaskTwoLayerSigmoidClassifier"]


class DaskTwoLayerSigmoidClassifier(BaseTwoLayerSigmoid):
    """The network, trained on a Dask cluster to the same weights as in memory.

    Every evaluation sends the parameters to the workers and brings back a cost and a gradient for
    each shard, a number of consecutive rows. They are added in the order of the rows, whoever
    computed them, so the result is the same to the last bit for any number of workers, and when
    some are lost on the way and their chunks computed anew by others.

    Where no chunk cuts a shard of the in-memory fit (see :meth:`row_chunks`), the result is that of
    :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier` on the same rows in C order, to the last
    bit. Other chunks are shards of their own: cost and gradient then differ in the last digits.

    Parameters, attributes and warnings are those of
    :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier`, but: ``batch_size`` must be None and
    ``early_stopping`` False; there is no ``partial_fit``; ``n_jobs`` counts only where X is in
    memory, since workers use one thread for a chunk, and as many chunks at a time as they have
    threads.

    See Also
    --------
    two_layer_sigmoid.TwoLayerSigmoidClassifier : The network in memory, also out of files.

    Notes
    -----
    ``fit`` keeps what it needs of the data in the memory of the workers until it returns: X, where
    it is not persisted already, and 8 bytes (float32: 4) a row for each output. A worker that is
    lost is no loss as long as Dask knows how to get its chunks again: from files, from arrays in
    the graph; not where they were scattered to that worker alone.

    A subclass may override the steps as that of the in-memory estimator may. Workers import it, and
    there the forward, cost and backward steps see the parameters of the estimator and nothing else.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import make_moons
    >>> from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier
    >>> X, y = (da.from_array(A, chunks=50) for A in make_moons(200, noise=0.1, random_state=0))
    >>> clf = DaskTwoLayerSigmoidClassifier(random_state=0).fit(X, y)
    >>> clf.predict(X)[:5].compute()
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
            Dense. float32 and float64 are used as they are, other types are converted to float64.
            The lengths of an array's chunks must be known; those of a dataframe are looked up.
        y : dask array, series or dataframe, or array-like, of shape (n_samples,) or \
(n_samples, n_labels)
            Class labels of any one kind, or a multilabel indicator matrix of 0 and 1.
        sample_weight : dask array, series, or array-like, of shape (n_samples,), default=None
            Non-negative weights.
        client : distributed.Client, default=None
            The cluster to train on. None is Dask's default: the client made last, if there is one,
            or else threads of this process.

        Returns
        -------
        self : object
            The fitted estimator. Its attributes are NumPy arrays and numbers.

        Raises
        ------
        ImportError
            If Dask is not installed.
        TypeError
            If X is no dask collection.
        ValueError
            As for the in-memory estimator, naming the partition where it lies in one; and if the
            length of a chunk is not known, or a parameter wants what is not done here.
        """
        check_dask("DaskTwoLayerSigmoidClassifier.fit")
        _validation.check_parameters(self)
        _check_full_batches(self)
        inputs = DaskInputs.read(X, y, sample_weight, client)
        resume = self.warm_start and hasattr(self, "W1_")
        validate_data(self, dask_meta(X), skip_check_array=True, reset=not resume)
        working_dtype = self._working_dtype(inputs.X.dtype)
        data = DaskData(int(self.n_h), working_dtype, client)
        with single_blas_thread, _validation.ignore_overflow(), data:
            self._encode(data, inputs, resume=resume)
            self._train(
                data,
                dtype=np.dtype(np.float32 if inputs.X.dtype == np.float32 else np.float64),
                random_state=check_random_state(self.random_state),
                resume=resume,
                inputs={"X": X, "y": y, "sample_weight": sample_weight},
            )
        return self

    def row_chunks(self, X: Any) -> tuple[int, ...]:
        """The numbers of rows of chunks for which ``fit`` gives the bits of the in-memory fit.

        ``X.rechunk((clf.row_chunks(X), -1))`` has them; so have chunks that each hold several of
        these. Rows of weight 0 must not be counted.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Dask's or NumPy's; only its shape and dtype are looked at.

        Returns
        -------
        lengths : tuple of int
            At most 16, which add up to n_samples.
        """
        m, n_x = X.shape
        shards = shards_in_memory(m, n_x, int(self.n_h), self._working_dtype(X.dtype))
        return tuple(shard.stop - shard.start for shard in shards)

    def to_local(self) -> TwoLayerSigmoidClassifier:
        """The same fitted network in memory.

        Returns
        -------
        clf : TwoLayerSigmoidClassifier
            With the same parameters, and copies of the fitted attributes.

        Raises
        ------
        NotFittedError
            If this is not fitted.
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
        """The mean accuracy of ``predict``, computed.

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
            Share of the rows whose label (multilabel: all labels) is predicted, in [0, 1].

        Raises
        ------
        ValueError
            If y holds several labels and none that ``fit`` has seen: it is coded differently.
        """
        if not is_dask_collection(X):
            return super().score(X, y, sample_weight)
        inputs = DaskInputs.read(X, y, sample_weight)
        self._check_columns(X)
        score = accuracy(self._predict_lazily(inputs.X, _prediction.labels), inputs)
        if score == 0 and not self._multilabel:
            _validation.check_known_labels(inputs.unique_labels(), self.classes_)
        return score

    def _predict(self, X: Any, from_logits: Any) -> Any:
        if not is_dask_collection(X):
            return super()._predict(X, from_logits)
        self._check_columns(X)
        return self._predict_lazily(X, from_logits)

    def _check_columns(self, X: Any) -> None:
        check_is_fitted(self)
        validate_data(self, dask_meta(X), skip_check_array=True, reset=False)

    def _predict_lazily(self, X: Any, from_logits: Any) -> Any:
        # Workers get what prediction needs, but no feature names: chunks are arrays.
        names = *WEIGHTS, "classes_", "n_features_in_", "_multilabel"
        clf = type(self)(**self.get_params(deep=False))
        clf.__dict__.update({name: getattr(self, name) for name in names})
        return predict_lazily(clf._predict, X, from_logits, self.n_features_in_)

    def _working_dtype(self, dtype: Any) -> np.dtype[Any]:
        """Of training on X of a dtype."""
        return np.dtype(np.float32 if dtype == np.float32 and self.solver == "gd" else np.float64)

    def _encode(self, data: DaskData, inputs: DaskInputs, *, resume: bool) -> None:
        """Read and encode the rows on the workers; sets ``classes_``."""
        labels = data.read(inputs)
        multilabel = labels.ndim == 2
        classes = np.arange(labels.shape[1]) if multilabel else _encoding.unique_labels(labels)
        if not multilabel:
            _encoding.check_two_classes(classes, np.ones(len(classes), bool))
        if resume:
            _validation.check_resumable(self, classes, multilabel)
        class_weight = _encoding.resolve_class_weight(
            self.class_weight, classes, multilabel, lambda: data.class_weight_sums(classes)
        )
        present = data.encode(classes, multilabel, class_weight)
        if not multilabel:
            _encoding.check_two_classes(classes, present)
        self.classes_, self._multilabel = classes, multilabel

    def _steps(self) -> dict[str, Any]:
        # Workers get an estimator with the same parameters, and nothing else of this one.
        return BaseTwoLayerSigmoid._steps(type(self)(**self.get_params(deep=False)))


def _check_full_batches(clf: DaskTwoLayerSigmoidClassifier) -> None:
    """Refuse parameters that need a part of the rows at a time."""
    remedy = "; TwoLayerSigmoidClassifier, in memory or on mapped files, does that."
    if clf.batch_size is not None:
        raise ValueError(f"batch_size={clf.batch_size} is not for Dask: use None{remedy}")
    if clf.early_stopping:
        raise ValueError(f"early_stopping=True is not for Dask: use early_stopping=False{remedy}")
