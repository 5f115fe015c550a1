"""Statistics of a data set: means, variances, largest entries, base rates.

Every sum is a reduction over blocks in the fixed order, so it has the same bits in memory and on a
cluster.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import entr
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from ._blocks import Block, BlockedData, Data
from ._network import Array, Parameters, sigmoid

CONSTANT_RTOL = 1e-12  # a standard deviation below this times the mean is a rounding error
# A feature has another scale if its spread is larger by this factor. The chunks of one data set
# differ by less, if they have 20 rows or more. A growth by 2.5 already raises the loss by a tenth.
SCALE_LIMIT = 2.0


def sum_of_weights(data: Data) -> float:
    """sum_i w_i; without weights the number of rows."""
    return data.reduce(_sum_of_weights)


def baseline_loss(data: Data) -> float:
    """The log loss of the best constant predictor: the entropies of the base rates, in nats."""
    zeros, ones = data.reduce(_target_weights)
    rates = ones / (zeros + ones)  # 0 or 1 only if all targets are
    return float((entr(rates) + entr(1 - rates)).sum())


class Moments(NamedTuple):
    """Weighted mean and variance of each feature, and the sum of the weights."""

    mean: Array  # (n_x,)
    var: Array  # (n_x,)
    n_samples: float

    def combined_with(self, other: Moments) -> Moments:
        """The moments of both sets of rows together.

        T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample variance",
        The American Statistician 37, 1983, equation (2.1).
        """
        n = self.n_samples + other.n_samples
        fraction = other.n_samples / n
        delta = other.mean - self.mean
        var = self.var + fraction * (other.var - self.var) + fraction * (1 - fraction) * delta**2
        return Moments(self.mean + fraction * delta, var, n)

    def std(self) -> Array:
        """The standard deviations; 0 if one is only the rounding error of the mean."""
        std: Array = np.sqrt(self.var)
        std[std <= CONSTANT_RTOL * np.abs(self.mean)] = 0.0
        return std

    def squared_norm(self, *, standardize: bool) -> float:
        """The mean of ||x||^2 over the rows."""
        if standardize:
            return float((self.std() > 0).sum())
        return float((self.var + self.mean**2).sum())

    def scale(self) -> Array:
        """The standard deviations, with 1 for constant features."""
        std = self.std()
        scale: Array = np.where(std > 0, std, 1.0)
        return scale


def rescaled(
    params: Parameters, reference: tuple[Array, Array], now: Moments
) -> tuple[Parameters, tuple[Array, Array]]:
    """The network for features whose scale has grown much, and its new reference.

    ``params`` are for X as it is. ``reference`` is the mean and the scale ``(n_x,)`` of the
    features that W1 suits; the scale is 0 for a feature that was constant, whose weights have no
    unit. The spread of a feature is its root mean square distance, by the moments ``now``, from the
    mean of the reference. If it is more than ``SCALE_LIMIT`` scales, the weights of the feature
    would saturate the hidden units. They are divided by the growth of the scale. In the new scale
    the earlier rows have almost one value of this feature, so

    - if other features have kept their scale, z1 at the mean of the reference stays, and with it
      what was learnt from those features;
    - otherwise the hidden units move to the mean ``now``, and b2 keeps the output at the mean of
      the reference.

    The result does not depend on the units of the features. If no scale has grown much, the
    arguments are returned as they are.
    """
    mean, scale = reference
    spread = np.sqrt(now.var + (now.mean - mean) ** 2)
    spread[spread <= CONSTANT_RTOL * np.abs(mean)] = 0.0
    grown = spread > SCALE_LIMIT * scale
    if not grown.any():
        return params, reference
    # After a shift the standard deviation alone would be too small.
    new_scale = np.where(grown, np.maximum(now.std(), spread / SCALE_LIMIT), scale)
    growth = np.where(grown, new_scale / np.where(scale > 0, scale, 1.0), 1.0)
    new_mean = now.mean if (grown | (scale == 0)).all() else mean
    W1 = params.W1 / growth
    z1 = params.b1 + params.W1 @ mean[:, np.newaxis]
    b1 = z1 - W1 @ new_mean[:, np.newaxis]
    change = sigmoid(b1 + W1 @ mean[:, np.newaxis]) - sigmoid(z1)
    new = Parameters(W1, b1, params.W2, params.b2 - params.W2 @ change)
    new = Parameters(*(a.astype(old.dtype) for a, old in zip(new, params, strict=True)))
    return new, (new_mean, new_scale)


def feature_moments(data: Data) -> Moments:
    """The moments of the rows of a data set, in float64."""
    total = sum_of_weights(data)
    if isinstance(data, BlockedData) and data.is_sparse:
        X, w = (None if A is None else A.astype(np.float64) for A in (data.X, data.weights))
        mean, var = mean_variance_axis(X, axis=0, weights=w)
    else:
        mean = data.reduce(_feature_sums) / total
        var = data.reduce(partial(_feature_squares, mean=mean)) / total
    return Moments(mean, var, total)


def max_abs_features(data: Data) -> Array:
    """The largest absolute value of each feature."""
    if isinstance(data, BlockedData) and data.is_sparse:
        low, high = min_max_axis(data.X, axis=0)
        return np.asarray(np.maximum(-low, high))
    largest: Array = data.reduce(_max_abs, np.maximum)
    return largest


# The functions of one block. They are at module level because a cluster pickles them.


def _sum_of_weights(block: Block) -> float:
    if block.weights is None:
        return float(block.Y.shape[1])
    return float(block.weights.sum(dtype=np.float64))


def _target_weights(block: Block) -> Array:
    """sum_i w_i (1 - y_i) and sum_i w_i y_i of each output, ``(2, n_y)``."""
    Y = block.Y.astype(np.float64, copy=False)
    return np.array([_weighted_sum(1 - Y, block), _weighted_sum(Y, block)])


def _feature_sums(block: Block) -> Array:
    return _weighted_sum(block.X.astype(np.float64, copy=False), block)


def _feature_squares(block: Block, mean: Array) -> Array:
    """sum_i w_i (x_i - mean)^2."""
    return _weighted_sum(np.square(block.X - mean[:, np.newaxis]), block)


def _max_abs(block: Block) -> Array:
    largest: Array = np.maximum(-block.X.min(axis=1), block.X.max(axis=1))
    return largest


def _weighted_sum(columns: Array, block: Block) -> Array:
    weights = np.ones(columns.shape[1]) if block.weights is None else block.weights
    # Not "@": its sums differ if an array from a network lies at an odd address.
    weighted_sum: Array = np.dot(columns, weights.astype(np.float64, copy=False))
    return weighted_sum
