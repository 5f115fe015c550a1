"""Logits of many rows, and labels and probabilities from logits."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn import config_context

from tests.helpers import N_H, N_X, N_Y, M, random_problem
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _base, _checks, _network, _prediction
from two_layer_sigmoid._network import Parameters
from two_layer_sigmoid._targets import Targets


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_logits_are_nan_after_overflow(n_jobs):
    X, _, theta, _ = random_problem()
    params = Parameters.views(theta, N_X, N_H, N_Y)
    X = X.copy()
    X[777] = 1e308
    with np.errstate(over="ignore", invalid="ignore"):
        Z2 = _prediction.logits(X, params, forward=_network.forward_propagation, n_jobs=n_jobs)
        expected = _network.forward_propagation(X.T, params)[1].Z2.T
    assert_array_equal(np.isnan(Z2).any(axis=1), np.arange(M) == 777)
    assert_allclose(np.delete(Z2, 777, axis=0), np.delete(expected, 777, axis=0), rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
def test_float32_logits_are_computed_in_float32():
    X, _, theta, _ = random_problem()
    params = Parameters.views(theta.astype("f4"), N_X, N_H, N_Y)
    Z2 = _prediction.logits(X.astype("f4"), params, forward=_network.forward_propagation, n_jobs=1)
    assert Z2.dtype == np.float32
    expected = _network.forward_propagation(X.T, Parameters.views(theta, N_X, N_H, N_Y))[1].Z2.T
    assert_allclose(Z2, expected, rtol=1e-4, atol=1e-5)


TWO = Targets(np.array([0, 1]), False)
THREE = Targets(np.array([5, 6, 7]), False)
MULTILABEL = Targets(np.arange(3), True)


def test_class_1_needs_more_than_one_half():
    targets = Targets(np.array(["no", "yes"]), False)
    tiny = np.finfo(float).tiny  # its sigmoid rounds to 0.5, yet it is above
    assert_array_equal(
        targets.labels(np.array([[-1.0], [0.0], [tiny], [1.0]])),
        ["no", "no", "yes", "yes"],
    )
    Z2 = np.array([[-3.0, -2, -1], [50, 60, 40]])
    assert_array_equal(THREE.labels(Z2), [7, 6])
    assert_array_equal(MULTILABEL.labels(Z2), [[0, 0, 0], [1, 1, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("targets", [THREE, MULTILABEL], ids=["multiclass", "multilabel"])
def test_probabilities_agree_with_their_logarithms(dtype, targets):
    z = np.array([-800, -30, -1, 0, 1, 30, 800], dtype)
    Z2 = np.column_stack([z, z[::-1], 0.5 * z])
    P, log_P = targets.probabilities(Z2), targets.log_probabilities(Z2)
    assert P.dtype == log_P.dtype == dtype
    assert (P > 0).all()
    assert (P < 1).all()
    assert np.isfinite(log_P).all()
    inside = log_P > np.log(np.finfo(dtype).tiny)
    tol = 10 * np.finfo(dtype).eps
    assert_allclose(log_P[inside], np.log(P[inside]), rtol=tol, atol=tol)
    if targets.is_multilabel:
        assert_allclose(P, expit(Z2), rtol=tol, atol=np.finfo(dtype).tiny)
    else:
        assert_allclose(P.sum(axis=1), 1, rtol=tol)


def test_log_probabilities_sort_like_probabilities():
    Z2 = np.array([[-900.0, -800.0, 5.0], [-800.0, -900.0, 5.0], [-1e6, 3.0, -2e6]])
    P, log_P = THREE.probabilities(Z2), THREE.log_probabilities(Z2)
    assert_array_equal(np.argsort(log_P), np.argsort(P))
    assert_allclose(log_P, np.log(P), rtol=1e-12, atol=1e-15)


def test_log_probabilities_are_bounded():
    log_P = TWO.log_probabilities(np.array([[-1e6]]))
    assert_array_equal(log_P[0, 1], 8 * np.log(np.finfo(float).tiny))


def test_one_logit_gives_both_probabilities():
    Z2 = np.array([[-800.0], [-1.0], [800.0]])
    P = TWO.probabilities(Z2)
    assert_allclose(P[:, 1], [0, expit(-1.0), 1], atol=1e-15)
    assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
    log_P = TWO.log_probabilities(Z2)
    assert_array_equal(log_P[0], [0, -800])
    assert_array_equal(log_P[2], [-800, 0])


def test_very_negative_logits_are_normalised():
    P = THREE.probabilities(np.array([[-1000.0, -1000.0, -1001.0]]))
    expected = np.exp([0, 0, -1.0])
    assert_allclose(P, [expected / expected.sum()])


# The fast path of validation


def rows_of_every_kind(X):
    """Inputs that validation returns as they are, and others, by name."""
    pd = pytest.importorskip("pandas")
    one = X[:1]
    with_nan, with_inf, large = X[:3].copy(), X[:3].copy(), X[:3].copy()
    with_nan[1, 1], with_inf[2, 0], large[:] = np.nan, -np.inf, np.finfo(X.dtype).max / 2
    return {
        "one row": one,
        "ten rows": X[:10],
        "all rows": X,
        "Fortran order": np.asfortranarray(X[:10]),
        "every second row, backwards": X[::-2],
        "other dtype": X[:3].astype("f4" if X.dtype == "f8" else "f8"),
        "other byte order": X[:3].astype(X.dtype.newbyteorder()),
        "integers": X[:3].astype(int),
        "objects": X[:3].astype(object),
        "list": X[:3].tolist(),
        "strings": X[:3].astype(str),
        "words": np.array([["a", "b"]]),
        "complex": X[:3].astype(complex),
        "data frame": pd.DataFrame(X[:3], columns=["a", "b"]),
        "other names": pd.DataFrame(X[:3], columns=["b", "a"]),
        "sparse": csr_array(X[:3]),
        "matrix": np.matrix(X[:3]),
        "masked": np.ma.masked_array(X[:3], X[:3] > 0),
        "NaN": with_nan,
        "infinity": with_inf,
        "large": large,
        "one dimension": X[0],
        "three dimensions": X[np.newaxis],
        "no rows": X[:0],
        "no columns": X[:3, :0],
        "too many columns": np.hstack([X[:3], X[:3]]),
        "a number": np.float64(1.0),
        "nothing": None,
    }


def outcome(predict, X):
    """What a prediction returns or raises, and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = predict(X)
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
    return result, [f"{w.category.__name__}: {w.message}" for w in caught]


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("assume_finite", [False, True])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_fast_validation_changes_nothing(small_moons, dtype, assume_finite, names, monkeypatch):
    pd = pytest.importorskip("pandas")
    X, y = small_moons[0].astype(dtype), small_moons[1]
    clf = TwoLayerSigmoidClassifier(max_iter=20, random_state=0)
    clf.fit(pd.DataFrame(X, columns=["a", "b"]) if names else X, y)
    methods = "decision_function", "predict", "predict_proba", "predict_log_proba"
    inputs = rows_of_every_kind(X)

    def outcomes():
        with config_context(assume_finite=assume_finite):
            return {
                (name, method): outcome(getattr(clf, method), rows)
                for name, rows in inputs.items()
                for method in methods
            }

    fast = outcomes()
    monkeypatch.setattr(_checks, "needs_no_conversion", lambda *_: False)
    slow = outcomes()
    for key, (result, messages) in slow.items():
        assert_array_equal(fast[key][0], result, err_msg=str(key))
        assert type(fast[key][0]) is type(result), key
        assert fast[key][1] == messages, key


def test_fast_validation_is_used(small_moons, monkeypatch):
    X, y = small_moons
    clf = TwoLayerSigmoidClassifier(max_iter=20, random_state=0).fit(X, y)
    before = clf.predict_proba(X[:1])
    monkeypatch.setattr(_base, "validate_data", None)
    assert_array_equal(clf.predict_proba(X[:1]), before)
    with pytest.raises(TypeError, match="not callable"):
        clf.predict_proba(X[:1].tolist())
