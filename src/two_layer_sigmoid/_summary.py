"""The summary of a data set: the statistics that training needs, by one reduction over its blocks.

To add a statistic, add a field, compute it in :meth:`Summary.of_block`, and merge it in ``+``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from scipy.special import entr
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from ._network import Array

CONSTANT_RTOL = 1e-12  # a standard deviation below this times the mean is rounding error
PLATEAU_RTOL = 0.01  # a loss this close to that of the best constant prediction is on the plateau


@dataclass(frozen=True)
class Summary:
    """Weighted statistics of some rows, in float64. ``+`` gives those of both sets together."""

    n_samples: float  # the sum of the weights
    mean: Array  # (n_x,), of each feature
    var: Array  # (n_x,)
    max_abs: Array  # (n_x,), the largest absolute value
    target_weights: Array  # (2, n_y), sum_i w_i (1 - y_i) and sum_i w_i y_i

    @classmethod
    def of_block(cls, X: Any, Y: Array, weights: Array | None) -> Summary:
        """The summary of one block: X ``(n_x, b)``, Y ``(n_y, b)`` and weights ``(b,)``."""
        X, Y = X.astype(np.float64, copy=False), Y.astype(np.float64, copy=False)
        w = np.ones(Y.shape[1]) if weights is None else weights.astype(np.float64, copy=False)
        total = float(w.sum())
        if issparse(X):
            mean, var = mean_variance_axis(X, axis=1, weights=w)
            low, high = min_max_axis(X, axis=1)
        else:
            mean = np.dot(X, w) / total
            var = np.dot(np.square(X - mean[:, np.newaxis]), w) / total
            low, high = X.min(axis=1), X.max(axis=1)
        target_weights = np.array([np.dot(1 - Y, w), np.dot(Y, w)])
        return cls(total, mean, var, np.maximum(-low, high), target_weights)

    def __add__(self, other: Summary) -> Summary:
        """The summary of both sets of rows.

        T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample variance",
        The American Statistician 37, 1983, equation (2.1).
        """
        n = self.n_samples + other.n_samples
        fraction = other.n_samples / n
        delta = other.mean - self.mean
        return Summary(
            n,
            self.mean + fraction * delta,
            self.var + fraction * (other.var - self.var) + fraction * (1 - fraction) * delta**2,
            np.maximum(self.max_abs, other.max_abs),
            self.target_weights + other.target_weights,
        )

    # Not cached: in Python 3.11 functools.cached_property has a lock, which a forked child can
    # inherit locked.

    @property
    def std(self) -> Array:
        """The standard deviations ``(n_x,)``, with 0 for those that are only rounding error."""
        std: Array = np.sqrt(self.var)
        std[std <= CONSTANT_RTOL * np.abs(self.mean)] = 0.0
        return std

    @property
    def scale(self) -> Array:
        """The standard deviations ``(n_x,)``, with 1 for constant features."""
        return np.where(self.std > 0, self.std, 1.0)

    @property
    def baseline_loss(self) -> float:
        """The log loss of the best constant prediction: the entropies of the base rates, in nats.

        0 if all targets of each output are equal.
        """
        zeros, ones = self.target_weights
        rates = ones / (zeros + ones)  # 0 or 1 only if all targets are equal
        return float((entr(rates) + entr(1 - rates)).sum())

    @property
    def plateau(self) -> float:
        """The lowest loss on the plateau; infinite if a constant prediction has no loss."""
        return (1 - PLATEAU_RTOL) * self.baseline_loss or math.inf
