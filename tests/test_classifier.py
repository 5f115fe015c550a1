"""The estimator: what it fits, from which input, and by which solver."""

import copy
import pickle
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from tests.helpers import (
    FULL_BATCH_SETTINGS,
    LECTURE,
    SOLVER_SETTINGS,
    WEIGHTS,
    assert_allclose_weights,
    assert_same_fit,
    assert_same_weights,
    make_clf,
    penalty,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _blocks, _network

# What is fitted


def test_fitted_attributes_have_documented_shapes(three_blobs):
    X, y = three_blobs
    clf = make_clf(n_h=4).fit(X, y)
    assert [getattr(clf, name).shape for name in WEIGHTS] == [(4, 2), (4, 1), (3, 4), (3, 1)]
    assert_array_equal(clf.classes_, ["ash", "birch", "cedar"])
    assert clf.n_features_in_ == 2
    assert clf.n_iter_ == len(clf.loss_curve_) == 50
    assert clf.stop_reason_ == "max_iter"
    assert all(type(cost) is float for cost in [clf.loss_, *clf.loss_curve_])


def test_lecture_names_are_read_only(small_moons):
    clf = make_clf()
    for name in WEIGHTS:
        lecture_name = name.removesuffix("_")
        with pytest.raises(NotFittedError):
            getattr(clf, lecture_name)
    clf.fit(*small_moons)
    for name in WEIGHTS:
        lecture_name = name.removesuffix("_")
        assert getattr(clf, lecture_name) is getattr(clf, name)
        with pytest.raises(AttributeError):
            setattr(clf, lecture_name, 0)


@pytest.mark.parametrize("alpha", [0.0, 1e-3, "scale"])
@pytest.mark.parametrize("standardize", [False, True])
def test_loss_belongs_to_the_stored_weights(small_moons, alpha, standardize):
    X, y = small_moons
    clf = make_clf(alpha=alpha, standardize=standardize).fit(X, y)
    assert_allclose(clf.loss_, penalised_log_loss(clf, X, y), rtol=1e-14)


def test_loss_curve_holds_losses_before_updates(small_moons):
    short, long = make_clf(max_iter=7).fit(*small_moons), make_clf(max_iter=8).fit(*small_moons)
    assert long.loss_curve_ == [*short.loss_curve_, short.loss_]


def test_training_equals_the_lecture_loop(small_moons):
    X, y = small_moons
    start = _network.initialize_spread(2, 3, 1, random_state=np.random.RandomState(0))
    clf = make_clf(**LECTURE, n_h=3, init=tuple(start), learning_rate=1.2, max_iter=100).fit(X, y)
    W1, b1, W2, b2 = (a.copy() for a in start)
    m = len(y)
    for cost in clf.loss_curve_:
        A1 = 1 / (1 + np.exp(-(W1 @ X.T + b1)))
        A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
        assert_allclose(cost, -np.mean(y * np.log(A2) + (1 - y) * np.log(1 - A2)), rtol=1e-12)
        dZ1 = (W2.T @ (A2 - y)) * A1 * (1 - A1)
        W2 = W2 - 1.2 / m * (A2 - y) @ A1.T
        b2 = b2 - 1.2 / m * (A2 - y).sum(axis=1, keepdims=True)
        W1 = W1 - 1.2 / m * dZ1 @ X
        b1 = b1 - 1.2 / m * dZ1.sum(axis=1, keepdims=True)
    for name, array in zip(WEIGHTS, (W1, b1, W2, b2), strict=True):
        assert_allclose(getattr(clf, name), array, rtol=1e-10)


def test_refits_with_one_seed_are_identical(moons):
    assert_same_fit(make_clf().fit(*moons), make_clf().fit(*moons))
    assert make_clf(random_state=1).fit(*moons).loss_ != make_clf().fit(*moons).loss_


@pytest.mark.parametrize("copied", [clone, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_equal_the_original(small_moons, copied):
    X, y = small_moons
    clf = make_clf(
        init=tuple(_network.initialize_small(2, 8, 1, random_state=np.random.RandomState(0)))
    )
    fitted = clf.fit(X, y)
    other = copied(fitted)
    if copied is clone:
        other.fit(X, y)
    assert_same_fit(fitted, other)
    assert_array_equal(fitted.predict_proba(X), other.predict_proba(X))


def test_verbose_prints_the_cost(small_moons, capsys):
    make_clf(max_iter=20, verbose=1).fit(*small_moons)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[1].startswith("Cost after iteration 2: 0.")
    assert lines[-1].startswith("Cost after iteration 20: 0.")
    assert lines[-1].endswith(", max_iter")
    make_clf(max_iter=20, verbose=2).fit(*small_moons)
    assert len(capsys.readouterr().out.splitlines()) == 21
    make_clf(max_iter=19, verbose=1).fit(*small_moons)
    assert len(capsys.readouterr().out.splitlines()) == 11
    make_clf(max_iter=20).fit(*small_moons)
    assert capsys.readouterr().out == ""


# The five steps of the lecture


def test_lecture_steps_work_on_unfitted_estimator():
    clf = TwoLayerSigmoidClassifier(random_state=0)
    X, Y = np.random.RandomState(0).standard_normal((2, 10)), np.array([[0, 1] * 5])
    params = clf._initialize_parameters(2, 4, 1)
    assert [a.shape for a in params] == [(4, 2), (4, 1), (1, 4), (1, 1)]
    A2, cache = clf._forward(X, params)
    assert A2.shape == (1, 10)
    assert cache._fields == ("Z1", "A1", "Z2", "A2")
    cost = clf._cost(cache, Y)
    assert type(cost) is float
    assert_allclose(cost, log_loss(Y[0], A2[0]))
    grads = clf._backward(params, cache, X, Y)
    assert [g.shape for g in grads] == [p.shape for p in params]
    updated = clf._update(params, grads, 0.1)
    assert clf._cost(clf._forward(X, updated)[1], Y) < cost


class Zeros(TwoLayerSigmoidClassifier):
    def _initialize_parameters(self, n_x, n_h, n_y, **options):
        params = super()._initialize_parameters(n_x, n_h, n_y, **options)
        return params._replace(W1=0 * params.W1, W2=0 * params.W2)


class Halved(TwoLayerSigmoidClassifier):
    def _forward(self, X, params, **buffers):
        _, cache = super()._forward(X, params, **buffers)
        cache.A2[...] /= 2
        return cache.A2, cache


class Costlier(TwoLayerSigmoidClassifier):
    def _cost(self, cache, Y, **weighting):
        return 1 + super()._cost(cache, Y, **weighting)


class Slower(TwoLayerSigmoidClassifier):
    def _backward(self, params, cache, X, Y, **weighting):
        grads = super()._backward(params, cache, X, Y, **weighting)
        return _network.Parameters(*(g / 2 for g in grads))


class Signed(TwoLayerSigmoidClassifier):
    def _update(self, params, grads, learning_rate):
        steps = (learning_rate * np.sign(g) for g in grads)
        return _network.Parameters(*(p - s for p, s in zip(params, steps, strict=True)))


@pytest.mark.filterwarnings("ignore:Training ended")  # after five iterations
@pytest.mark.parametrize("subclass", [Zeros, Halved, Costlier, Slower, Signed])
def test_overriding_a_step_changes_fit(small_moons, subclass):
    params = {"max_iter": 5, "random_state": 0, "learning_rate": 0.1}
    plain = TwoLayerSigmoidClassifier(**params).fit(*small_moons)
    changed = subclass(**params).fit(*small_moons)
    assert changed.loss_curve_ != plain.loss_curve_


@pytest.mark.filterwarnings("ignore:Training ended above")  # the loss is 1 too high
def test_overridden_steps_have_the_expected_effect(small_moons):
    params = {"max_iter": 20, "alpha": 0, "random_state": 0}
    plain = TwoLayerSigmoidClassifier(**params).fit(*small_moons)
    costlier = Costlier(**params).fit(*small_moons)
    assert_allclose(costlier.loss_curve_, np.add(plain.loss_curve_, 1))
    half_rate = TwoLayerSigmoidClassifier(**params, learning_rate=0.6).fit(*small_moons)
    assert_allclose(Slower(**params).fit(*small_moons).W1_, half_rate.W1_, rtol=1e-12)


# Initialisation


def test_init_auto_depends_on_n_h(small_moons):
    for n_h, init in [(1, "small"), (2, "small"), (3, "spread"), (8, "spread")]:
        assert_same_fit(
            make_clf(n_h=n_h).fit(*small_moons), make_clf(n_h=n_h, init=init).fit(*small_moons)
        )


def test_init_spread_uses_feature_mean_and_std(small_moons):
    X, y = small_moons
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    plain = make_clf(**LECTURE, max_iter=1).fit(X, y).loss_curve_
    moved = make_clf(**LECTURE, max_iter=1).fit(X * [1, 10] + [5, -50], y).loss_curve_
    assert_allclose(moved, plain, rtol=1e-12)  # the same network, seen in other units


def test_given_init_arrays_are_copied(small_moons):
    X, y = small_moons
    start = [np.full((1, 2), 0.5), np.zeros((1, 1)), np.ones((1, 1)), np.zeros((1, 1))]
    before = copy.deepcopy(start)
    clf = make_clf(n_h=1, init=start, alpha=0).fit(X, y)
    for array, old in zip(start, before, strict=True):
        assert_array_equal(array, old)
    z2 = 1 / (1 + np.exp(-(X @ [0.5, 0.5])))
    assert_allclose(clf.loss_curve_[0], log_loss(y, 1 / (1 + np.exp(-z2))))


def test_steps_do_not_change_init_arrays():
    start = ([[1, 1]], [[0]], [[1]], [[0]])  # integers, which no step could update in place
    clf = TwoLayerSigmoidClassifier(n_h=1, init=tuple(np.array(a) for a in start))
    X, Y = np.random.RandomState(0).standard_normal((2, 10)), np.array([[0, 1] * 5])
    params = clf._initialize_parameters(2, 1, 1)
    grads = clf._backward(params, clf._forward(X, params)[1], X, Y)
    clf._update(params, grads, 0.5)
    for array, given in zip(clf.init, start, strict=True):
        assert_array_equal(array, given)


@pytest.mark.parametrize("setting", [{}, LECTURE])
def test_small_gradient_stops_training(small_moons, setting):
    clf = make_clf(**setting, tol=0.01, max_iter=3000).fit(*small_moons)
    assert clf.stop_reason_ == "converged"
    assert 0 < clf.n_iter_ < 3000
    assert max_gradient(clf, *small_moons) <= 0.01


def test_plateau_does_not_stop_training(lecture):
    X, y = lecture
    clf = make_clf(**LECTURE, n_h=2, max_iter=3000).fit(X, y)
    assert_allclose(clf.loss_curve_[300], np.log(2), rtol=2e-4)  # still there after 300 updates
    assert clf.loss_ < 0.3


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # stopped at the start
def test_extreme_tolerances_are_accepted(small_moons):
    assert make_clf(tol=1e200).fit(*small_moons).n_iter_ == 0
    assert make_clf(tol=0).fit(*small_moons).n_iter_ == 50


@pytest.mark.parametrize("value", [0, 1])
def test_all_features_can_be_constant(small_moons, value):
    X, y = small_moons
    with pytest.warns(ConvergenceWarning, match="plateau"):
        clf = make_clf().fit(np.full_like(X, value), y)
    assert_allclose(clf.predict_proba(X[:1]), [[0.5, 0.5]], atol=1e-2)


# Standardised features


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


def test_means_of_partial_fit_are_of_all_rows(raw_blobs):
    X, _, y = raw_blobs
    clf, scaler = make_clf(), StandardScaler()
    for X_part, y_part in chunks(X, y):
        clf.partial_fit(X_part, y_part, classes=np.unique(y))
        scaler.partial_fit(X_part)
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


# The penalty "scale"


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
def test_alpha_scale_ends_in_the_same_network_for_repeated_rows(small_moons, multilabel):
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


# Input of many kinds


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_have_the_dtype_of_X(moons, dtype):
    X, y = moons
    clf = TwoLayerSigmoidClassifier(random_state=0, learning_rate=np.float64(1.2), alpha=1e-3)
    clf.fit(X.astype(dtype), y)
    outputs = [clf.decision_function(X), clf.predict_proba(X), clf.predict_log_proba(X)]
    assert {a.dtype for a in [*(getattr(clf, name) for name in WEIGHTS), *outputs]} == {
        np.dtype(dtype)
    }


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_float32_features_can_have_overflowing_squares(moons, container):
    X, y = moons
    X = container((1e20 * X).astype(np.float32))
    clf = make_clf(learning_rate=1e-9, max_iter=2).fit(X, y)
    assert np.isfinite(clf.predict_proba(X)).all()


def test_float32_agrees_with_float64(moons, three_blobs):
    for X, y in moons, three_blobs:
        double = make_clf(max_iter=300).fit(X, y)
        single = make_clf(max_iter=300).fit(X.astype(np.float32), y)
        assert_allclose(single.loss_curve_, double.loss_curve_, rtol=1e-4)
        assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-4)
        assert_array_equal(single.predict(X), double.predict(X))


def test_float32_weights_count_rows(small_moons):
    X, y = small_moons
    times = np.arange(len(y)) % 3
    weighted = make_clf().fit(X.astype(np.float32), y, sample_weight=times)
    repeated = make_clf().fit(X.astype(np.float32).repeat(times, axis=0), y.repeat(times))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)


def test_rows_of_weight_0_are_ignored(small_moons):
    X, y = small_moons
    extremes = np.r_[X, [[1e300, -1e300], [1e-300, 1e308]]]
    clf = make_clf().fit(extremes, np.r_[y, 0, 1], sample_weight=np.r_[np.ones(len(y)), 0, 0])
    assert_same_fit(clf, make_clf().fit(X, y))


@pytest.mark.parametrize("init", ["small", "spread"])
def test_weight_2_equals_the_row_twice(three_blobs, init):
    X, y = three_blobs
    times = np.arange(len(y)) % 3
    clf = TwoLayerSigmoidClassifier(n_h=4, init=init, max_iter=300, random_state=0)
    weighted = clone(clf).fit(X, y, sample_weight=times)
    repeated = clone(clf).fit(X.repeat(times, axis=0), y.repeat(times))
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)
    assert_allclose(weighted.W1_, repeated.W1_, rtol=1e-9)


