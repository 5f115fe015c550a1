"""``warm_start``: fits that continue."""

import pickle
from contextlib import nullcontext

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from tests.helpers import LECTURE, assert_allclose_weights, assert_same_weights, make_clf, penalty


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("batch_size", [None, 30])
@pytest.mark.parametrize(("setting", "rtol"), [(LECTURE, 0), ({}, 1e-10)])
def test_warm_fits_equal_one_long_fit(small_moons, momentum, batch_size, setting, rtol):
    """Bit for bit, except for the rounding errors of converting standardised weights."""
    X, y = small_moons
    options = setting | {"momentum": momentum, "batch_size": batch_size, "learning_rate": 0.3}
    whole = make_clf(max_iter=40, random_state=np.random.RandomState(0), **options).fit(X, y)
    parts = make_clf(max_iter=10, random_state=np.random.RandomState(0), warm_start=True, **options)
    curve = []
    for i in range(4):
        if i == 2:
            parts = pickle.loads(pickle.dumps(parts))
        parts.fit(X, y)
        assert parts.n_iter_ == 10
        curve += parts.loss_curve_
    assert_allclose([*curve, parts.loss_], [*whole.loss_curve_, whole.loss_], rtol)
    assert_allclose_weights(parts, whole, rtol)


@pytest.mark.parametrize("setting", [{}, {"solver": "lbfgs"}, {"batch_size": 16}])
def test_warm_fit_makes_max_iter_updates(small_moons, setting):
    clf = make_clf(warm_start=True, max_iter=10, **setting)
    for max_iter in 10, 20:
        clf.set_params(max_iter=max_iter)
        message = f"ran out of iterations.*Raise max_iter={max_iter}"
        is_lbfgs = clf.solver == "lbfgs"  # gradient descent is not meant to end before max_iter
        with pytest.warns(ConvergenceWarning, match=message) if is_lbfgs else nullcontext():
            clf.fit(*small_moons)
        assert (clf.n_iter_, clf.stop_reason_) == (max_iter, "max_iter")


def test_warm_lbfgs_continues_from_fitted_weights(moons):
    X, y = moons
    clf = make_clf(warm_start=True).fit(X, y)
    reached = clf.loss_
    clf.set_params(solver="lbfgs", max_iter=3000).fit(X, y)
    assert clf.loss_curve_[0] == reached
    assert clf.loss_ < reached


def test_warm_start_continues_with_early_stopping(small_moons):
    options = {"early_stopping": True, "n_iter_no_change": 100, "warm_start": True}
    whole = make_clf(**LECTURE, **options, max_iter=30).fit(*small_moons)
    parts = make_clf(**LECTURE, **options, max_iter=10).fit(*small_moons)
    curve = parts.validation_loss_curve_
    assert np.argmin(whole.validation_loss_curve_) == 29  # no update is undone in between
    parts.set_params(max_iter=20).fit(*small_moons)
    assert len(parts.validation_loss_curve_) == parts.n_iter_ == 20
    assert curve + parts.validation_loss_curve_ == whole.validation_loss_curve_
    assert_same_weights(parts, whole)


def test_warm_fit_learns_changed_labels(three_blobs):
    X, names = three_blobs
    y = np.unique(names, return_inverse=True)[1]
    clf = make_clf(warm_start=True, max_iter=300).fit(X, y)
    changed = (y + 1) % 3
    Z2, Y = clf.decision_function(X), changed[:, np.newaxis] == [0, 1, 2]
    start = np.logaddexp(0, np.where(Y, -Z2, Z2)).sum(axis=1).mean() + penalty(clf)
    clf.fit(X, changed)
    assert_allclose(clf.loss_curve_[0], start, rtol=1e-10)
    assert clf.score(X, changed) > 0.85


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 3], [0, 1, 2, 3], ["0", "1", "2"]], ids=str)
def test_warm_fit_needs_the_same_classes(three_blobs, labels):
    X, names = three_blobs
    y = np.unique(names, return_inverse=True)[1]
    clf = make_clf(warm_start=True).fit(X, y)
    P = clf.predict_proba(X)
    with pytest.raises(ValueError, match=r"y has the classes .*fitted to \[0, 1, 2\]"):
        clf.fit(X, np.array(labels)[np.arange(120) % len(labels)])
    assert_array_equal(clf.predict_proba(X), P)


def test_warm_fit_refuses_another_network(small_moons):
    X, y = small_moons
    clf = make_clf(warm_start=True).fit(X, y)
    before = clf.W1_.copy()
    with pytest.raises(ValueError, match=r"n_h=3, but the fitted weights have 8 hidden units"):
        clf.set_params(n_h=3).fit(X, y)
    clf.set_params(n_h=8)
    with pytest.raises(ValueError, match=r"y has the classes \[0, 1, 2\], but .* to \[0, 1\]"):
        clf.fit(X, np.arange(len(y)) % 3)
    with pytest.raises(ValueError, match=r"X has 1 features, but .* expecting 2"):
        clf.fit(X[:, :1], y)
    with pytest.raises(ValueError, match="matrix of 2 columns, but it was one column of labels"):
        clf.fit(X, np.column_stack([y, 1 - y]))
    assert_array_equal(clf.W1_, before)
    assert clf.fit(X.astype(np.float32), y).W1_.dtype == np.float32


# Momentum


def test_cold_fits_start_from_scratch(small_moons):
    clf = make_clf(momentum=0.9, learning_rate=0.1).fit(*small_moons)
    weights = clf.W1_
    assert_array_equal(clf.fit(*small_moons).W1_, weights)
    assert not hasattr(clf, "_velocity")


@pytest.mark.parametrize("without", [{"solver": "lbfgs"}, {}])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_velocity_is_dropped_without_momentum(small_moons, without):
    X, y = small_moons
    clf = make_clf(momentum=0.9, learning_rate=0.1, warm_start=True).fit(X, y)
    clf.set_params(momentum=0.0, **without, alpha=0.01).fit(X, y)
    assert not hasattr(clf, "_velocity")


def test_failed_warm_fit_keeps_the_velocity(small_moons):
    X, y = small_moons
    clf = make_clf(momentum=0.9, learning_rate=0.1, warm_start=True).fit(X, y)
    weights, velocity = clf.W1_.copy(), clf._velocity.copy()
    with pytest.raises(ConvergenceWarning):  # an error here, when all is stored already
        clf.set_params(learning_rate=1e300, alpha=1e-3).fit(X, y)
    assert_array_equal(clf.W1_, weights)
    assert_array_equal(clf._velocity, velocity)
