"""The mathematics of the network with two layers, one function for each step.

Examples are columns here: ``X`` is ``(n_x, m)`` and ``Y`` is ``(n_y, m)``. Numbers in brackets are
those of the equations in ``docs/mathematics.md``. The module uses NumPy only: it knows no
estimator, no solver and no blocks of rows. ``network.py`` makes the steps public.

The functions have optional keywords that the equations do not need. ``weights`` ``(m,)`` and
``total`` replace 1/m by w_i / total, so that the results for blocks of columns add up to the result
for the whole data set. ``out`` has arrays for the results; without it each call allocates what it
returns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]

CACHE_LINE = 64  # bytes; no vector register is longer

# dZ1 (n_h, m), dZ2, losses and zeros (n_y, m), and ones (m, 1)
Buffers = tuple[Array, Array, Array, Array, Array]


class _ParameterArrays(NamedTuple):
    W1: Array  # (n_h, n_x)
    b1: Array  # (n_h, 1)
    W2: Array  # (n_y, n_h)
    b2: Array  # (n_y, 1)


class Parameters(_ParameterArrays):
    """The weights and biases of both layers, or the gradient with respect to them.

    A named tuple. ``_asdict()`` returns the dictionary of the notes, and
    ``Parameters(**dictionary)`` converts it back.

    Parameters
    ----------
    W1 : ndarray of shape (n_h, n_x)
        Weights of the hidden layer.
    b1 : ndarray of shape (n_h, 1)
        Biases of the hidden layer.
    W2 : ndarray of shape (n_y, n_h)
        Weights of the output layer.
    b2 : ndarray of shape (n_y, 1)
        Biases of the output layer.
    """

    theta: Array | None = None  # the flat vector of which the arrays are views; None if separate

    @classmethod
    def views(cls, theta: Array, n_x: int, n_h: int, n_y: int) -> Parameters:
        """Four views of the flat vector ``theta``."""
        arrays, start = [], 0
        for rows, columns in parameter_shapes(n_x, n_h, n_y):
            end = start + rows * columns
            arrays.append(theta[start:end].reshape(rows, columns))
            start = end
        params = cls(*arrays)
        params.theta = theta
        return params

    def flat(self) -> Array:
        """The four arrays as one vector: ``theta``, or a new vector if they are separate."""
        if self.theta is not None:
            return self.theta
        return np.concatenate([array.ravel() for array in self])

    def assign(self, other: Parameters) -> None:
        """Copy the arrays of ``other`` into these, unless they are the same objects."""
        if other is self:
            return
        for dst, src in zip(self, other, strict=True):
            dst[...] = src

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled or deep-copied one by one, the arrays would no longer be views of theta.
        if self.theta is None:
            return type(self), tuple(self)
        n_h, n_x = self.W1.shape
        return _views_of_received, (self.theta, n_x, n_h, len(self.W2))


def _views_of_received(theta: Array, n_x: int, n_h: int, n_y: int) -> Parameters:
    # A deserialised array may be read-only, or unaligned, which makes NumPy slow.
    return Parameters.views(np.require(theta, requirements=("A", "W")), n_x, n_h, n_y)


class _CacheArrays(NamedTuple):
    Z1: Array  # (n_h, m)
    A1: Array  # (n_h, m)
    Z2: Array  # (n_y, m)
    A2: Array  # (n_y, m)


class Cache(_CacheArrays):
    """The results of forward propagation that the cost and backward propagation need.

    A named tuple of the inputs ``Z1`` ``(n_h, m)`` and the activations ``A1`` ``(n_h, m)`` of the
    hidden units, the logits ``Z2`` ``(n_y, m)`` and the probabilities ``A2`` ``(n_y, m)``.
    """

    buffers: Buffers | None = None  # of a cache that training reuses, for what follows

    @classmethod
    def allocate(cls, n_h: int, n_y: int, m: int, dtype: npt.DTypeLike) -> Cache:
        """A cache with buffers for ``m`` columns, which training reuses in every iteration.

        Two arrays of the hidden layer's size are enough: ``Z1`` and ``A1`` share one, because
        nothing after equation (3) reads ``Z1``, and backward propagation overwrites ``A1`` at its
        last use.
        """
        A1, Z2, A2 = (_aligned(n, m, dtype) for n in (n_h, n_y, n_y))
        cache = cls(A1, A1, Z2, A2)
        cache.buffers = _new_buffers(n_h, n_y, m, dtype)
        return cache


def parameter_shapes(n_x: int, n_h: int, n_y: int) -> tuple[tuple[int, int], ...]:
    """The shapes of W1, b1, W2 and b2."""
    return (n_h, n_x), (n_h, 1), (n_y, n_h), (n_y, 1)


def layer_sizes(X: Array, Y: Array, n_h: int = 2) -> tuple[int, int, int]:
    """The sizes of the three layers.

    Parameters
    ----------
    X : ndarray of shape (n_x, m)
        Features.
    Y : ndarray of shape (n_y, m)
        Targets, 0 or 1.
    n_h : int, default=2
        Number of hidden units, which does not follow from the data.

    Returns
    -------
    n_x : int
        Number of features.
    n_h : int
        Number of hidden units.
    n_y : int
        Number of outputs.
    """
    return X.shape[0], n_h, Y.shape[0]


def initialize_parameters(
    n_x: int, n_h: int, n_y: int, *, random_state: np.random.RandomState | int | None = None
) -> Parameters:
    """Small random weights, 0.01 N(0, 1), and biases of 0.

    Training starts from them with ``init="small"``, the default for one or two hidden units.

    Parameters
    ----------
    n_x : int
        Number of features.
    n_h : int
        Number of hidden units.
    n_y : int
        Number of outputs.
    random_state : int or RandomState, default=None
        Seed or generator of the weights. None gives other weights in each call.

    Returns
    -------
    parameters : Parameters
        ``W1`` ``(n_h, n_x)``, ``b1`` ``(n_h, 1)``, ``W2`` ``(n_y, n_h)`` and ``b2`` ``(n_y, 1)``.
    """
    if not isinstance(random_state, np.random.RandomState):
        random_state = np.random.RandomState(random_state)
    W1 = 0.01 * random_state.standard_normal((n_h, n_x))
    W2 = 0.01 * random_state.standard_normal((n_y, n_h))
    return Parameters(W1, np.zeros((n_h, 1)), W2, np.zeros((n_y, 1)))


def initialize_spread(
    n_x: int,
    n_h: int,
    n_y: int,
    *,
    random_state: np.random.RandomState,
    mean: Array | float = 0.0,
    std: Array | float = 1.0,
) -> Parameters:
    """Hidden units whose lines W1 x + b1 = 0 pass through the data, and small output weights.

    ``mean`` and ``std`` ``(n_x,)`` are the mean and standard deviation of each feature. A row of W1
    has a random direction and a length such that its unit rises from 0 to 1 within about two
    standard deviations. b1 makes its line pass through a point drawn from N(mean, std).
    """
    parameters = initialize_parameters(n_x, n_h, n_y, random_state=random_state)
    W1 = random_state.standard_normal((n_h, n_x)) * (2 / np.sqrt(n_x)) / std
    points = mean + std * random_state.standard_normal((n_h, n_x))
    b1 = -(W1 * points).sum(axis=1, keepdims=True)
    return parameters._replace(W1=W1, b1=b1)


def sigmoid(Z: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-z)), as (1 + tanh(z / 2)) / 2, which never overflows and is vectorised."""
    A: Array = np.multiply(Z, 0.5, out=out)
    np.tanh(A, out=A)
    A += 1.0
    A *= 0.5
    return A


