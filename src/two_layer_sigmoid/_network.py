"""The mathematics of the network with two layers, one function for each step of the lecture.

Everything here is in the lecture's orientation: examples are columns, so ``X`` is ``(n_x, m)``
and ``Y`` is ``(n_y, m)``. The bracketed numbers are the lecture's equation numbers. The module
knows NumPy and nothing else: no estimator, no solver, no row blocks.

The functions take two optional keywords that the lecture does not need. ``weights`` ``(m,)`` and
``total`` replace the lecture's 1/m by w_i / total, so that the parts of a data set that is cut
into blocks of columns add up to the whole. ``work`` is a :class:`Workspace`, memory to compute in;
without it each call allocates what it returns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]

CACHE_LINE = 64  # bytes; also the longest vector that a processor computes with


class _FourArrays(NamedTuple):
    W1: Array  # (n_h, n_x)
    b1: Array  # (n_h, 1)
    W2: Array  # (n_y, n_h)
    b2: Array  # (n_y, 1)


class Parameters(_FourArrays):
    """The weights and biases of both layers, or the gradient with respect to them."""

    theta: Array | None = None  # the one flat vector that all four are views of, if they are

    @classmethod
    def views(cls, theta: Array, n_x: int, n_h: int, n_y: int) -> Parameters:
        """Four views of the flat vector ``theta``: what changes one changes the other."""
        shapes = parameter_shapes(n_x, n_h, n_y)
        ends = np.cumsum([rows * columns for rows, columns in shapes])
        pieces = np.split(theta, ends[:-1])
        params = cls(*(piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)))
        params.theta = theta
        return params

    def assign(self, other: Parameters) -> None:
        """Copy the four arrays of ``other`` into these, unless they are the same already."""
        if other is self:
            return
        for mine, theirs in zip(self, other, strict=True):
            mine[...] = theirs


class Cache(NamedTuple):
    """What forward propagation leaves for the cost and for backward propagation."""

    Z1: Array  # (n_h, m)
    A1: Array  # (n_h, m)
    Z2: Array  # (n_y, m)
    A2: Array  # (n_y, m)


class Workspace(NamedTuple):
    """Memory for one pass over ``m`` columns, allocated once and used for every iteration.

    Two buffers of the hidden layer's size are enough: ``Z1`` shares ``A1``'s, because nothing
    after equation (3) reads ``Z1``, and backward propagation overwrites ``A1`` at its last use.
    """

    cache: Cache
    dZ1: Array  # (n_h, m)
    dZ2: Array  # (n_y, m)
    loss: Array  # (n_y, m)
    zeros: Array  # (n_y, m)
    ones: Array  # (m, 1), the lecture's vector of ones

    @classmethod
    def allocate(cls, n_h: int, n_y: int, m: int, dtype: npt.DTypeLike) -> Workspace:
        A1, dZ1 = (_aligned(n_h, m, dtype) for _ in range(2))
        Z2, A2, dZ2, loss = (_aligned(n_y, m, dtype) for _ in range(4))
        cache = Cache(A1, A1, Z2, A2)
        return cls(cache, dZ1, dZ2, loss, np.zeros((n_y, m), dtype), np.ones((m, 1), dtype))


def parameter_shapes(n_x: int, n_h: int, n_y: int) -> tuple[tuple[int, int], ...]:
    """The shapes of W1, b1, W2 and b2."""
    return (n_h, n_x), (n_h, 1), (n_y, n_h), (n_y, 1)


def initialize_small(
    n_x: int, n_h: int, n_y: int, *, random_state: np.random.RandomState
) -> Parameters:
    """The lecture's start: weights from 0.01 N(0, 1), biases zero."""
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
    spread: Array | float = 1.0,
) -> Parameters:
    """Hidden units whose dividing lines pass through the data; the output layer starts small.

    ``mean`` and ``spread`` (standard deviation) describe the features, each ``(n_x,)``. A row of
    W1 has a random direction and such a length that its unit rises from 0 to 1 within about two
    spreads; b1 makes the line W1 x + b1 = 0 pass through a point drawn from N(mean, spread).
    """
    params = initialize_small(n_x, n_h, n_y, random_state=random_state)
    W1 = random_state.standard_normal((n_h, n_x)) * (2 / np.sqrt(n_x)) / spread
    points = mean + spread * random_state.standard_normal((n_h, n_x))
    b1 = -(W1 * points).sum(axis=1, keepdims=True)
    return params._replace(W1=W1, b1=b1)