@pytest.mark.parametrize(
    "container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix]
)
def test_sparse_equals_dense(small_moons, container, monkeypatch):
    X, y = small_moons
    X = np.where(X > 0, X, 0)
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 0)
    monkeypatch.setattr(_blocks, "MIN_BLOCK_ROWS", 13)
    dense, from_sparse = make_clf().fit(X, y), make_clf().fit(container(X), y)
    assert_allclose(from_sparse.loss_curve_, dense.loss_curve_, rtol=1e-12)
    assert_allclose(from_sparse.predict_proba(container(X)), dense.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_caller_arrays_are_not_changed(small_moons, dtype, order):
    X, y = small_moons
    X = np.array(10 * X, dtype=dtype, order=order)
    w = np.linspace(0, 3, len(y))
    before = X.copy(), y.copy(), w.copy()
    clf = make_clf(class_weight="balanced", alpha=0.1).fit(X, y, sample_weight=w)
    clf.predict_proba(X)
    clf.score(X, y, sample_weight=w)
    for array, old in zip((X, y, w), before, strict=True):
        assert_array_equal(array, old)


def test_read_only_mapped_input_is_accepted(small_moons, tmp_path):
    X, y = small_moons
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert not mapped.flags.writeable
    assert_same_fit(make_clf().fit(mapped, y), make_clf().fit(X, y))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_set_feature_names(small_moons, frame):
    X, y = small_moons
    X_frame = frame({"left": X[:, 0], "right": X[:, 1]})
    clf = make_clf().fit(X_frame, y)
    assert_array_equal(clf.feature_names_in_, ["left", "right"])
    assert_array_equal(clf.predict(X_frame), make_clf().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(frame({"right": X[:, 1], "left": X[:, 0]}))


def test_pandas_labels_and_weights_are_accepted(small_moons):
    X, y = small_moons
    labels = pd.Series(y, index=range(7, 7 + len(y))).map({0: "no", 1: "yes"})
    clf = make_clf().fit(X, labels, sample_weight=pd.Series(np.ones(len(y))))
    assert set(clf.predict(X)) == {"no", "yes"}


@pytest.mark.skipif(
    parse_version(scipy.__version__) < parse_version("1.14"),
    reason="scikit-learn dispatches by the array API from SciPy 1.14 on",
)
def test_numpy_input_under_array_api_dispatch(small_moons):
    X, y = small_moons
    plain = make_clf().fit(X, y)
    with sklearn.config_context(array_api_dispatch=True):
        clf = make_clf().fit(X, y)
        assert_array_equal(clf.predict_proba(X), plain.predict_proba(X))
        assert clf.score(X, y) == plain.score(X, y)


# Labels of many kinds


@pytest.mark.parametrize("classes", [["no", "yes"], [False, True], [-1, 1], [0, 1], [2.0, 5.0]])
def test_two_classes_of_any_dtype(small_moons, classes):
    X, y = small_moons
    labels = np.array(classes)[y]
    clf = make_clf(alpha=1e-3, max_iter=1000).fit(X, labels)
    assert_array_equal(clf.classes_, classes)
    assert clf.predict(X).dtype == labels.dtype
    assert clf.score(X, labels) > 0.95
    z2 = clf.decision_function(X)
    assert z2.shape == (len(y),)
    assert_array_equal(clf.predict(X), np.array(classes)[(z2 > 0).astype(int)])
    assert_allclose(clf.predict_proba(X)[:, 1], 1 / (1 + np.exp(-z2)))


def test_three_classes_have_normalised_probabilities(three_blobs):
    X, y = three_blobs
    clf = TwoLayerSigmoidClassifier(random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.9
    P = clf.predict_proba(X)
    assert P.shape == (len(y), 3)
    assert_allclose(P.sum(axis=1), 1)
    assert_array_equal(clf.classes_[P.argmax(axis=1)], clf.predict(X))
    assert_array_equal(clf.classes_[clf.decision_function(X).argmax(axis=1)], clf.predict(X))
    assert_allclose(np.exp(clf.predict_log_proba(X)), P)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_multilabel_targets_have_one_output_each(container):
    X = np.random.RandomState(0).standard_normal((200, 2))
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    clf = TwoLayerSigmoidClassifier(random_state=0).fit(X, container(Y))
    assert_array_equal(clf.classes_, [0, 1, 2])
    assert clf.predict(X).shape == clf.predict_proba(X).shape == (200, 3)
    assert_array_equal(clf.predict(X), clf.predict_proba(X) > 0.5)
    assert clf.score(X, Y) > 0.9


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


@pytest.mark.parametrize("seed", range(3))
def test_lecture_run_predicts_the_four_corners(lecture, seed):
    clf = make_clf(**LECTURE, n_h=2, max_iter=3000, random_state=seed).fit(*lecture)
    assert_array_equal(clf.predict([[2, 2], [8, 8], [2, 8], [8, 2]]), [1, 1, 0, 0])
    assert min(clf.loss_curve_) < 0.19


# Early stopping


@pytest.fixture
def unbalanced():
    """97 % of one class, with overlap."""
    random_state = np.random.RandomState(0)
    y = (np.arange(1000) % 33 == 0).astype(int)
    return random_state.standard_normal((1000, 2)) + 1.5 * y[:, np.newaxis], y


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_early_stopping_keeps_the_best_weights(moons, setting):
    X, y = moons
    labels = np.array(["lower", "upper"])[y]
    w_val = np.linspace(0, 1, 500)
    clf = make_clf(**setting | {"early_stopping": True, "max_iter": 2000, "alpha": 0})
    clf.fit(
        X[:150], labels[:150], X_val=X[500:1000], y_val=labels[500:1000], sample_weight_val=w_val
    )
    best = log_loss(labels[500:1000], clf.predict_proba(X[500:1000]), sample_weight=w_val)
    assert best <= min(clf.validation_loss_curve_) * (1 + 1e-12)
    if clf.stop_reason_ == "early_stopping":
        at = int(np.argmin(clf.validation_loss_curve_))
        assert clf.n_iter_ - at == 10
        assert_allclose(best, clf.validation_loss_curve_[at], rtol=1e-12)
        if "batch_size" not in setting:
            assert clf.loss_ == clf.loss_curve_[at]
    else:
        assert setting in ({}, LECTURE)  # gradient descent is slow
    assert_allclose(clf.loss_, log_loss(labels[:150], clf.predict_proba(X[:150])), rtol=1e-12)


def test_validation_curve_is_the_validation_log_loss(small_moons):
    X, y = small_moons
    X_val, y_val = X[::3], y[::3]
    clf = make_clf(early_stopping=True, max_iter=5).fit(X, y, X_val=X_val, y_val=y_val)
    for i in range(5):
        shorter = make_clf(max_iter=i or 1).fit(X, y)
        if i:
            expected = log_loss(y_val, shorter.predict_proba(X_val))
            assert_allclose(clf.validation_loss_curve_[i], expected, rtol=1e-12)


def test_class_weight_applies_to_validation(unbalanced):
    X, y = unbalanced
    weights = np.where(y, 33.0, 1.0)
    sets = {"X_val": X[::2], "y_val": y[::2]}
    by_class = make_clf(early_stopping=True, class_weight={0: 1, 1: 33}).fit(X, y, **sets)
    by_row = make_clf(early_stopping=True).fit(
        X, y, sample_weight=weights, **sets, sample_weight_val=weights[::2]
    )
    assert_allclose(by_class.validation_loss_curve_, by_row.validation_loss_curve_, rtol=1e-10)
    balanced = make_clf(early_stopping=True, class_weight="balanced").fit(X, y, **sets)
    rates = np.bincount(y) / len(y)
    by_hand = make_clf(early_stopping=True).fit(
        X, y, sample_weight=0.5 / rates[y], **sets, sample_weight_val=1 / rates[y[::2]]
    )
    assert_allclose(balanced.validation_loss_curve_, by_hand.validation_loss_curve_, rtol=1e-10)


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_early_stopping_learns_the_rare_class(unbalanced, solver):
    X, y = unbalanced
    clf = TwoLayerSigmoidClassifier(early_stopping=True, solver=solver, random_state=0).fit(X, y)
    assert recall_score(y, clf.predict(X)) > 0.1
    by_accuracy = MLPClassifier(early_stopping=True, activation="logistic", random_state=0)
    assert recall_score(y, by_accuracy.fit(X, y).predict(X)) == 0


def test_early_stopping_does_not_end_on_plateau(lecture):
    X, y = lecture
    clf = make_clf(**LECTURE, n_h=2, early_stopping=True, max_iter=3000).fit(X, y)
    assert clf.loss_ < 0.3
    assert clf.n_iter_ > 300  # it is longer than that on the plateau at ln 2


def test_validation_split_keeps_classes_and_weights(unbalanced):
    X, y = unbalanced
    seen = {}  # by number of rows: X, Y and weights

    class Recorded(TwoLayerSigmoidClassifier):
        def _forward(self, X, params, **options):
            self.last_X = X
            return super()._forward(X, params, **options)

        def _cost(self, cache, Y, **options):
            seen[Y.shape[1]] = self.last_X.T, Y[0], options["weights"]
            return super()._cost(cache, Y, **options)

    w = 1 + X[:, 0] ** 2
    params = {"validation_fraction": 0.2, "max_iter": 20, "random_state": 0}
    Recorded(early_stopping=True, **params).fit(X, y, sample_weight=w)
    assert seen.keys() == {800, 200}
    assert seen[200][1].sum() == pytest.approx(y.sum() / 5, abs=1)
    for X_part, _, weights in seen.values():
        assert_allclose(weights, (1 + X_part[:, 0] ** 2) / w.sum())
    assert_array_equal(np.sort(np.r_[seen[800][0], seen[200][0]], axis=0), np.sort(X, axis=0))


def test_validation_split_has_every_class(three_blobs):
    X, y = three_blobs
    assert make_clf(early_stopping=True, validation_fraction=0.01).fit(X, y).n_iter_ > 0


def test_early_stopping_supports_multilabel(three_blobs):
    X, _ = three_blobs
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    clf = make_clf(early_stopping=True).fit(X, Y)
    assert len(clf.validation_loss_curve_) == clf.n_iter_
    make_clf(early_stopping=True).fit(X, Y, X_val=X[:9], y_val=Y[:9])


def test_validation_set_in_a_pipeline(small_moons):
    X, y = small_moons
    X = 100 * X + 7
    sets = {"X_val": X[:40], "y_val": y[:40], "sample_weight_val": np.linspace(1, 2, 40)}
    by_hand = StandardScaler().fit(X)
    expected = make_clf(early_stopping=True).fit(
        by_hand.transform(X), y, **sets | {"X_val": by_hand.transform(X[:40])}
    )
    with sklearn.config_context(enable_metadata_routing=True):
        clf = make_clf(early_stopping=True).set_fit_request(
            X_val=True, y_val=True, sample_weight_val=True, sample_weight=False
        )
        pipeline = Pipeline(
            [("scale", StandardScaler()), ("clf", clf)], transform_input=["X_val"]
        ).fit(X, y, **sets)
    assert_array_equal(pipeline[-1].validation_loss_curve_, expected.validation_loss_curve_)
    assert_same_weights(pipeline[-1], expected)


def test_early_stopping_in_cross_validation(small_moons):
    X, y = small_moons
    assert cross_val_score(make_clf(early_stopping=True, max_iter=1000), X, y, cv=3).mean() > 0.8


def test_validation_set_can_lack_a_class(three_blobs):
    X, y = three_blobs
    one = y == "ash"
    make_clf(early_stopping=True).fit(X, y, X_val=X[one], y_val=y[one])


@pytest.mark.parametrize("seed", range(5))
def test_constant_label_does_not_disable_early_stopping(moons, seed):
    X, y = moons
    always = np.ones_like(y)
    random_state = np.random.RandomState(seed)
    w = random_state.uniform(0, 1, len(X))
    coins = np.c_[random_state.randint(2, size=len(X)), always]
    clf = TwoLayerSigmoidClassifier(early_stopping=True, random_state=0)
    clf.fit(X, np.c_[y, always], w, X_val=X, y_val=coins)
    assert clf.stop_reason_ == "early_stopping"


# warm_start and partial_fit


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


def test_warm_lbfgs_continues_from_fitted_weights(moons):
    X, y = moons
    clf = make_clf(warm_start=True).fit(X, y)
    reached = clf.loss_
    clf.set_params(solver="lbfgs", max_iter=3000).fit(X, y)
    assert clf.loss_curve_[0] == reached
    assert clf.loss_ < reached


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


# partial_fit


def chunks(X, y, size=50):
    for start in range(0, len(y), size):
        yield X[start : start + size], y[start : start + size]


def test_partial_fit_learns_moons(moons):
    X, y = moons
    labels = np.array(["lower", "upper"])[y]
    clf = TwoLayerSigmoidClassifier(random_state=0)
    for _ in range(20):
        for X_part, y_part in chunks(X, labels):
            clf.partial_fit(X_part, y_part, classes=["upper", "lower"])
    assert clf.score(X, labels) > 0.95
    assert (clf.n_iter_, len(clf.loss_curve_)) == (1, 1)


@pytest.mark.parametrize(("setting", "rtol"), [(LECTURE, 0), ({"alpha": 0.01}, 1e-10)])
def test_partial_fit_is_one_update(small_moons, setting, rtol):
    X, y = small_moons
    fit = make_clf(**setting, max_iter=3, momentum=0.9, learning_rate=0.1).fit(X, y)
    clf = make_clf(**setting, momentum=0.9, learning_rate=0.1)
    for cost in fit.loss_curve_:
        clf.partial_fit(X, y, classes=[0, 1])
        assert_allclose(clf.loss_curve_, [cost], rtol)
        assert clf.stop_reason_ == "partial_fit"
    assert_allclose(clf.loss_, fit.loss_, rtol)
    assert_allclose_weights(clf, fit, rtol)


def test_partial_fit_with_minibatches_is_one_epoch(small_moons):
    X, y = small_moons
    clf = make_clf(batch_size=30).partial_fit(X, y, classes=[0, 1])
    assert_same_weights(clf, make_clf(batch_size=30, max_iter=1, tol=0).fit(X, y))


@pytest.mark.parametrize("setting", [{}, {"momentum": 0.9}, {"batch_size": 20, "momentum": 0.9}])
def test_state_of_partial_fit_does_not_grow(small_moons, setting):
    X, y = small_moons
    clf, sizes = make_clf(**setting, learning_rate=0.1), set()
    for i in range(30):
        clf.partial_fit(X, y, classes=[0, 1])
        if i:
            sizes.add(len(pickle.dumps(clf)))
    assert max(sizes) - min(sizes) < 50  # numbers of the loss take a few bytes more or less


def test_partial_fit_accepts_missing_classes(three_blobs):
    X, y = three_blobs
    clf = make_clf().partial_fit(X[y == "ash"], y[y == "ash"], classes=np.unique(y))
    assert_array_equal(clf.classes_, ["ash", "birch", "cedar"])
    assert clf.predict_proba(X).shape == (len(y), 3)
    for _ in range(100):
        for label in clf.classes_:
            clf.partial_fit(X[y == label], y[y == label])
    clf.partial_fit(X[:1], y[:1])


def test_partial_fit_supports_multilabel(three_blobs):
    X, _ = three_blobs
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    clf = make_clf().partial_fit(X, Y, classes=[0, 1, 2])
    for _ in range(200):
        clf.partial_fit(X, Y)
    assert clf.score(X, Y) > 0.7
    with pytest.raises(
        ValueError, match="one column of labels, but it was a multilabel indicator matrix of 3"
    ):
        clf.partial_fit(X, Y[:, 0])
    with pytest.raises(ValueError, match=r"classes must be np.arange\(2\), .* but classes is"):
        clf.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match=r"multilabel indicator .* it was one column"):
        make_clf().partial_fit(X, Y[:, 0], classes=[0, 1]).partial_fit(X, Y[:, :2])


@pytest.mark.parametrize(("setting", "rtol"), [(LECTURE, 0), ({"alpha": 0.01}, 1e-10)])
def test_partial_fit_continues_after_fit(small_moons, setting, rtol):
    X, y = small_moons
    clf = make_clf(**setting, max_iter=10).fit(X, y)
    reached = clf.loss_
    assert_allclose(clf.partial_fit(X, y).loss_curve_, [reached], rtol)
    assert_allclose_weights(clf, make_clf(**setting, max_iter=11).fit(X, y), rtol)


# Labels of another dtype

WRONG_LABELS = [
    (["1", "2"], ["10", "20"]),
    (["1", "2"], [10, 20]),
    (["1", "2"], [1, 2]),
    (np.array([1, 2], np.int8), [257, 2]),
    (np.array([0, 1], np.uint8), [-255, 0]),
    ([False, True], [2, 0]),
    (["a", "b"], ["apple", "b"]),
    (np.array(["2026-01-01", "2026-01-02"], "M8[D]"), np.array(["2026-01-01T12"] * 2, "M8[s]")),
]


@pytest.mark.parametrize(("classes", "labels"), WRONG_LABELS)
def test_later_labels_must_equal_a_class(small_moons, classes, labels):
    X, y = small_moons
    known, wrong = np.asarray(classes)[y], np.asarray(labels)[y]
    clf = TwoLayerSigmoidClassifier(max_iter=5, random_state=0)
    clf.partial_fit(X, known, classes=classes)
    before = clf.W1_.copy()
    with pytest.raises(ValueError, match="y holds labels that are not among the classes"):
        clf.partial_fit(X, wrong)
    assert_array_equal(clf.W1_, before)
    with pytest.raises(ValueError, match=r"y_val.*y holds labels that are not among the classes"):
        clf.set_params(early_stopping=True).fit(X, known, X_val=X, y_val=wrong)
    assert_array_equal(clf.W1_, before)


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (["1", "2"], ["1", "20"]),
        (np.array([1, 2], np.int8), [1, 258]),
        ([False, True], [0, 2]),
        (["a", "b"], ["apple", "b"]),
    ],
)
def test_score_counts_unequal_labels_as_wrong(small_moons, classes, labels):
    X, y = small_moons
    clf = TwoLayerSigmoidClassifier(max_iter=50, random_state=0).fit(X, np.asarray(classes)[y])
    given = np.asarray(labels)[y]
    right = [p == label for p, label in zip(clf.predict(X).tolist(), given.tolist(), strict=True)]
    assert 0 < clf.score(X, given) == np.mean(right) < 0.6


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_score_refuses_a_multilabel_y_after_labels(small_moons, container):
    X, y = small_moons
    clf = make_clf(max_iter=5).fit(X, y)
    with pytest.raises(ValueError, match="multilabel-indicator"):
        clf.score(X, container(np.c_[y, 1 - y]))


