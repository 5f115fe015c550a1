"""``sample_weight`` and ``class_weight``."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from tests.helpers import FULL_BATCH_SETTINGS, WEIGHTS, assert_same_fit, make_clf


@pytest.mark.parametrize("setting", FULL_BATCH_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_full_batch_weights_equal_repeated_rows(three_blobs, setting):
    X, y = three_blobs
    times = np.arange(len(y)) % 3
    clf = make_clf(**setting | {"alpha": 0.01})
    weighted = clone(clf).fit(X, y, sample_weight=times)
    repeated = clone(clf).fit(X.repeat(times, axis=0), y.repeat(times))
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-7)
    for name in WEIGHTS:
        assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-4, atol=1e-6)


def test_rows_of_weight_0_are_ignored(small_moons):
    X, y = small_moons
    extremes = np.r_[X, [[1e300, -1e300], [1e-300, 1e308]]]
    clf = make_clf().fit(extremes, np.r_[y, 0, 1], sample_weight=np.r_[np.ones(len(y)), 0, 0])
    assert_same_fit(clf, make_clf().fit(X, y))


def test_equal_weights_change_nothing(small_moons):
    X, y = small_moons
    clf = make_clf(early_stopping=True, batch_size=10, alpha=1e-3)
    weighted = clone(clf).fit(X, y, sample_weight=np.full(100, 3.0))
    assert_same_fit(weighted, clf.fit(X, y))


def test_class_weight_moves_the_decision(moons):
    X, y = moons
    y = y[:1100]
    X = X[:1100]
    recall = [
        make_clf(max_iter=300, class_weight=w).fit(X, y).predict(X)[y == 1].mean()
        for w in (None, {0: 1, 1: 10})
    ]
    assert recall[1] > recall[0]
    balanced = make_clf(class_weight="balanced").fit(X, y)
    rates = np.bincount(y) / len(y)
    by_hand = make_clf().fit(X, y, sample_weight=0.5 / rates[y])
    assert_allclose(balanced.loss_curve_, by_hand.loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("weighting", [{"sample_weight": [1, 0, 2]}, {"class_weight": {1: 0}}])
def test_one_class_of_positive_weight_warns(weighting):
    X, y = np.arange(3.0)[:, np.newaxis], [0, 1, 0]
    clf = make_clf(class_weight=weighting.get("class_weight"))
    message = "y holds only one class, 0, in the rows of positive weight"
    with pytest.warns(UserWarning, match=message) as caught:
        clf.fit(X, y, weighting.get("sample_weight"))
    assert [warning.filename for warning in caught] == [__file__]
    assert_array_equal(clf.classes_, [0, 1])
    assert_array_equal(clf.predict(X), 0)
