"""The objective of training: penalised log loss and its gradient, summed over blocks of rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from threading import get_ident
from typing import Any

import numpy as np
import numpy.typing as npt

from ._blocks import BlockedData, Data
from ._network import Array, Cache, Parameters


class Objective:
    """The function that training minimises.

    With L_i the log loss (8) of row i and w_i its weight (1 without weights)::

        loss = sum_i w_i L_i / sum_i w_i  +  alpha / 2 * (||W1||^2 + ||W2||^2)

    With ``scaling`` the loss and its penalty are functions of the parameters for the standardised
    features (x - mean) / scale. The network computes with those for X as it is, of
    :meth:`to_input_units`, so X is neither changed nor copied. The chain rule converts the
    gradient::

        dW1_standardised = (dW1_raw - db1 mean^T) / scale

    Parameters
    ----------
    data : Data
        The rows.
    forward, cost, backward : callable
        Steps of the network, with the signatures of those in ``_network``. A cluster pickles them.
    total : float
        The divisor sum_i w_i.
    alpha : float, default=0.0
        Strength of the L2 penalty. It does not depend on the number of rows.
    scaling : (mean, scale) of shapes (n_x,), default=None
        Mean and standard deviation of each feature. None does not standardise.
    """

    def __init__(
        self,
        data: Data,
        *,
        forward: Callable[..., Any],
        cost: Callable[..., float],
        backward: Callable[..., Parameters],
        total: float,
        alpha: float = 0.0,
        scaling: tuple[Array, Array] | None = None,
    ) -> None:
        self.data = data
        self.alpha = alpha
        self.total = total
        self._layer_sizes, self._dtype = data.layer_sizes, data.dtype
        self.forward, self.cost, self.backward = forward, cost, backward
        self._scaling: tuple[Array, Array] | None = None
        if scaling is not None:
            mean, scale = (array.astype(self._dtype) for array in scaling)
            self._scaling = mean.reshape(-1, 1), scale
        self._raw: Parameters | None = None  # the buffer that to_input_units() returns
        self._caches: dict[tuple[int, int], Cache] = {}  # by thread and number of rows
        self._free: deque[Parameters] = deque()  # buffers for the gradients of blocks
        self._minibatches: dict[int, tuple[BlockedData, Objective]] = {}  # by number of rows

    def views(self, theta: npt.NDArray[Any]) -> Parameters:
        """The four arrays of the network as views of the flat vector ``theta``."""
        return Parameters.views(theta, *self._layer_sizes)

    def to_input_units(self, params: Parameters) -> Parameters:
        """The parameters of the same network for X as it is. The next call can overwrite them."""
        if self._scaling is None:
            return params
        mean, scale = self._scaling
        if self._raw is None:
            self._raw = self.views(np.empty(params.flat().shape, self._dtype))
        raw = self._raw
        raw.flat()[:] = params.flat()
        np.divide(raw.W1, scale, out=raw.W1)
        np.subtract(raw.b1, np.dot(raw.W1, mean), out=raw.b1)
        return raw

    def from_input_units(self, raw: Parameters) -> Parameters:
        """The parameters for the standardised features: the inverse of :meth:`to_input_units`."""
        if self._scaling is None:
            return raw
        mean, scale = self._scaling
        return raw._replace(W1=raw.W1 * scale, b1=raw.b1 + np.dot(raw.W1, mean))

    def penalty(self, params: Parameters) -> float:
        """The second term of the loss."""
        if not self.alpha:
            return 0.0
        W1, W2 = params.W1, params.W2
        return self.alpha / 2 * (float(np.vdot(W1, W1)) + float(np.vdot(W2, W2)))

    def loss(self, params: Parameters) -> float:
        """The loss at ``params``."""
        return self.log_loss(params) + self.penalty(params)

    def log_loss(self, params: Parameters) -> float:
        """The first term of the loss."""
        return self.data.reduce(partial(self._block_loss, self.to_input_units(params)))

    def loss_gradient(self, params: Parameters) -> tuple[float, Parameters]:
        """The loss and its gradient at ``params``; the next call overwrites the gradient."""
        function = partial(self._block_loss_gradient, self.to_input_units(params))
        loss, grads = self.data.reduce(function, self._add)
        self._release(grads)
        if self._scaling is not None:
            mean, scale = self._scaling
            np.subtract(grads.W1, grads.b1 * mean.T, out=grads.W1)
            np.divide(grads.W1, scale, out=grads.W1)
        if self.alpha:
            np.add(grads.W1, self.alpha * params.W1, out=grads.W1)
            np.add(grads.W2, self.alpha * params.W2, out=grads.W2)
        return loss + self.penalty(params), grads

    def minibatches(
        self, size: int, random_state: np.random.RandomState
    ) -> Iterator[tuple[Objective, float]]:
        """One epoch: all rows in random order, ``size`` rows at a time.

        Yields the objective of each mini-batch and its fraction of the rows. The next mini-batch
        overwrites the objective. With m rows in all and b in the mini-batch, its loss is::

            m/b sum_{i in batch} w_i L_i / sum_i w_i  +  alpha / 2 * (||W1||^2 + ||W2||^2)

        The mean of these losses, weighted by the fractions, is the loss of all rows.
        """
        assert isinstance(self.data, BlockedData)  # mini-batches need the rows in memory
        m = self.data.n_rows
        order = random_state.permutation(m)
        for start in range(0, m, size):
            indices = order[start : start + size]
            yield self._minibatch(self.data, indices), len(indices) / m

    def _minibatch(self, data: BlockedData, indices: npt.NDArray[np.intp]) -> Objective:
        """The objective of some rows. The next mini-batch of as many rows reuses its buffers."""
        known_rows, objective = self._minibatches.get(len(indices), (None, None))
        rows = data.take(indices, known_rows)
        if objective is None or rows is not known_rows:
            objective = copy(self)  # with buffers of its own
            objective.data, objective.total = rows, self.total * (len(indices) / data.n_rows)
            self._minibatches[len(indices)] = rows, objective
        return objective

    def _block_loss(self, params: Parameters, X: Array, Y: Array, weights: Array | None) -> float:
        """The part of the log loss that comes from one block."""
        _, cache = self.forward(X, params, out=self._cache(Y.shape[1]))
        return self.cost(cache, Y, weights=weights, total=self.total)

    def _block_loss_gradient(
        self, params: Parameters, X: Array, Y: Array, weights: Array | None
    ) -> tuple[float, Parameters]:
        """The part of the log loss and of its gradient that comes from one block."""
        weighting = {"weights": weights, "total": self.total}
        _, cache = self.forward(X, params, out=self._cache(Y.shape[1]))
        loss = self.cost(cache, Y, **weighting)
        out = self._free_gradient(params)
        grads = self.backward(params, cache, X, Y, **weighting, out=out)
        out.assign(grads)  # a subclass can return other arrays
        return loss, out

    def _cache(self, n_rows: int) -> Cache:
        """The calling thread's cache for blocks of ``n_rows`` rows."""
        key = get_ident(), n_rows
        cache = self._caches.get(key)
        if cache is None:
            cache = Cache.allocate(*self._layer_sizes[1:], n_rows, self._dtype)
            self._caches[key] = cache
        return cache

    def _free_gradient(self, params: Parameters) -> Parameters:
        """A buffer that no other block uses, in the shape of ``params``."""
        try:
            return self._free.pop()
        except IndexError:
            return self.views(np.empty(params.flat().shape, self._dtype))

    def _add(
        self, first: tuple[float, Parameters], second: tuple[float, Parameters]
    ) -> tuple[float, Parameters]:
        """Add the second loss and gradient to the first, in place."""
        gradient = first[1].flat()
        np.add(gradient, second[1].flat(), out=gradient)
        self._release(second[1])
        return first[0] + second[0], first[1]

    def _release(self, grads: Parameters) -> None:
        """Make a gradient's buffer free for later blocks."""
        if self._caches:  # a cluster's client has none, and received gradients would pile up
            self._free.append(grads)

    def __getstate__(self) -> dict[str, Any]:
        """The state of copies and pickles: no data, and buffers that are empty."""
        state = vars(self) | {"data": None, "_raw": None}
        return state | {"_caches": {}, "_free": deque(), "_minibatches": {}}
