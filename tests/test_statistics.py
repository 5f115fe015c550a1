"""Statistics of a data set."""

import numpy as np
import pytest
from helpers import M, blocked, random_problem
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from two_layer_sigmoid._statistics import (
    baseline_loss,
    feature_moments,
    max_abs_features,
    sum_of_weights,
)


@pytest.mark.usefixtures("small_blocks")
def test_sum_of_weights_counts_rows_without_weights():
    X, Y, _, weights = random_problem()
    assert sum_of_weights(blocked(X, Y)) == M
    assert sum_of_weights(blocked(X, Y, weights)) == weights.sum()
    assert sum_of_weights(blocked(X.astype("f4"), Y, np.full(M, 0.1))) == pytest.approx(
        M * np.float64(np.float32(0.1)), rel=1e-12
    )


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_feature_moments_equal_numpy(kind, weighted):
    X, _, _, weights = random_problem()
    X = np.c_[X * [1, 100, 1e-3] + [0, -5, 2], np.full(M, 0.1)]
    w = weights if weighted else None
    expected = np.average(X, axis=0, weights=w)
    moments = feature_moments(blocked(kind(X), weights=w))
    assert moments.n_samples == (weights.sum() if weighted else M)
    assert_allclose(moments.mean, expected, rtol=1e-12, atol=1e-14)
    expected_std = np.sqrt(np.average((X - expected) ** 2, axis=0, weights=w))
    assert_allclose(moments.std()[:3], expected_std[:3], rtol=1e-12)
    assert moments.std()[3] == 0  # constant, though 0.1 is no binary fraction
    assert_array_equal(moments.scale(), [*moments.std()[:3], 1])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_combined_moments_equal_standard_scaler(weighted, offset):
    X, _, _, weights = random_problem()
    X = X * [1, 100, 1e-3] + offset
    scaler, combined = StandardScaler(), None
    for rows in np.split(np.arange(M), [1, 10, 500]):
        w = 1 + weights[rows] if weighted else None
        scaler.partial_fit(X[rows], sample_weight=w)
        moments = feature_moments(blocked(X[rows], weights=w))
        combined = combined.combined_with(moments) if combined else moments
    assert_allclose(combined.n_samples, (1 + weights).sum() if weighted else M)
    assert_allclose(combined.mean, scaler.mean_, rtol=1e-12, atol=1e-14)
    if offset == 0:  # StandardScaler loses more digits than we do
        assert_allclose(combined.var, scaler.var_, rtol=1e-10)
    whole = feature_moments(blocked(X, weights=1 + weights if weighted else None))
    assert_allclose(combined.mean, whole.mean, rtol=1e-12, atol=1e-14)
    assert_allclose(combined.var, whole.var, rtol=1e-10 if offset == 0 else 1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_baseline_loss_of_constant_targets_is_zero(seed):
    random_state = np.random.RandomState(seed)
    w = random_state.uniform(0, 1, M)
    y = random_state.randint(2, size=M)
    one, three = np.array([y]), np.array([np.zeros(M), np.ones(M), y])
    X = np.zeros((M, 1))
    assert baseline_loss(blocked(X, three[:2], w)) == 0
    expected = baseline_loss(blocked(X, one, w))
    assert 0 < baseline_loss(blocked(X, three, w)) == pytest.approx(expected, rel=1e-12)


def test_float32_statistics_are_computed_in_float64():
    X = np.full((10**6, 1), 16777216.0, np.float32)
    X[::2] += 2
    moments = feature_moments(blocked(X))
    assert (moments.mean.item(), moments.std().item()) == (16777217.0, 1.0)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_std_below_rounding_error_is_zero(scale):
    X = scale * np.array([[1.0], [1.0 + 1e-10], [1.0 - 1e-10]])
    std = feature_moments(blocked(X)).std().item()
    assert std == pytest.approx(scale * 1e-10 * np.sqrt(2 / 3), rel=1e-4)
    constant = feature_moments(blocked(scale * (1 + (X / scale - 1) * 1e-4)))
    assert (constant.std().item(), constant.scale().item()) == (0, 1)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_max_abs_features_of_each_column(kind):
    X = kind(np.array([[1.0, -5.0, 0.0], [2.0, 3.0, -0.5], [-1.0, 4.0, 0.0]]))
    assert_array_equal(max_abs_features(blocked(X)), [2.0, 5.0, 0.5])


@pytest.mark.usefixtures("small_blocks")
def test_max_abs_features_covers_all_blocks():
    X, *_ = random_problem()
    assert_array_equal(max_abs_features(blocked(X)), np.abs(X).max(axis=0))


def test_baseline_loss_is_that_of_base_rates():
    y, w, rate = np.array([[0.0, 1, 1, 1]]), np.array([1, 2, 1, 1]), 4 / 5
    expected = log_loss(y[0], np.full(4, rate), sample_weight=w)
    assert_allclose(baseline_loss(blocked(np.zeros((4, 1)), y, w)), expected)
    constant = np.array([[0.0, 0, 0, 0], [1, 1, 1, 1]])
    assert baseline_loss(blocked(np.zeros((4, 1)), constant)) == 0
