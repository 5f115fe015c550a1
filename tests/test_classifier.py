"""The estimator: what it fits, how training ends, and what it promises scikit-learn's users."""

import copy
import os
import pickle
import tracemalloc
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
from sklearn.metrics import log_loss
from sklearn.utils.fixes import parse_version
from threadpoolctl import threadpool_limits

from benchmarks import problems
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _network, _objective

WEIGHTS = ("W1_", "b1_", "W2_", "b2_")


def quick(**params):
    return TwoLayerSigmoidClassifier(**{"max_iter": 50, "random_state": 0} | params)


def assert_same_fit(one, other):
    for name in WEIGHTS:
        assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.loss_curve_ == other.loss_curve_


# What is fitted


def test_fitted_attributes(three_blobs):
    X, y = three_blobs
    clf = quick(n_h=4).fit(X, y)
    assert [getattr(clf, name).shape for name in WEIGHTS] == [(4, 2), (4, 1), (3, 4), (3, 1)]
    assert_array_equal(clf.classes_, ["ash", "birch", "cedar"])
    assert clf.n_features_in_ == 2
    assert clf.n_iter_ == len(clf.loss_curve_) == 50
    assert clf.stop_reason_ == "iteration limit"
    assert all(type(cost) is float for cost in [clf.loss_, *clf.loss_curve_])


def test_the_lectures_names_are_read_only(small_moons):
    clf = quick()
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


@pytest.mark.parametrize("alpha", [0.0, 1e-3])
def test_loss_is_that_of_the_weights_as_stored(small_moons, alpha):
    X, y = small_moons
    clf = quick(alpha=alpha).fit(X, y)
    penalty = alpha / 2 * ((clf.W1_**2).sum() + (clf.W2_**2).sum())
    assert_allclose(clf.loss_, log_loss(y, clf.predict_proba(X)) + penalty, rtol=1e-14)


def test_loss_curve_holds_the_cost_before_each_update(small_moons):
    short, long = quick(max_iter=7).fit(*small_moons), quick(max_iter=8).fit(*small_moons)
    assert long.loss_curve_ == [*short.loss_curve_, short.loss_]


def test_training_is_the_lectures_loop_written_plainly(small_moons):
    X, y = small_moons
    start = _network.initialize_spread(2, 3, 1, random_state=np.random.RandomState(0))
    clf = quick(n_h=3, init=tuple(start), learning_rate=1.2, max_iter=100).fit(X, y)
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


def test_refits_with_the_same_seed_are_bit_identical(moons):
    assert_same_fit(quick().fit(*moons), quick().fit(*moons))
    assert quick(random_state=1).fit(*moons).loss_ != quick().fit(*moons).loss_


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # after ten iterations
@pytest.mark.skipif(os.cpu_count() == 1, reason="BLAS has but one thread on one core")
def test_result_does_not_depend_on_the_threads_of_blas():
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((2000, 64))  # a shape whose products BLAS would share
    fits = []
    for limit in 1, 2:
        with threadpool_limits(limit):
            fits.append(quick(n_h=64, max_iter=10).fit(X, X[:, 0] > 0))
    assert_same_fit(*fits)