def test_score_of_no_rows_names_their_number(small_moons):
    X, y = small_moons
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_clf(max_iter=5).fit(X, y).score(X, [])


def test_score_refuses_dates_with_a_time_zone(small_moons):
    pandas = pytest.importorskip("pandas")
    X, y = small_moons
    dates = np.array(["2026-01-01", "2026-01-02"], "M8[D]")[y]
    clf = make_clf(max_iter=5).fit(X, dates)
    with pytest.raises((TypeError, ValueError)):
        clf.score(X, pandas.Series(dates).dt.tz_localize("UTC"))


def test_score_compares_dates_of_other_units(small_moons):
    X, y = small_moons
    days = np.array(["2026-01-01", "2026-01-02"], "M8[D]")[y]
    clf = make_clf().fit(X, days)
    assert clf.score(X, days.astype("M8[s]")) == clf.score(X, days) > 0.8
    assert clf.score(X, days.astype("M8[s]") + np.timedelta64(1, "s")) == 0


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        ([1, 2], [1.0, 2.0]),
        ([False, True], [0, 1]),
        (["a", "bee"], np.array(["a", "bee"], object)),
        (np.array([1, 2], np.int8), np.array([1, 2], np.uint64)),
        (
            np.array(["2026-01-01", "2026-01-02"], "M8[D]"),
            np.array(["2026-01-01", "2026-01-02"], "M8[s]"),
        ),
    ],
)
def test_equal_labels_of_another_dtype_are_accepted(small_moons, classes, labels):
    X, y = small_moons
    one, other = (
        TwoLayerSigmoidClassifier(max_iter=5, random_state=0)
        .partial_fit(X, np.asarray(classes)[y], classes=classes)
        .partial_fit(X, np.asarray(given)[y])
        for given in (classes, labels)
    )
    assert_array_equal(one.W1_, other.W1_)
    assert one.classes_.dtype == other.classes_.dtype


