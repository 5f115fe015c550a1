"""Logits of many rows, and labels and probabilities from logits."""

import numpy as np
import pytest
from helpers import N_H, N_X, N_Y, M, random_problem
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from two_layer_sigmoid import _network, _prediction
from two_layer_sigmoid._network import Parameters


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_logits_are_nan_after_overflow(n_jobs):
    X, _, theta, _ = random_problem()
    params = Parameters.views(theta, N_X, N_H, N_Y)
    X = X.copy()
    X[777] = 1e308
    with np.errstate(over="ignore", invalid="ignore"):
        Z2 = _prediction.logits(X, params, forward=_network.forward, n_jobs=n_jobs)
        expected = _network.forward(X.T, params)[1].Z2.T
    assert_array_equal(np.isnan(Z2).any(axis=1), np.arange(M) == 777)
    assert_allclose(np.delete(Z2, 777, axis=0), np.delete(expected, 777, axis=0), rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_float32_logits_are_computed_in_float32(n_jobs):
    X, _, theta, _ = random_problem()
    params = Parameters.views(theta.astype("f4"), N_X, N_H, N_Y)
    Z2 = _prediction.logits(X.astype("f4"), params, forward=_network.forward, n_jobs=n_jobs)
    assert Z2.dtype == np.float32
    expected = _network.forward(X.T, Parameters.views(theta, N_X, N_H, N_Y))[1].Z2.T
    assert_allclose(Z2, expected, rtol=1e-4, atol=1e-5)


def test_class_1_needs_more_than_one_half():
    classes = np.array(["no", "yes"])
    tiny = np.finfo(float).tiny  # its sigmoid rounds to 0.5, yet it is above
    assert_array_equal(
        _prediction.labels(np.array([[-1.0], [0.0], [tiny], [1.0]]), classes, False),
        ["no", "no", "yes", "yes"],
    )
    Z2 = np.array([[-3.0, -2, -1], [50, 60, 40]])
    assert_array_equal(_prediction.labels(Z2, np.array([5, 6, 7]), False), [7, 6])
    assert_array_equal(_prediction.labels(Z2, np.arange(3), True), [[0, 0, 0], [1, 1, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("multilabel", [False, True])
def test_probabilities_agree_with_their_logarithms(dtype, multilabel):
    z = np.array([-800, -30, -1, 0, 1, 30, 800], dtype)
    Z2 = np.column_stack([z, z[::-1], 0.5 * z])
    P = _prediction.probabilities(Z2, None, multilabel)
    log_P = _prediction.log_probabilities(Z2, None, multilabel)
    assert P.dtype == log_P.dtype == dtype
    assert (P > 0).all()
    assert (P < 1).all()
    assert np.isfinite(log_P).all()
    inside = log_P > np.log(np.finfo(dtype).tiny)
    tol = 10 * np.finfo(dtype).eps
    assert_allclose(log_P[inside], np.log(P[inside]), rtol=tol, atol=tol)
    if multilabel:
        assert_allclose(P, expit(Z2), rtol=tol, atol=np.finfo(dtype).tiny)
    else:
        assert_allclose(P.sum(axis=1), 1, rtol=tol)


def test_log_probabilities_sort_like_probabilities():
    Z2 = np.array([[-900.0, -800.0, 5.0], [-800.0, -900.0, 5.0], [-1e6, 3.0, -2e6]])
    P, log_P = (
        _prediction.probabilities(Z2, None, False),
        _prediction.log_probabilities(Z2, None, False),
    )
    assert_array_equal(np.argsort(log_P), np.argsort(P))
    assert_allclose(log_P, np.log(P), rtol=1e-12, atol=1e-15)


def test_log_probabilities_are_bounded():
    log_P = _prediction.log_probabilities(np.array([[-1e6]]), None, False)
    assert_array_equal(log_P[0, 1], 8 * np.log(np.finfo(float).tiny))


def test_one_logit_gives_both_probabilities():
    Z2 = np.array([[-800.0], [-1.0], [800.0]])
    P = _prediction.probabilities(Z2, None, False)
    assert_allclose(P[:, 1], [0, expit(-1.0), 1], atol=1e-15)
    assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
    log_P = _prediction.log_probabilities(Z2, None, False)
    assert_array_equal(log_P[0], [0, -800])
    assert_array_equal(log_P[2], [-800, 0])


def test_very_negative_logits_are_normalised():
    P = _prediction.probabilities(np.array([[-1000.0, -1000.0, -1001.0]]), None, False)
    expected = np.exp([0, 0, -1.0])
    assert_allclose(P, [expected / expected.sum()])