def forward_propagation(
    X: Array, parameters: Parameters, *, out: Cache | None = None
) -> tuple[Array, Cache]:
    """Compute the probabilities, by equations (2) to (5).

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_x, m)
        Features; each column is an example.
    parameters : Parameters
        Weights and biases.
    out : Cache, default=None
        Arrays for the results, which training reuses. None allocates new arrays.

    Returns
    -------
    A2 : ndarray of shape (n_y, m)
        Probabilities of the outputs.
    cache : Cache
        ``Z1``, ``A1``, ``Z2`` and ``A2``.
    """
    W1, b1, W2, b2 = parameters
    Z1, A1, Z2, A2 = (None, None, None, None) if out is None else out
    Z1 = _product(W1, X, Z1)
    Z1 += b1  # (2)
    A1 = sigmoid(Z1, A1)  # (3)
    Z2 = np.dot(W2, A1, out=Z2)
    Z2 += b2  # (4)
    A2 = sigmoid(Z2, A2)
    return A2, Cache(Z1, A1, Z2, A2) if out is None else out


def compute_cost(
    cache: Cache,
    Y: Array,
    *,
    weights: Array | None = None,
    total: float | None = None,
) -> float:
    """Compute the log loss, equation (8), summed over the outputs.

    The notes compute it from the probabilities ``A2``. This function takes the logits ``Z2`` of the
    cache. The cost is the same, and it is finite and exact if a probability rounds to 0 or 1.

    Parameters
    ----------
    cache : Cache
        The second result of :func:`forward_propagation`.
    Y : ndarray of shape (n_y, m)
        Targets, 0 or 1.
    weights : ndarray of shape (m,), default=None
        Weight of each example. None is 1 for all.
    total : float, default=None
        The divisor. None is the sum of the weights, which is m without weights.

    Returns
    -------
    cost : float
        Mean log loss in nats.
    """
    # With a = sigmoid(z), -y log(a) - (1 - y) log(1 - a) is softplus(z) - y z, which does not
    # overflow and needs no clipping of a. ``np.logaddexp`` computes softplus in one call, but it
    # takes seven times as long.
    Z2 = cache.Z2
    _, tmp, loss, zeros, ones = _buffers(cache)
    # max(z, 0) - y z is exact for y in {0, 1}: a small loss does not suffer from cancellation.
    np.maximum(Z2, zeros, out=loss)
    np.multiply(Y, Z2, out=tmp)
    loss -= tmp
    np.abs(Z2, out=tmp)
    np.negative(tmp, out=tmp)
    np.exp(tmp, out=tmp)
    np.log1p(tmp, out=tmp)
    loss += tmp  # softplus(z) = max(z, 0) + log(1 + exp(-|z|))
    output_losses = np.dot(loss, ones[:, 0] if weights is None else weights)
    summed = 0.0
    for output_loss in output_losses.tolist():  # ``sum`` rounds differently from Python 3.12 on
        summed += output_loss
    return summed / _total(Y, weights, total)


