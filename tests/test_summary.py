"""The summary of a data set."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from tests.helpers import M, blocked, random_problem
from two_layer_sigmoid._summary import Summary


def summary_of(*rows, weights=None):
    return blocked(*rows, weights=weights).reduce(Summary.of_block)


@pytest.mark.usefixtures("small_blocks")
def test_sum_of_weights_counts_rows_without_weights():
    X, Y, _, weights = random_problem()
    assert summary_of(X, Y).n_samples == M
    assert summary_of(X, Y, weights=weights).n_samples == weights.sum()
    assert summary_of(X.astype("f4"), Y, weights=np.full(M, 0.1)).n_samples == pytest.approx(
        M * np.float64(np.float32(0.1)), rel=1e-12
    )


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_moments_equal_numpy(kind, weighted):
    X, _, _, weights = random_problem()
    X = np.c_[X * [1, 100, 1e-3] + [0, -5, 2], np.full(M, 0.1)]
    w = weights if weighted else None
    expected = np.average(X, axis=0, weights=w)
    moments = summary_of(kind(X), weights=w)
    assert moments.n_samples == (weights.sum() if weighted else M)
    assert_allclose(moments.mean, expected, rtol=1e-12, atol=1e-14)
    expected_std = np.sqrt(np.average((X - expected) ** 2, axis=0, weights=w))
    assert_allclose(moments.std[:3], expected_std[:3], rtol=1e-12)
    assert moments.std[3] == 0  # constant, though 0.1 is no binary fraction
    assert_array_equal(moments.scale, [*moments.std[:3], 1])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_combined_moments_equal_standard_scaler(weighted, offset):
    X, _, _, weights = random_problem()
    X = X * [1, 100, 1e-3] + offset
    scaler, combined = StandardScaler(), None
    for rows in np.split(np.arange(M), [1, 10, 500]):
        w = 1 + weights[rows] if weighted else None
        scaler.partial_fit(X[rows], sample_weight=w)
        moments = summary_of(X[rows], weights=w)
        combined = combined + moments if combined else moments
    assert_allclose(combined.n_samples, (1 + weights).sum() if weighted else M)
    assert_allclose(combined.mean, scaler.mean_, rtol=1e-12, atol=1e-14)
    if offset == 0:  # StandardScaler loses more digits than we do
        assert_allclose(combined.var, scaler.var_, rtol=1e-10)
    whole = summary_of(X, weights=1 + weights if weighted else None)
    assert_allclose(combined.mean, whole.mean, rtol=1e-12, atol=1e-14)
    assert_allclose(combined.var, whole.var, rtol=1e-10 if offset == 0 else 1e-5)


@pytest.mark.parametrize("seed", range(2))
def test_baseline_loss_of_constant_targets_is_zero(seed):
    random_state = np.random.RandomState(seed)
    w = random_state.uniform(0, 1, M)
    y = random_state.randint(2, size=M)
    one, three = np.array([y]), np.array([np.zeros(M), np.ones(M), y])
    X = np.zeros((M, 1))
    assert summary_of(X, three[:2], weights=w).baseline_loss == 0
    one_loss = summary_of(X, one, weights=w).baseline_loss
    assert summary_of(X, three, weights=w).baseline_loss == pytest.approx(one_loss, rel=1e-12)
    assert one_loss > 0


def test_float32_statistics_are_computed_in_float64():
    X = np.full((10**6, 1), 16777216.0, np.float32)
    X[::2] += 2
    moments = summary_of(X)
    assert (moments.mean.item(), moments.std.item()) == (16777217.0, 1.0)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_std_below_rounding_error_is_zero(scale):
    X = scale * np.array([[1.0], [1.0 + 1e-10], [1.0 - 1e-10]])
    std = summary_of(X).std.item()
    assert std == pytest.approx(scale * 1e-10 * np.sqrt(2 / 3), rel=1e-4)
    constant = summary_of(scale * (1 + (X / scale - 1) * 1e-4))
    assert (constant.std.item(), constant.scale.item()) == (0, 1)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_max_abs_of_each_feature(kind):
    X = kind(np.array([[1.0, -5.0, 0.0], [2.0, 3.0, -0.5], [-1.0, 4.0, 0.0]]))
    assert_array_equal(summary_of(X).max_abs, [2.0, 5.0, 0.5])


@pytest.mark.usefixtures("small_blocks")
def test_max_abs_covers_all_blocks():
    X, *_ = random_problem()
    assert_array_equal(summary_of(X).max_abs, np.abs(X).max(axis=0))


def test_baseline_loss_is_that_of_base_rates():
    y, w, rate = np.array([[0.0, 1, 1, 1]]), np.array([1, 2, 1, 1]), 4 / 5
    expected = log_loss(y[0], np.full(4, rate), sample_weight=w)
    assert_allclose(summary_of(np.zeros((4, 1)), y, weights=w).baseline_loss, expected)
    constant = np.array([[0.0, 0, 0, 0], [1, 1, 1, 1]])
    assert summary_of(np.zeros((4, 1)), constant).baseline_loss == 0
    assert summary_of(np.zeros((4, 1)), constant).plateau == np.inf