# Every solver


def penalised_log_loss(clf, X, y, **options):
    return log_loss(y, clf.predict_proba(X), **options) + penalty(clf)


def max_gradient(clf, X, y):
    """The largest entry of the gradient of the objective, for standardised features."""
    W1, b1 = clf.W1_, clf.b1_
    if clf.scale_ is not None:
        X = (X - clf.mean_) / clf.scale_
        W1, b1 = W1 * clf.scale_, b1 + W1 @ clf.mean_[:, np.newaxis]
    params = _network.Parameters(W1, b1, clf.W2_, clf.b2_)
    _, cache = _network.forward(X.T, params)
    dW1, db1, dW2, db2 = _network.backward(params, cache, X.T, np.atleast_2d(y))
    grads = dW1 + clf.alpha_ * W1, db1, dW2 + clf.alpha_ * clf.W2_, db2
    return max(np.abs(grad).max() for grad in grads)


def test_duplicate_entries_of_sparse_features_are_summed(small_moons):
    X, y = small_moons
    rows, columns = np.repeat(np.arange(100), 4), np.tile([0, 1, 0, 1], 100)
    entries = np.c_[X / 4, 3 * X / 4].ravel()
    indptr = np.arange(0, 401, 4)
    twice = sparse.csr_array((entries, columns, indptr), (100, 2))
    assert not twice.has_canonical_format
    expected = make_clf().fit(sparse.csr_array(X), y)
    for other in twice, sparse.coo_array((entries, (rows, columns)), (100, 2)):
        before = other.data.copy()
        clf = make_clf().fit(other, y)
        assert_allclose(clf.mean_, expected.mean_, rtol=1e-12)
        assert_allclose(clf.scale_, expected.scale_, rtol=1e-12)
        assert_allclose(clf.loss_curve_, expected.loss_curve_, rtol=1e-9)
        assert_array_equal(other.data, before)
        assert other.nnz == 400