def backward_propagation(
    parameters: Parameters,
    cache: Cache,
    X: Array,
    Y: Array,
    *,
    weights: Array | None = None,
    total: float | None = None,
    out: Parameters | None = None,
) -> Parameters:
    """Compute the gradient of the cost, by equations (10) to (15).

    Equation (12) gives dW1 element by element. The matrix forms are (13) dZ1, (14) dW1 and (15)
    db1.

    Parameters
    ----------
    parameters : Parameters
        Weights and biases.
    cache : Cache
        The second result of :func:`forward_propagation` for them.
    X : ndarray or sparse array of shape (n_x, m)
        Features.
    Y : ndarray of shape (n_y, m)
        Targets, 0 or 1.
    weights : ndarray of shape (m,), default=None
        Weight of each example. None is 1 for all.
    total : float, default=None
        The divisor. None is the sum of the weights, which is m without weights.
    out : Parameters, default=None
        Arrays for the gradient; then a cache that training reuses has other values in ``A1``. None
        allocates new arrays.

    Returns
    -------
    grads : Parameters
        The derivatives of the cost, in the shapes of the parameters.
    """
    _, A1, _, A2 = cache
    dW1, db1, dW2, db2 = (None, None, None, None) if out is None else out
    dZ1, dZ2, _, _, ones = _buffers(cache)
    relative_weights = (1.0 if weights is None else weights) / _total(Y, weights, total)
    np.subtract(A2, Y, out=dZ2)
    dZ2 *= relative_weights
    dW2 = np.dot(dZ2, A1.T, out=dW2)  # (10)
    db2 = np.dot(dZ2, ones, out=db2)  # (10)
    multiply = np.multiply if len(dZ2) == 1 else np.dot  # the same product; faster for one output
    multiply(parameters.W2.T, dZ2, out=dZ1)
    dZ1 *= A1
    reuse = cache.buffers is not None and out is not None
    dZ1 *= np.subtract(1.0, A1, out=A1 if reuse else None)  # (13)
    dW1 = _product(dZ1, X.T, dW1)  # (14)
    db1 = np.dot(dZ1, ones, out=db1)  # (15)
    return Parameters(dW1, db1, dW2, db2) if out is None else out


