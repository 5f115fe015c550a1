"""Statistics of a data set: means, standard deviations, largest entries, base rates.

Every sum is a reduction over blocks in the fixed order, so it has the same bits in memory and on a
cluster.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import entr
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from ._blocks import Block, BlockedData, Data
from ._network import Array

CONSTANT_RTOL = 1e-12  # a standard deviation below this times the mean is a rounding error


def sum_of_weights(data: Data) -> float:
    """sum_i w_i; without weights the number of rows."""
    return data.reduce(_sum_of_weights)


def baseline_loss(data: Data) -> float:
    """The log loss of the best constant predictor: the entropies of the base rates, in nats."""
    zeros, ones = data.reduce(_target_weights)
    rates = ones / (zeros + ones)  # 0 or 1 only if all targets are
    return float((entr(rates) + entr(1 - rates)).sum())


def feature_mean_std(data: Data) -> tuple[Array, Array]:
    """Weighted mean and standard deviation of each feature, in float64.

    A standard deviation that is only the rounding error of the mean is returned as zero.
    """
    if isinstance(data, BlockedData) and data.is_sparse:
        X, w = (None if A is None else A.astype(np.float64) for A in (data.X, data.weights))
        mean, variance = mean_variance_axis(X, axis=0, weights=w)
    else:
        total = sum_of_weights(data)
        mean = data.reduce(_feature_sums) / total
        variance = data.reduce(partial(_feature_squares, mean=mean)) / total
    std = np.sqrt(variance)
    std[std <= CONSTANT_RTOL * np.abs(mean)] = 0.0
    return mean, std


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
