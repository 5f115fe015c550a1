"""The penalty: its effect, and ``alpha="scale"``."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.helpers import make_clf, standardized_W1


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
@pytest.mark.filterwarnings("ignore:The classes can be separated")  # without a penalty
def test_larger_alpha_gives_smaller_weights(zeros_and_ones, solver):
    X, y = zeros_and_ones
    clf, sizes = make_clf(solver=solver, max_iter=200), []
    for alpha in 0.0, 1e-3, 1e-2, 1e-1:
        clf.set_params(alpha=alpha).fit(X, y)
        sizes.append([np.abs(standardized_W1(clf)).sum(), np.abs(clf.W2_).sum()])
    assert (np.diff(sizes, axis=0) < 0).all()


def test_alpha_scale_divides_by_the_weights(small_moons):
    X, y = small_moons
    weights = np.arange(len(y)) % 4
    for w, total in (None, 100), (weights, weights.sum()), (np.full(100, 3.0), 300):
        clf = make_clf(max_iter=5).fit(X, y, sample_weight=w)
        assert clf.alpha_ == pytest.approx(2 / 16 / total, rel=1e-12)
    assert make_clf(alpha=0.0625).fit(X, y).alpha_ == 0.0625


@pytest.mark.parametrize(("n_x", "factor"), [(1, 1 / 16), (15, 15 / 16), (16, 1), (40, 1)])
def test_alpha_scale_grows_to_that_of_logistic_regression(n_x, factor):
    X = np.random.RandomState(0).standard_normal((100, n_x))
    clf = make_clf().fit(X, (X[:, 0] > 0).astype(int))
    assert clf.alpha_ == pytest.approx(factor / 100, rel=1e-12)


@pytest.mark.parametrize("multilabel", [False, True])
def test_alpha_scale_treats_weights_as_repeated_rows(small_moons, multilabel):
    X, y = small_moons
    y, times = np.column_stack([y, X[:, 0] > 0.5]) if multilabel else y, np.arange(100) % 3
    weighted = make_clf().fit(X, y, sample_weight=times)
    repeated = make_clf().fit(X.repeat(times, axis=0), y.repeat(times, axis=0))
    assert weighted.alpha_ == pytest.approx(repeated.alpha_, rel=1e-12)
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-10)


def test_alpha_scale_counts_class_weight(small_moons):
    X, y = small_moons
    y, weights = y[:70], np.arange(1, 71.0)  # 50 rows of one class
    X = X[:70]

    def alpha(class_weight, sample_weight=None):
        return make_clf(class_weight=class_weight).fit(X, y, sample_weight).alpha_ / (2 / 16)

    n, total = np.bincount(y), np.bincount(y, weights)
    assert alpha({0: 1, 1: 10}) == pytest.approx(1 / (n[0] + 10 * n[1]), rel=1e-12)
    assert alpha({0: 3, 1: 3}) == pytest.approx(1 / (3 * 70), rel=1e-12)
    assert alpha("balanced") == pytest.approx(1 / 70, rel=1e-12)
    assert alpha({1: 10}, weights) == pytest.approx(1 / (total[0] + 10 * total[1]), rel=1e-12)
    assert alpha("balanced", weights) == pytest.approx(1 / weights.sum(), rel=1e-12)


def test_alpha_scale_counts_rows_of_the_validation_split(small_moons):
    clf = make_clf(early_stopping=True, validation_fraction=0.2).fit(*small_moons)
    assert clf.alpha_ == pytest.approx(2 / 16 / 100)