def update_parameters(
    parameters: Parameters,
    grads: Parameters,
    learning_rate: float = 1.2,
    *,
    out: Parameters | None = None,
) -> Parameters:
    """Make a step of gradient descent, equation (9).

    Parameters
    ----------
    parameters : Parameters
        Weights and biases.
    grads : Parameters
        The gradient, of :func:`backward_propagation`.
    learning_rate : float, default=1.2
        The lecture's alpha.
    out : Parameters, default=None
        Arrays for the result. Training passes ``parameters``, which are then updated in place. None
        allocates new arrays.

    Returns
    -------
    parameters : Parameters
        Updated weights and biases.
    """
    if out is None:
        out = Parameters(*map(np.empty_like, grads))
    theta, gradient = parameters.theta, grads.theta
    if theta is not None and gradient is not None and out.theta is not None:
        np.subtract(theta, learning_rate * gradient, out=out.theta)
        return out
    for W, dW, updated in zip(parameters, grads, out, strict=True):
        np.subtract(W, learning_rate * dW, out=updated)
    return out


def _aligned(rows: int, columns: int, dtype: npt.DTypeLike) -> Array:
    """An empty array aligned to a cache line; operations on others take up to 25 % longer."""
    n_bytes = rows * columns * np.dtype(dtype).itemsize
    memory = np.empty(n_bytes + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + n_bytes].view(dtype).reshape(rows, columns)


def _buffers(cache: Cache) -> Buffers:
    """The buffers of the cache, or new ones."""
    n_y, m = cache.Z2.shape
    return cache.buffers or _new_buffers(len(cache.A1), n_y, m, cache.Z2.dtype)


def _new_buffers(n_h: int, n_y: int, m: int, dtype: npt.DTypeLike) -> Buffers:
    dZ1, dZ2, losses = (_aligned(n, m, dtype) for n in (n_h, n_y, n_y))
    return dZ1, dZ2, losses, np.zeros((n_y, m), dtype), np.ones((m, 1), dtype)


def _total(Y: Array, weights: Array | None, total: float | None) -> float:
    """The divisor m: ``total`` if given, else the sum of the weights of these columns."""
    if total is not None:
        return total
    return float(Y.shape[1] if weights is None else weights.sum())


def _product(A: Array, X: Array, out: Array | None) -> Array:
    """``A @ X``. X may be a SciPy sparse array, whose product has no ``out``."""
    if isinstance(X, np.ndarray):
        return np.dot(A, X, out=out)  # faster than ``np.matmul`` for small arrays
    if out is None:
        return A @ X
    out[...] = A @ X
    return out