def sigmoid(Z: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-z)), as (1 + tanh(z / 2)) / 2: never overflows, and ``tanh`` is vectorised."""
    A: Array = np.multiply(Z, 0.5, out=out)
    np.tanh(A, out=A)
    A += 1.0
    A *= 0.5
    return A


def forward(X: Array, params: Parameters, *, work: Workspace | None = None) -> tuple[Array, Cache]:
    """Forward propagation, equations (2) to (4): A2 ``(n_y, m)`` and the cache."""
    W1, b1, W2, b2 = params
    Z1, A1, Z2, A2 = (None, None, None, None) if work is None else work.cache
    Z1 = _product(W1, X, Z1)
    Z1 += b1  # (2)
    A1 = sigmoid(Z1, A1)  # (3)
    Z2 = np.dot(W2, A1, out=Z2)
    Z2 += b2  # (4)
    A2 = sigmoid(Z2, A2)
    return A2, Cache(Z1, A1, Z2, A2) if work is None else work.cache


def cost(
    cache: Cache,
    Y: Array,
    *,
    weights: Array | None = None,
    total: float | None = None,
    work: Workspace | None = None,
) -> float:
    """Log loss, equation (8), summed over the outputs.

    With a = sigmoid(z) the lecture's -y log(a) - (1 - y) log(1 - a) is softplus(z) - y z, which
    neither overflows nor needs a to be kept away from 0 and 1. ``np.logaddexp`` would say the same
    in one call, seven times slower.
    """
    Z2 = cache.Z2
    if work is None:
        work = Workspace.allocate(0, len(Z2), Z2.shape[1], Z2.dtype)
    loss, rest = work.loss, work.dZ2
    # max(z, 0) - y z is exact for y in {0, 1}: nothing of a small loss is lost to cancellation.
    np.maximum(Z2, work.zeros, out=loss)
    np.multiply(Y, Z2, out=rest)
    loss -= rest
    np.abs(Z2, out=rest)
    np.negative(rest, out=rest)
    np.exp(rest, out=rest)
    np.log1p(rest, out=rest)
    loss += rest  # softplus(z) = max(z, 0) + log(1 + exp(-|z|))
    of_outputs = np.dot(loss, work.ones[:, 0] if weights is None else weights)
    return float(sum(of_outputs.tolist())) / _total(Y, weights, total)


def backward(
    params: Parameters,
    cache: Cache,
    X: Array,
    Y: Array,
    *,
    weights: Array | None = None,
    total: float | None = None,
    work: Workspace | None = None,
    out: Parameters | None = None,
) -> Parameters:
    """Backward propagation, equations (10) to (15): the gradient of the cost.

    The lecture derives dW1 element by element and stops at (12), all its elements. The matrix
    forms that follow are numbered on: (13) dZ1, (14) dW1, (15) db1. ``out`` receives the gradient;
    with ``work`` the cache's A1 is overwritten.
    """
    _, A1, _, A2 = cache
    dW1, db1, dW2, db2 = (None, None, None, None) if out is None else out
    not_A1 = None if work is None else A1
    if work is None:
        work = Workspace.allocate(len(A1), len(Y), Y.shape[1], A2.dtype)
    dZ1, dZ2, ones = work.dZ1, work.dZ2, work.ones
    scale = (1.0 if weights is None else weights) / _total(Y, weights, total)
    np.subtract(A2, Y, out=dZ2)
    dZ2 *= scale
    dW2 = np.dot(dZ2, A1.T, out=dW2)  # (10)
    db2 = np.dot(dZ2, ones, out=db2)  # (10)
    multiply = np.multiply if len(dZ2) == 1 else np.dot  # the same; for one output quicker
    multiply(params.W2.T, dZ2, out=dZ1)
    dZ1 *= A1
    dZ1 *= np.subtract(1.0, A1, out=not_A1)  # (13)
    dW1 = _product(dZ1, X.T, dW1)  # (14)
    db1 = np.dot(dZ1, ones, out=db1)  # (15)
    return Parameters(dW1, db1, dW2, db2) if out is None else out


def update(params: Parameters, grads: Parameters, learning_rate: float) -> Parameters:
    """One step of gradient descent, equation (9), in place.

    Where both are views of one vector each, as in training, one line is all four of the lecture.
    """
    if params.theta is not None and grads.theta is not None:
        np.subtract(params.theta, learning_rate * grads.theta, out=params.theta)
        return params
    for parameter, gradient in zip(params, grads, strict=True):
        np.subtract(parameter, learning_rate * gradient, out=parameter)
    return params


def _aligned(rows: int, columns: int, dtype: npt.DTypeLike) -> Array:
    """An empty array that begins where a cache line does; NumPy's own cost up to a quarter more."""
    n_bytes = rows * columns * np.dtype(dtype).itemsize
    memory = np.empty(n_bytes + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + n_bytes].view(dtype).reshape(rows, columns)


def _total(Y: Array, weights: Array | None, total: float | None) -> float:
    """The lecture's m: ``total`` where it is given, else what these columns weigh."""
    if total is not None:
        return total
    return float(Y.shape[1] if weights is None else weights.sum())


def _product(A: Array, X: Array, out: Array | None) -> Array:
    """``A @ X``; X may be a SciPy sparse array, which NumPy cannot multiply into ``out``."""
    if isinstance(X, np.ndarray):
        return np.dot(A, X, out=out)  # for small arrays quicker than ``np.matmul``
    if out is None:
        return A @ X
    out[...] = A @ X
    return out
