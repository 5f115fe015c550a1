"""Training on standardised features."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from tests.helpers import SOLVER_SETTINGS, WEIGHTS, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifier


@pytest.fixture
def raw_blobs(three_blobs):
    """Features with other means and standard deviations, and the same after StandardScaler."""
    X, y = three_blobs
    X = X * [0.01, 30] + [5, -200]
    return X, StandardScaler().fit_transform(X), y


@pytest.mark.parametrize("setting", [*SOLVER_SETTINGS, {"n_init": 3}, {"early_stopping": True}])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_standardize_equals_standardised_features(raw_blobs, setting):
    X, X_scaled, y = raw_blobs
    setting = {"alpha": "scale"} | setting | {"max_iter": 8}
    clf = make_clf(**setting | {"standardize": True})
    scaled = make_clf(**setting | {"standardize": False})
    if setting.get("early_stopping"):  # the scaler has seen the validation set
        sets = {"X_val": X[::5], "y_val": y[::5]}
        clf.fit(X, y, **sets)
        scaled.fit(X_scaled, y, **sets | {"X_val": X_scaled[::5]})
        assert_allclose(clf.validation_loss_curve_, scaled.validation_loss_curve_, rtol=1e-10)
    else:
        clf.fit(X, y)
        scaled.fit(X_scaled, y)
    assert scaled.scale_ is None
    assert_allclose(clf.mean_, X.mean(axis=0))
    assert_allclose(clf.scale_, X.std(axis=0))
    assert_allclose(clf.loss_curve_, scaled.loss_curve_, rtol=1e-10)
    assert_allclose(clf.loss_, scaled.loss_, rtol=1e-8)
    assert_allclose(clf.W1_ * clf.scale_, scaled.W1_, rtol=1e-7)
    b1 = clf.b1_ + clf.W1_ @ clf.mean_[:, np.newaxis]
    assert_allclose(b1, scaled.b1_, rtol=1e-7, atol=1e-10)
    assert_allclose(clf.predict_proba(X), scaled.predict_proba(X_scaled), rtol=1e-7)


@pytest.mark.parametrize("standardize", [False, True])
def test_initial_arrays_are_for_raw_features(raw_blobs, standardize):
    X, _, y = raw_blobs
    X = X * [100, 0.1]
    random_state = np.random.RandomState(0)
    start = tuple(random_state.standard_normal(s) for s in [(4, 2), (4, 1), (3, 4), (3, 1)])
    clf = make_clf(n_h=4, init=start, learning_rate=1e-12, max_iter=1, standardize=standardize)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y)
    for name, given in zip(WEIGHTS, start, strict=True):
        assert_allclose(getattr(clf, name), given, rtol=1e-9)


def test_standardize_ignores_constant_features(raw_blobs):
    X, _, y = raw_blobs
    constant = np.c_[X, np.full(len(X), 0.1), np.full(len(X), 1e6)]
    clf = make_clf(max_iter=8, alpha=0).fit(constant, y)
    assert_array_equal(clf.scale_[2:], 1)
    assert_allclose(clf.mean_[2:], [0.1, 1e6])
    start = make_clf(max_iter=1, learning_rate=1e-300, alpha=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the plateau
        start.fit(constant, y)
    # No gradient: they keep their initial weights.
    assert_allclose(clf.W1_[:, 2:], start.W1_[:, 2:], rtol=1e-6, atol=1e-9)


def test_means_far_from_zero_do_not_matter(moons):
    X, y = moons
    clf = make_clf(max_iter=300)
    centred = clone(clf).fit(X, y)
    far = clone(clf).fit(X + 1e8, y)
    assert abs(far.score(X + 1e8, y) - centred.score(X, y)) <= 0.002
    assert_allclose(far.loss_, centred.loss_, rtol=1e-4)


@pytest.mark.parametrize(
    "fit", [TwoLayerSigmoidClassifier.fit, TwoLayerSigmoidClassifier.partial_fit]
)
def test_statistics_are_fitted_attributes(small_moons, fit):
    X, y = small_moons
    clf = make_clf()
    fit(clf, X, y, **({} if fit is TwoLayerSigmoidClassifier.fit else {"classes": [0, 1]}))
    assert_allclose(clf.mean_, X.mean(axis=0))
    assert_allclose(clf.var_, X.var(axis=0))
    assert_allclose(clf.scale_, X.std(axis=0))
    assert clf.n_samples_seen_ == 100
    clf.set_params(standardize=False).fit(X, y)
    assert clf.scale_ is None
    assert_allclose(clf.mean_, X.mean(axis=0))


# Data in parts


def test_means_of_partial_fit_are_of_all_rows(raw_blobs):
    X, _, y = raw_blobs
    clf, scaler = make_clf(), StandardScaler()
    for rows in np.split(np.arange(120), [50, 100]):
        clf.partial_fit(X[rows], y[rows], classes=np.unique(y))
        scaler.partial_fit(X[rows])
        assert_allclose(clf.mean_, scaler.mean_, rtol=1e-12)
        assert_allclose(clf.scale_, scaler.scale_, rtol=1e-10)
        assert_allclose(clf.alpha_ * scaler.n_samples_seen_, 2 / 16 / np.sqrt(3))


def test_partial_fit_converts_weights_to_new_means(raw_blobs):
    """New means move the standardised coordinates, but not the network."""
    X, _, y = raw_blobs
    clf = make_clf(alpha=0).partial_fit(X[:60], y[:60], classes=np.unique(y))
    P = clf.predict_proba(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.set_params(learning_rate=1e-300).partial_fit(X[60:], y[60:])
    assert_allclose(clf.mean_, X.mean(axis=0))
    assert_allclose(clf.predict_proba(X), P, rtol=1e-9)


def late_feature():
    """X and y, and 100 rows in which the first feature is still constant."""
    X = np.random.RandomState(0).standard_normal((500, 2))
    y = (X.sum(axis=1) > 0).astype(int)
    X = X * [1e5, 1] + [3e5, 0]
    early = X[:100].copy()
    early[:, 0] = 7
    return X, y, early


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_partial_fit_learns_a_feature_that_was_constant(dtype):
    X, y, early = late_feature()
    X, early = X.astype(dtype), early.astype(dtype)
    clf = make_clf(n_h=8).partial_fit(early, y[:100], classes=[0, 1])
    before = clf.decision_function(early)
    clf.set_params(learning_rate=1e-12).partial_fit(X, y)  # the scale changes, not the network
    assert_allclose(clf.decision_function(early), before, rtol=1e-3)
    clf.set_params(learning_rate=1.2)
    for _ in range(60):
        clf.partial_fit(X, y)
    assert clf.W1_.dtype == clf.b1_.dtype == dtype
    assert clf.score(X, y) > 0.98


def test_warm_fit_learns_a_feature_that_was_constant():
    X, y, early = late_feature()
    clf = make_clf(n_h=8, max_iter=60, warm_start=True).fit(early, y[:100])
    assert clf.fit(X, y).score(X, y) > 0.98