@pytest.mark.parametrize("copied", [clone, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies(small_moons, copied):
    X, y = small_moons
    clf = quick(
        init=tuple(_network.initialize_small(2, 8, 1, random_state=np.random.RandomState(0)))
    )
    fitted = clf.fit(X, y)
    other = copied(fitted)
    if copied is clone:
        other.fit(X, y)
    assert_same_fit(fitted, other)
    assert_array_equal(fitted.predict_proba(X), other.predict_proba(X))


def test_verbose_prints_the_cost(small_moons, capsys):
    quick(max_iter=20, verbose=1).fit(*small_moons)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[1].startswith("Cost after iteration 2: 0.")
    assert lines[-1].startswith("Cost after iteration 20: 0.")
    assert lines[-1].endswith(", iteration limit")
    quick(max_iter=20, verbose=2).fit(*small_moons)
    assert len(capsys.readouterr().out.splitlines()) == 21
    quick(max_iter=19, verbose=1).fit(*small_moons)
    assert len(capsys.readouterr().out.splitlines()) == 11
    quick(max_iter=20).fit(*small_moons)
    assert capsys.readouterr().out == ""


# The five steps of the lecture


def test_private_steps_are_callable_on_an_unfitted_estimator():
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


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # after five iterations
@pytest.mark.parametrize("subclass", [Zeros, Halved, Costlier, Slower, Signed])
def test_overriding_a_step_changes_fit(small_moons, subclass):
    params = {"max_iter": 5, "random_state": 0, "learning_rate": 0.1}
    plain = TwoLayerSigmoidClassifier(**params).fit(*small_moons)
    changed = subclass(**params).fit(*small_moons)
    assert changed.loss_curve_ != plain.loss_curve_


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # the loss is 1 too high
def test_overridden_steps_do_what_they_say(small_moons):
    params = {"max_iter": 20, "random_state": 0}
    plain = TwoLayerSigmoidClassifier(**params).fit(*small_moons)
    costlier = Costlier(**params).fit(*small_moons)
    assert_allclose(costlier.loss_curve_, np.add(plain.loss_curve_, 1))
    half_rate = TwoLayerSigmoidClassifier(**params, learning_rate=0.6).fit(*small_moons)
    assert_allclose(Slower(**params).fit(*small_moons).W1_, half_rate.W1_, rtol=1e-12)


# Initialisation


def test_auto_is_small_for_two_units_and_spread_for_more(small_moons):
    for n_h, init in [(1, "small"), (2, "small"), (3, "spread"), (8, "spread")]:
        assert_same_fit(
            quick(n_h=n_h).fit(*small_moons), quick(n_h=n_h, init=init).fit(*small_moons)
        )


def test_spread_knows_mean_and_spread_of_the_data(small_moons):
    X, y = small_moons
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    plain = quick(max_iter=1).fit(X, y).loss_curve_
    moved = quick(max_iter=1).fit(X * [1, 10] + [5, -50], y).loss_curve_
    assert_allclose(moved, plain, rtol=1e-12)  # the same network, seen in other units


def test_given_weights_are_the_start_and_are_not_changed(small_moons):
    X, y = small_moons
    start = [np.full((1, 2), 0.5), np.zeros((1, 1)), np.ones((1, 1)), np.zeros((1, 1))]
    before = copy.deepcopy(start)
    clf = quick(n_h=1, init=start).fit(X, y)
    for array, old in zip(start, before, strict=True):
        assert_array_equal(array, old)
    z2 = 1 / (1 + np.exp(-(X @ [0.5, 0.5])))
    assert_allclose(clf.loss_curve_[0], log_loss(y, 1 / (1 + np.exp(-z2))))


def test_private_steps_leave_given_weights_alone():
    start = ([[1, 1]], [[0]], [[1]], [[0]])  # integers, which no step could update in place
    clf = TwoLayerSigmoidClassifier(n_h=1, init=tuple(np.array(a) for a in start))
    X, Y = np.random.RandomState(0).standard_normal((2, 10)), np.array([[0, 1] * 5])
    params = clf._initialize_parameters(2, 1, 1)
    grads = clf._backward(params, clf._forward(X, params)[1], X, Y)
    clf._update(params, grads, 0.5)
    for array, given in zip(clf.init, start, strict=True):
        assert_array_equal(array, given)


# How training ends


def test_an_ordinary_default_fit_warns_of_nothing(moons, small_moons, three_blobs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for X, y in moons, small_moons, three_blobs:
            assert TwoLayerSigmoidClassifier(random_state=0).fit(X, y).n_iter_ == 3000


def test_small_gradient_stops(small_moons):
    clf = quick(tol=0.01, max_iter=3000).fit(*small_moons)
    assert clf.stop_reason_ == "gradient small"
    assert 0 < clf.n_iter_ < 3000
    params = _network.Parameters(clf.W1_, clf.b1_, clf.W2_, clf.b2_)
    X, y = small_moons
    _, cache = _network.forward(X.T, params)
    grads = _network.backward(params, cache, X.T, y[np.newaxis])
    assert max(np.abs(g).max() for g in grads) <= 0.01


def test_plateau_at_ln_2_stops_nothing(lecture):
    X, y = lecture
    clf = TwoLayerSigmoidClassifier(n_h=2, random_state=0).fit(X, y)
    assert_allclose(clf.loss_curve_[300], np.log(2), rtol=2e-4)  # still there after 300 updates
    assert clf.loss_ < 0.3


def test_ending_on_the_plateau_is_warned_of(lecture):
    with pytest.warns(ConvergenceWarning, match=r"on the plateau.* after 50 iterations") as caught:
        quick(n_h=2).fit(*lecture)
    assert caught[0].filename == __file__


def test_a_penalty_that_holds_training_on_the_plateau_is_named(moons):
    with pytest.warns(ConvergenceWarning, match=r"ended on the plateau.* lower alpha"):
        quick(alpha=1.0, learning_rate=0.1, max_iter=500).fit(*moons)


def test_a_penalty_too_strong_for_the_rate_is_named(moons):
    message = r"diverged .* learning_rate=1.2 and alpha=10; .*times alpha it must stay below 2"
    with pytest.warns(ConvergenceWarning, match=message):
        TwoLayerSigmoidClassifier(alpha=10, random_state=0).fit(*moons)


def test_labels_that_never_change_are_no_plateau(small_moons):
    X, _ = small_moons
    clf = quick().fit(X, np.tile([0, 1], (len(X), 1)))  # multilabel; the constant cost is 0
    assert_array_equal(clf.predict(X), np.tile([0, 1], (len(X), 1)))


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # stopped at the start
def test_any_tolerance(small_moons):
    assert quick(tol=1e200).fit(*small_moons).n_iter_ == 0
    assert quick(tol=0).fit(*small_moons).n_iter_ == 50


@pytest.mark.parametrize("rate", [1e3, 1e300])
def test_divergence_keeps_finite_weights_and_is_warned_of_once(moons, rate):
    X, y = moons
    with pytest.warns(ConvergenceWarning) as caught:
        clf = TwoLayerSigmoidClassifier(n_h=3, learning_rate=rate, random_state=0).fit(X, y)
    (warning,) = caught
    assert f"diverged at iteration {clf.n_iter_} with learning_rate={rate} " in str(warning.message)
    assert "StandardScaler" in str(warning.message)
    assert warning.filename == __file__
    assert clf.stop_reason_ == "diverged"
    assert all(np.isfinite(getattr(clf, name)).all() for name in WEIGHTS)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert clf.n_iter_ == len(clf.loss_curve_) < 3000


@pytest.mark.parametrize(
    ("scale", "offset"), [([1, 2e3], [0, 0]), ([1, 1], [0, 5e3]), ([1e-4, 1], [0, 0])]
)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_wild_feature_scales_are_warned_of_once(moons, scale, offset, container):
    X, y = moons
    with pytest.warns(UserWarning, match=r"wild scales.*StandardScaler") as caught:
        quick(learning_rate=1e-9, init="spread").fit(container(X * scale + offset), y)
    assert [w.filename for w in caught if w.category is UserWarning] == [__file__]


@pytest.mark.parametrize(("scale", "offset"), [([1, 900], [0, 0]), ([1, 1], [0, 900])])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_feature_scales_that_are_just_not_wild(moons, scale, offset):
    X, y = moons
    quick(learning_rate=1e-9, max_iter=1).fit(X * scale + offset, y)


def test_constant_features_are_no_wild_scale(small_moons):
    X, y = small_moons
    quick(max_iter=500).fit(np.c_[X, np.full(len(X), 0.1), np.zeros(len(X))], y)


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_a_large_constant_feature_is_a_wild_scale(small_moons):
    X, y = small_moons
    with pytest.warns(UserWarning, match="wild scales"):
        quick(learning_rate=1e-9).fit(np.c_[X, np.full(len(X), 2000)], y)


@pytest.mark.parametrize("value", [0, 1])
def test_nothing_but_constant_features(small_moons, value):
    X, y = small_moons
    with pytest.warns(ConvergenceWarning, match="plateau"):
        clf = quick().fit(np.full_like(X, value), y)
    assert_allclose(clf.predict_proba(X[:1]), [[0.5, 0.5]], atol=1e-2)


def test_ctrl_c_keeps_the_weights_so_far(small_moons):
    X, y = small_moons

    class Interrupted(TwoLayerSigmoidClassifier):
        def _update(self, params, grads, learning_rate):
            self.n_updates = getattr(self, "n_updates", 0) + 1
            if self.n_updates == 20:
                raise KeyboardInterrupt
            return super()._update(params, grads, learning_rate)

    clf = Interrupted(random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert clf.stop_reason_ == "interrupted"
    assert clf.n_iter_ == 20
    assert clf.loss_ == min(clf.loss_curve_)
    assert_allclose(log_loss(y, clf.predict_proba(X)), clf.loss_, rtol=1e-12)


# Input of many kinds


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_of_X_is_the_dtype_of_the_model(moons, dtype):
    X, y = moons
    clf = TwoLayerSigmoidClassifier(random_state=0, learning_rate=np.float64(1.2), alpha=1e-3)
    clf.fit(X.astype(dtype), y)
    outputs = [clf.decision_function(X), clf.predict_proba(X), clf.predict_log_proba(X)]
    assert {a.dtype for a in [*(getattr(clf, name) for name in WEIGHTS), *outputs]} == {
        np.dtype(dtype)
    }


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_float32_features_whose_squares_overflow(moons, container):
    X, y = moons
    X = container((1e20 * X).astype(np.float32))
    clf = quick(learning_rate=1e-9, max_iter=2).fit(X, y)
    assert np.isfinite(clf.predict_proba(X)).all()


def test_float32_agrees_with_float64(moons, three_blobs):
    for X, y in moons, three_blobs:
        double = quick(max_iter=300).fit(X, y)
        single = quick(max_iter=300).fit(X.astype(np.float32), y)
        assert_allclose(single.loss_curve_, double.loss_curve_, rtol=1e-4)
        assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-4)
        assert_array_equal(single.predict(X), double.predict(X))


def test_float32_weights_count_rows(small_moons):
    X, y = small_moons
    times = np.arange(len(y)) % 3
    weighted = quick().fit(X.astype(np.float32), y, sample_weight=times)
    repeated = quick().fit(X.astype(np.float32).repeat(times, axis=0), y.repeat(times))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)


def test_rows_of_weight_0_may_hold_anything(small_moons):
    X, y = small_moons
    extremes = np.r_[X, [[1e300, -1e300], [1e-300, 1e308]]]
    clf = quick().fit(extremes, np.r_[y, 0, 1], sample_weight=np.r_[np.ones(len(y)), 0, 0])
    assert_same_fit(clf, quick().fit(X, y))


@pytest.mark.parametrize("init", ["small", "spread"])
def test_weight_2_is_the_row_twice_and_weight_0_the_row_gone(three_blobs, init):
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
    monkeypatch.setattr(_objective, "BLOCK_BYTES", 0)
    monkeypatch.setattr(_objective, "SMALLEST_BLOCK", 13)
    dense, from_sparse = quick().fit(X, y), quick().fit(container(X), y)
    assert_allclose(from_sparse.loss_curve_, dense.loss_curve_, rtol=1e-12)
    assert_allclose(from_sparse.predict_proba(container(X)), dense.predict_proba(X), rtol=1e-9)


def test_wide_sparse_input_is_never_dense():
    rows = np.arange(200)
    X = sparse.csr_array((np.ones(200), (rows, 5000 * rows)), shape=(200, 10**6))
    y = rows % 2
    tracemalloc.start()
    with pytest.warns(ConvergenceWarning, match="plateau"):
        clf = quick(max_iter=2, n_h=1).fit(X, y)
    assert clf.predict(X).shape == (200,)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6  # a dense copy takes 1600e6, a vector of parameters 8e6


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_the_callers_arrays_are_not_changed(small_moons, dtype, order):
    X, y = small_moons
    X = np.array(10 * X, dtype=dtype, order=order)
    w = np.linspace(0, 3, len(y))
    before = X.copy(), y.copy(), w.copy()
    clf = quick(class_weight="balanced", alpha=0.1).fit(X, y, sample_weight=w)
    clf.predict_proba(X)
    clf.score(X, y, sample_weight=w)
    for array, old in zip((X, y, w), before, strict=True):
        assert_array_equal(array, old)


def test_memory_mapped_and_read_only_input(small_moons, tmp_path):
    X, y = small_moons
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert not mapped.flags.writeable
    assert_same_fit(quick().fit(mapped, y), quick().fit(X, y))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_have_feature_names(small_moons, frame):
    X, y = small_moons
    X_frame = frame({"left": X[:, 0], "right": X[:, 1]})
    clf = quick().fit(X_frame, y)
    assert_array_equal(clf.feature_names_in_, ["left", "right"])
    assert_array_equal(clf.predict(X_frame), quick().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(frame({"right": X[:, 1], "left": X[:, 0]}))


def test_pandas_labels_and_weights(small_moons):
    X, y = small_moons
    labels = pd.Series(y, index=range(7, 7 + len(y))).map({0: "no", 1: "yes"})
    clf = quick().fit(X, labels, sample_weight=pd.Series(np.ones(len(y))))
    assert set(clf.predict(X)) == {"no", "yes"}


@pytest.mark.skipif(
    parse_version(scipy.__version__) < parse_version("1.14"),
    reason="scikit-learn dispatches by the array API from SciPy 1.14 on",
)
def test_numpy_input_under_array_api_dispatch(small_moons):
    X, y = small_moons
    plain = quick().fit(X, y)
    with sklearn.config_context(array_api_dispatch=True):
        clf = quick().fit(X, y)
        assert_array_equal(clf.predict_proba(X), plain.predict_proba(X))
        assert clf.score(X, y) == plain.score(X, y)


# Labels of many kinds


@pytest.mark.parametrize("classes", [["no", "yes"], [False, True], [-1, 1], [0, 1], [2.0, 5.0]])
def test_two_classes_of_any_kind(small_moons, classes):
    X, y = small_moons
    labels = np.array(classes)[y]
    clf = TwoLayerSigmoidClassifier(random_state=0).fit(X, labels)
    assert_array_equal(clf.classes_, classes)
    assert clf.predict(X).dtype == labels.dtype
    assert clf.score(X, labels) > 0.95
    z2 = clf.decision_function(X)
    assert z2.shape == (len(y),)
    assert_array_equal(clf.predict(X), np.array(classes)[(z2 > 0).astype(int)])
    assert_allclose(clf.predict_proba(X)[:, 1], 1 / (1 + np.exp(-z2)))


def test_three_classes(three_blobs):
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
def test_multilabel(container):
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
        quick(max_iter=300, class_weight=w).fit(X, y).predict(X)[y == 1].mean()
        for w in (None, {0: 1, 1: 10})
    ]
    assert recall[1] > recall[0]
    balanced = quick(class_weight="balanced").fit(X, y)
    rates = np.bincount(y) / len(y)
    by_hand = quick().fit(X, y, sample_weight=1 / rates[y])
    assert_allclose(balanced.loss_curve_, by_hand.loss_curve_, rtol=1e-12)


# It trains by default


def test_issue_31235_of_scikit_learn_is_learned_for_every_seed():
    X, y = problems.parabola()
    for seed in range(20):
        assert TwoLayerSigmoidClassifier(n_h=20, random_state=seed).fit(X, y).score(X, y) >= 0.97


def test_moons_are_learned_by_default(moons):
    losses = [TwoLayerSigmoidClassifier(random_state=s).fit(*moons).loss_ for s in range(20)]
    assert np.median(losses) <= 0.085


def test_lecture_data_is_learned_with_two_units():
    X, y = problems.load(problems.lecture, standardise=True)
    losses = [TwoLayerSigmoidClassifier(n_h=2, random_state=s).fit(X, y).loss_ for s in range(20)]
    assert sum(loss < 0.20 for loss in losses) >= 19


@pytest.mark.parametrize("seed", range(3))
def test_the_lectures_own_run(lecture, seed):
    clf = TwoLayerSigmoidClassifier(n_h=2, random_state=seed).fit(*lecture)
    assert_array_equal(clf.predict([[2, 2], [8, 8], [2, 8], [8, 2]]), [1, 1, 0, 0])
    assert min(clf.loss_curve_) < 0.19