# What holds however one trains


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_loss_and_curves_of_every_solver(moons, setting, early_stopping):
    X, y = moons
    clf = make_clf(early_stopping=early_stopping, **setting).fit(X, y)
    assert len(clf.loss_curve_) == clf.n_iter_ > 10
    if early_stopping:
        assert len(clf.validation_loss_curve_) == clf.n_iter_
    else:
        assert clf.validation_loss_curve_ is None
        assert_allclose(clf.loss_, penalised_log_loss(clf, X, y), rtol=1e-13)
    assert_same_weights(clf, clone(clf).fit(X, y))


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_input_type_does_not_change_results(small_moons, setting):
    X, y = small_moons
    X = np.where(X > 0, X, 0)
    setting = setting | {"max_iter": 30, "alpha": 1e-3}
    double = make_clf(**setting).fit(X, y)
    single = make_clf(**setting).fit(X.astype(np.float32), y)
    assert {getattr(single, name).dtype for name in WEIGHTS} == {np.dtype(np.float32)}
    assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-3)
    for other in sparse.csr_array(X), np.asfortranarray(X):
        same = make_clf(**setting).fit(other, np.array(["no", "yes"])[y])
        assert_allclose(same.predict_proba(X), double.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_every_solver_learns_several_outputs(three_blobs, setting):
    X, y = three_blobs
    assert make_clf(**setting, max_iter=200).fit(X, y).score(X, y) > 0.85
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    assert make_clf(**setting, max_iter=300).fit(X, Y).score(X, Y) > 0.7


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


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_training_runs_the_lecture_steps(small_moons, setting):
    called = set()

    class Recorded(TwoLayerSigmoidClassifier):
        def _forward(self, X, params, **buffers):
            called.add("forward")
            return super()._forward(X, params, **buffers)

        def _cost(self, cache, Y, **weighting):
            called.add("cost")
            return super()._cost(cache, Y, **weighting)

        def _backward(self, params, cache, X, Y, **weighting):
            called.add("backward")
            return super()._backward(params, cache, X, Y, **weighting)

        def _update(self, params, grads, learning_rate):
            called.add("update")
            return super()._update(params, grads, learning_rate)

    Recorded(n_h=8, max_iter=20, random_state=0, **setting).fit(*small_moons)
    chooses_its_steps = {"update"} if setting.get("solver") == "lbfgs" else set()
    assert called == {"forward", "cost", "backward", "update"} - chooses_its_steps


# L-BFGS


@pytest.mark.parametrize("setting", [{}, LECTURE])
def test_lbfgs_ends_at_a_small_gradient(moons, setting):
    X, y = moons
    clf = make_clf(**setting, solver="lbfgs", max_iter=10_000).fit(X, y)
    assert clf.stop_reason_ == "converged"
    assert max_gradient(clf, X, y) <= 1.01e-6
    assert clf.loss_ < make_clf(**setting, max_iter=3000).fit(X, y).loss_


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lbfgs_leaves_the_plateau_of_small_weights(lecture, dtype):
    X, y = lecture
    X = StandardScaler().fit_transform(X).astype(dtype)
    for seed in range(5):
        clf = TwoLayerSigmoidClassifier(2, solver="lbfgs", alpha=1e-6, random_state=seed).fit(X, y)
        assert_allclose(clf.loss_curve_[0], np.log(2), rtol=1e-3)
        assert clf.loss_ < 0.6


def test_lbfgs_and_gradient_descent_have_one_objective(small_moons):
    X, y = small_moons
    weights = np.linspace(0.5, 2, len(y))
    start = tuple(_network.initialize_small(2, 2, 1, random_state=np.random.RandomState(0)))
    fits = [
        TwoLayerSigmoidClassifier(2, 2.0, solver=solver, init=start, alpha=0.02, max_iter=20_000)
        for solver in ("gd", "lbfgs")
    ]
    for clf in fits:
        clf.fit(X, y, sample_weight=weights)
        assert clf.stop_reason_ == "converged"
    assert_allclose(fits[0].loss_, fits[1].loss_, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_lbfgs_ignores_floating_point_errors_set_to_raise(small_moons, dtype):
    X, y = small_moons
    clf = make_clf(solver="lbfgs", max_iter=200)
    expected = clone(clf).fit(X.astype(dtype), y)
    with np.errstate(all="raise"):
        assert_same_fit(clf.fit(X.astype(dtype), y), expected)
    with np.errstate(all="raise"):
        make_clf(solver="lbfgs", alpha="loo", max_iter=200).fit(X.astype(dtype), y)


# Mini-batches and momentum


def test_minibatches_learn_moons(moons):
    X, y = moons
    full, mini = (make_clf(batch_size=size, max_iter=100, alpha=0).fit(X, y) for size in (None, 50))
    assert mini.loss_ < 0.1 < full.loss_
    assert_allclose(mini.loss_curve_[-1], mini.loss_, rtol=0.2)


def test_minibatches_are_shuffled_in_each_epoch(small_moons):
    X, y = small_moons
    seen = []

    class Recorded(TwoLayerSigmoidClassifier):
        def _backward(self, params, cache, X, Y, **weighting):
            seen.append(X[0].copy())
            return super()._backward(params, cache, X, Y, **weighting)

    Recorded(batch_size=30, max_iter=2, random_state=0, tol=0).fit(X, y)
    sizes = [len(batch) for batch in seen]
    assert sizes == [100, *[30, 30, 30, 10] * 2]  # all of them once, for the cost at the start
    epochs = np.concatenate(seen[1:5]), np.concatenate(seen[5:])
    for epoch in epochs:
        assert_array_equal(np.sort(epoch), np.sort(X[:, 0]))
    assert not np.array_equal(*epochs)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_minibatches_add_up_to_the_objective(small_moons, kind, monkeypatch):
    """With a vanishing rate an epoch's loss and steps are those of the full batch."""
    X, y = small_moons
    w = np.where(y, 3.0, 1 + np.arange(len(y)) % 4)
    rate = 1e-9
    options = {"alpha": 0.1, "learning_rate": rate, "max_iter": 1, "tol": 0, "init": "spread"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the plateau
        full = make_clf(**options).fit(kind(X), y, sample_weight=w)
        start = make_clf(**options | {"learning_rate": 1e-300}).fit(kind(X), y, sample_weight=w)
        monkeypatch.setattr(_blocks, "BLOCK_BYTES", 0)
        monkeypatch.setattr(_blocks, "MIN_BLOCK_ROWS", 7)
        batches = make_clf(**options, batch_size=25).fit(kind(X), y, sample_weight=w)
    assert_allclose(batches.loss_curve_, full.loss_curve_, rtol=1e-7)
    for name in WEIGHTS:  # four batches of 25 rows, each as long a step as the whole
        step = getattr(batches, name) - getattr(start, name)
        whole = getattr(full, name) - getattr(start, name)
        assert_allclose(step, 4 * whole, rtol=1e-5, atol=rate * 1e-5)


def test_minibatch_of_tiny_weights_is_harmless(small_moons):
    X, y = small_moons
    w = np.full(len(y), 1e-300)
    w[::25] = 1.0  # most batches weigh nothing that counts
    clf = make_clf(batch_size=5, alpha=0).fit(X, y, sample_weight=w)
    assert np.isfinite(clf.loss_curve_).all()
    assert np.isfinite(clf.predict_proba(X)).all()


def test_batch_of_all_rows_is_full_batch(small_moons):
    X, y = small_moons
    assert_same_weights(make_clf(batch_size=100).fit(X, y), make_clf().fit(X, y))
    assert_same_weights(make_clf(batch_size=10**6).fit(X, y), make_clf().fit(X, y))


def test_diverging_minibatches_leave_finite_weights(small_moons):
    X, y = small_moons
    for seed in range(3):
        clf = TwoLayerSigmoidClassifier(
            2, learning_rate=1e3, alpha=0.01, batch_size=7, max_iter=3, random_state=seed
        )
        with pytest.warns(ConvergenceWarning, match="diverged"):
            clf.fit(X.astype(np.float32), y)
        assert np.isfinite(clf.loss_)
        assert np.isfinite(clf.predict_proba(X)).all()


def test_momentum_equals_scikit_learn(small_moons):
    X, y = small_moons
    mlp = MLPClassifier(
        (3,),
        activation="logistic",
        solver="sgd",
        alpha=0.0,
        batch_size=len(X),
        learning_rate_init=0.1,
        momentum=0.9,
        max_iter=1,
        tol=0,
        n_iter_no_change=1000,
        warm_start=True,
        shuffle=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(X, y)
        (V1, V2), (c1, c2) = mlp.coefs_, mlp.intercepts_
        start = tuple(a.copy() for a in (V1.T, c1[:, np.newaxis], V2.T, c2[:, np.newaxis]))
        mlp.set_params(max_iter=100).fit(X, y)
    clf = make_clf(n_h=3, learning_rate=0.1, momentum=0.9, init=start, max_iter=100, tol=0)
    clf.set_params(**LECTURE).fit(X, y)
    assert_allclose(clf.W1_, mlp.coefs_[0].T, rtol=1e-8)
    assert_allclose(clf.b2_[:, 0], mlp.intercepts_[1], rtol=1e-8)


# Several starts


def test_several_starts_reach_lower_losses(moons):
    X, y = moons
    losses = []
    for seed in range(5):
        clf = TwoLayerSigmoidClassifier(4, n_init=6, max_iter=400, random_state=seed).fit(X, y)
        alone = TwoLayerSigmoidClassifier(4, max_iter=400, random_state=seed).fit(X, y)
        assert clf.n_iter_ == len(clf.loss_curve_) == 400
        losses.append([clf.loss_, alone.loss_])
    assert_same_weights(clone(clf).fit(X, y), clf)
    several, one = np.mean(losses, axis=0)
    assert several < one


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_every_solver_supports_several_starts(small_moons, setting):
    X, y = small_moons
    clf = make_clf(n_init=3, **setting).fit(X, y)
    assert clf.n_iter_ <= 50
    assert_same_weights(clf, clone(clf).fit(X, y))


def test_more_starts_than_iterations(small_moons):
    X, y = small_moons
    clf = make_clf(n_init=10, max_iter=2).fit(X, y)
    assert clf.n_iter_ == 2


def test_kept_start_has_all_iterations(lecture):
    X, y = lecture
    for seed in range(5):
        clf = make_clf(n_init=4, batch_size=200, max_iter=20, random_state=seed).fit(X, y)
        assert clf.n_iter_ == 20


def test_verbose_prints_the_validation_loss(small_moons, capsys):
    clf = make_clf(early_stopping=True, max_iter=3, verbose=2).fit(*small_moons)
    printed = re.findall(r"validation (0\.\d+)", capsys.readouterr().out)
    assert printed[:3] == [f"{loss:.6f}" for loss in clf.validation_loss_curve_]
    assert len(printed) == 4


def test_verbose_names_the_starts(small_moons, capsys):
    make_clf(n_init=2, max_iter=8, verbose=1).fit(*small_moons)
    out = capsys.readouterr().out
    assert re.findall(r"^Start .*", out, flags=re.MULTILINE)[:2] == [
        "Start 1 of 2, up to iteration 4",
        "Start 2 of 2, up to iteration 4",
    ]
    assert out.splitlines()[-1].endswith(", max_iter")
