"""Cases from scikit-learn's tests of MLPClassifier that also hold for this network."""

import math
from contextlib import nullcontext

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss, roc_auc_score

from tests.helpers import (
    LECTURE,
    SOLVER_SETTINGS,
    WEIGHTS,
    assert_allclose_weights,
    assert_same_fit,
    assert_same_weights,
    make_clf,
    penalty,
    standardized_W1,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier


@pytest.fixture(scope="module")
def digits():
    """200 pictures of the digits 0, 1 and 2, with pixels from 0 to 16."""
    X, y = load_digits(n_class=3, return_X_y=True)
    return X[:200], y[:200]


@pytest.fixture(scope="module")
def zeros_and_ones(digits):
    X, y = digits
    return X[y < 2], y[y < 2]


@pytest.fixture(scope="module")
def documents():
    """50 rows with counts of 20 words. Each row can have several of 5 labels."""
    return make_multilabel_classification(50, random_state=0)


def start_arrays(n_x, n_h, n_y):
    random_state = np.random.RandomState(0)
    shapes = (n_h, n_x), (n_h, 1), (n_y, n_h), (n_y, 1)
    return tuple(random_state.standard_normal(shape) for shape in shapes)


def targets(kind, labels):
    """The labels 0, 1 and 2 in one of the three forms of y."""
    return {
        "two classes": labels > 0,
        "three classes": labels,
        "multilabel": np.column_stack([labels > 0, labels < 2]).astype(int),
    }[kind]


KINDS = ["two classes", "three classes", "multilabel"]


# One update


@pytest.mark.filterwarnings("ignore:Training ended")  # after one update
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_one_update_equals_the_hand_calculation(method):
    def g(z):
        return 1 / (1 + math.exp(-z))

    # Two rows x and t, two hidden units; the first row has y = 0, the second y = 1.
    x1, x2, t1, t2 = 0.6, 0.8, -0.5, 1.0
    w11, w12, w21, w22 = 0.1, 0.3, 0.5, -0.2
    c1, c2, v1, v2, d = 0.1, -0.4, 0.7, -0.9, 0.25
    eta, alpha = 0.5, 0.1

    # (2), (3): the hidden units of both rows
    h1, h2 = g(w11 * x1 + w12 * x2 + c1), g(w21 * x1 + w22 * x2 + c2)
    k1, k2 = g(w11 * t1 + w12 * t2 + c1), g(w21 * t1 + w22 * t2 + c2)
    # (4): the output of both rows
    p, q = g(v1 * h1 + v2 * h2 + d), g(v1 * k1 + v2 * k2 + d)
    # (8) and the penalty
    squares = w11**2 + w12**2 + w21**2 + w22**2 + v1**2 + v2**2
    loss = (-math.log(1 - p) - math.log(q)) / 2 + alpha / 2 * squares
    # dz2 / m of both rows, and (13) dz1 / m of both rows and units
    r, s = (p - 0) / 2, (q - 1) / 2
    r1, r2 = r * v1 * h1 * (1 - h1), r * v2 * h2 * (1 - h2)
    s1, s2 = s * v1 * k1 * (1 - k1), s * v2 * k2 * (1 - k2)
    # (9): the step along (10), (14), (15) and the gradient of the penalty
    W1 = [
        [
            w11 - eta * (r1 * x1 + s1 * t1 + alpha * w11),
            w12 - eta * (r1 * x2 + s1 * t2 + alpha * w12),
        ],
        [
            w21 - eta * (r2 * x1 + s2 * t1 + alpha * w21),
            w22 - eta * (r2 * x2 + s2 * t2 + alpha * w22),
        ],
    ]
    b1 = [[c1 - eta * (r1 + s1)], [c2 - eta * (r2 + s2)]]
    W2 = [[v1 - eta * (r * h1 + s * k1 + alpha * v1), v2 - eta * (r * h2 + s * k2 + alpha * v2)]]
    b2 = [[d - eta * (r + s)]]

    start = ([[w11, w12], [w21, w22]], [[c1], [c2]], [[v1, v2]], [[d]])
    clf = TwoLayerSigmoidClassifier(
        2, eta, standardize=False, alpha=alpha, init=start, max_iter=1, random_state=0
    )
    classes = {"classes": [0, 1]} if method == "partial_fit" else {}
    getattr(clf, method)([[x1, x2], [t1, t2]], [0, 1], **classes)
    assert_allclose(clf.loss_curve_, [loss], rtol=1e-14)
    for name, expected in zip(WEIGHTS, (W1, b1, W2, b2), strict=True):
        assert_allclose(getattr(clf, name), expected, rtol=1e-13, err_msg=name)

    # The probability of class 1 in the first row, with the new weights
    h1 = g(W1[0][0] * x1 + W1[0][1] * x2 + b1[0][0])
    h2 = g(W1[1][0] * x1 + W1[1][1] * x2 + b1[1][0])
    p = g(W2[0][0] * h1 + W2[0][1] * h2 + b2[0][0])
    assert_allclose(clf.predict_proba([[x1, x2]]), [[1 - p, p]], rtol=1e-13)


@pytest.mark.filterwarnings("ignore:Training ended")  # after one update
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_one_update_equals_the_numerical_gradient(kind, weighted, standardize):
    random_state = np.random.RandomState(0)
    X, labels = 5 + random_state.standard_normal((12, 3)) * [1, 3, 0.2], np.arange(12) % 3
    y, w = targets(kind, labels), random_state.uniform(1, 2, 12) if weighted else np.ones(12)
    Y = y[:, np.newaxis] == [0, 1, 2] if kind == "three classes" else y.reshape(12, -1)
    mean, scale = np.zeros(3), np.ones(3)
    if standardize:
        mean = np.average(X, axis=0, weights=w)
        scale = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=w))
    Z, alpha, step = (X - mean) / scale, 0.1, 1e-5

    def objective(W1, b1, W2, b2):
        A1 = 1 / (1 + np.exp(-W1 @ Z.T - b1))
        A2 = 1 / (1 + np.exp(-W2 @ A1 - b2))
        losses = np.where(Y.T, -np.log(A2), -np.log(1 - A2)).sum(axis=0)
        return np.average(losses, weights=w) + alpha / 2 * ((W1**2).sum() + (W2**2).sum())

    # The update applies to W1 and b1 for standardised features; init and W1_ are for X as it is.
    start = W1, b1, W2, b2 = start_arrays(3, 2, Y.shape[1])
    init = W1 / scale, b1 - W1 / scale @ mean[:, np.newaxis], W2, b2
    clf = make_clf(n_h=2, learning_rate=1.0, init=init, alpha=alpha, max_iter=1)
    clf.set_params(standardize=standardize).fit(X, y, sample_weight=w)
    moved = clf.W1_ * scale, clf.b1_ + clf.W1_ @ mean[:, np.newaxis], clf.W2_, clf.b2_

    assert_allclose(clf.loss_curve_, [objective(*start)], rtol=1e-12)
    for i, (before, after) in enumerate(zip(start, moved, strict=True)):
        for entry in np.ndindex(before.shape):
            above, below = (tuple(map(np.copy, start)) for _ in range(2))
            above[i][entry] += step
            below[i][entry] -= step
            slope = (objective(*above) - objective(*below)) / (2 * step)
            assert_allclose((before - after)[entry], slope, atol=1e-9, err_msg=WEIGHTS[i])


# The penalty


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
@pytest.mark.filterwarnings("ignore:The classes can be separated")  # without a penalty
def test_larger_alpha_gives_smaller_weights(zeros_and_ones, solver):
    X, y = zeros_and_ones
    clf, sizes = make_clf(solver=solver, max_iter=200), []
    for alpha in 0.0, 1e-3, 1e-2, 1e-1:
        clf.set_params(alpha=alpha).fit(X, y)
        sizes.append([np.abs(standardized_W1(clf)).sum(), np.abs(clf.W2_).sum()])
    assert (np.diff(sizes, axis=0) < 0).all()


# Learning


@pytest.mark.parametrize("data", ["zeros_and_ones", "digits"])
def test_lbfgs_learns_digits(data, request):
    X, y = request.getfixturevalue(data)
    clf = make_clf(solver="lbfgs", max_iter=1000).fit(X[:100], y[:100])
    assert clf.score(X[:100], y[:100]) > 0.95
    labels = clf.predict(X[100:])
    assert (labels.shape, labels.dtype) == (y[100:].shape, y.dtype)


def test_multilabel_score_needs_all_labels_right(documents):
    X, Y = documents
    clf = make_clf().fit(X, Y)
    given = clf.predict(X)
    given[:10, 0] = 1 - given[:10, 0]
    assert clf.score(X, given) == 0.8
    assert clf.score(X, given, sample_weight=np.where(np.arange(50) < 10, 1, 0)) == 0


# partial_fit


@pytest.mark.parametrize("kind", ["three classes", "multilabel"])
def test_partial_fits_equal_one_fit(three_blobs, kind):
    X, names = three_blobs
    y = targets(kind, np.unique(names, return_inverse=True)[1])
    clf = make_clf(alpha=0.01, momentum=0.9, learning_rate=0.2, max_iter=20)
    fitted, stepwise = clone(clf).fit(X, y), clone(clf)
    for _ in range(20):
        stepwise.partial_fit(X, y, classes=fitted.classes_)
    assert_allclose_weights(stepwise, fitted, rtol=1e-10)
    assert_array_equal(stepwise.predict(X), fitted.predict(X))


@pytest.mark.filterwarnings("ignore:Training ended")  # after three epochs
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_epochs_equal_partial_fits_of_their_batches(small_moons, momentum):
    X, y = small_moons
    label_of, batches = {tuple(row): label for row, label in zip(X, y, strict=True)}, []

    class Recorded(TwoLayerSigmoidClassifier):
        def _backward(self, params, cache, X, Y, **options):
            batches.append(X.T.copy())
            return super()._backward(params, cache, X, Y, **options)

    params = LECTURE | {"n_h": 4, "alpha": 0.01, "momentum": momentum, "learning_rate": 0.1}
    params |= {"init": start_arrays(2, 4, 1), "random_state": 0}
    epochs = Recorded(**params, batch_size=25, max_iter=3, tol=0).fit(X, y)
    stepwise = TwoLayerSigmoidClassifier(**params)
    batches = [batch for batch in batches if len(batch) == 25]
    assert len(batches) == 3 * 4
    for batch in batches:
        stepwise.partial_fit(batch, [label_of[tuple(row)] for row in batch], classes=[0, 1])
    assert_allclose_weights(stepwise, epochs, rtol=1e-10)


def test_partial_fit_learns_a_class_seen_later():
    X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array(list("abcd"))
    clf = make_clf()
    for _ in range(20):
        clf.partial_fit(X[:3], y[:3], classes=y)
    unseen = clf.predict_proba(X)
    assert unseen[:, 3].max() < 0.1
    for _ in range(20):
        clf.partial_fit(X[3:], y[3:])
    assert (clf.predict_proba(X)[:, 3] > unseen[:, 3]).all()
    assert_array_equal(clf.predict(X[3:]), ["d"])


def test_first_partial_fit_can_have_one_row():
    clf = make_clf(n_h=3).partial_fit([[3, 2]], [0], classes=[0, 1])
    assert_array_equal(clf.predict([[3, 2]]), [0])
    with pytest.raises(ValueError, match="is not the same as on last call"):
        clf.partial_fit([[3, 2]], [1], classes=[1, 2])


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([2], "only one class, 2"),
        ([2, 3], r"not among the classes \[2, 3\], such as 0"),
        ([0, 2], r"not among the classes \[0, 2\], such as 1"),
    ],
)
def test_first_partial_fit_refuses_other_labels(classes, message):
    clf = make_clf()
    with pytest.raises(ValueError, match=message):
        clf.partial_fit([[3, 2], [1, 6]], [1, 0], classes=classes)
    with pytest.raises(NotFittedError):
        clf.predict([[3, 2]])
    clf.partial_fit([[3, 2], [1, 6]], [1, 0], classes=[0, 1])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "X contains NaN"),
        (np.inf, "X contains infinity"),
        (1e308, "too large or too small for float64"),
    ],
)
def test_refused_partial_fit_leaves_no_trace(small_moons, value, message):
    X, y = small_moons
    bad = X.copy()
    bad[7, 1] = value
    clf, undisturbed = (make_clf(momentum=0.9).partial_fit(X, y, classes=[0, 1]) for _ in range(2))
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(bad, y)
    assert_same_fit(clf.partial_fit(X, y), undisturbed.partial_fit(X, y))


def test_partial_fit_after_early_stopping_continues(small_moons):
    X, y = small_moons
    clf = make_clf(**LECTURE, early_stopping=True).fit(X, y)
    assert not hasattr(clf, "partial_fit")
    reached = log_loss(y, clf.predict_proba(X))
    clf.set_params(early_stopping=False).partial_fit(X, y)
    assert_allclose(clf.loss_curve_, [reached], rtol=1e-12)
    assert clf.loss_ < reached


def test_loaded_network_learns_new_labels(zeros_and_ones, tmp_path):
    X, y = zeros_and_ones
    clf = make_clf().fit(X, y)
    joblib.dump(clf, tmp_path / "network.joblib")
    loaded = joblib.load(tmp_path / "network.joblib")
    for _ in range(50):
        loaded.partial_fit(X, 1 - y)
    assert loaded.score(X, 1 - y) == 1
    assert clf.score(X, y) == 1


# Features near the largest number


@pytest.mark.parametrize("setting", [*SOLVER_SETTINGS, {"early_stopping": True}])
def test_features_near_the_limit_are_refused(setting):
    X, y = np.finfo(np.float64).max * np.random.RandomState(0).uniform(size=(10, 2)), [0, 1] * 5
    clf = make_clf(**setting)
    with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
        clf.fit(X, y)
    if hasattr(clf, "partial_fit"):
        with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
            clf.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(NotFittedError):
        clf.predict(X)


# Probabilities


def test_probabilities_rank_separable_classes(zeros_and_ones):
    X, y = zeros_and_ones
    clf = make_clf(max_iter=200).fit(X, y)
    P, log_P = clf.predict_proba(X), clf.predict_log_proba(X)
    assert P.shape == log_P.shape == (len(y), 2)
    assert_allclose(P.sum(axis=1), 1, rtol=1e-14)
    assert_allclose(log_P, np.log(P), rtol=1e-12, atol=1e-15)
    assert_array_equal(log_P.argmax(axis=1), P.argmax(axis=1))
    assert roc_auc_score(y, P[:, 1]) == 1


def test_each_label_has_its_own_probability(documents):
    X, Y = documents
    clf = make_clf(n_h=30, solver="lbfgs", max_iter=1000, alpha=1e-5 / 50).fit(X, Y)
    P, log_P = clf.predict_proba(X), clf.predict_log_proba(X)
    assert P.shape == log_P.shape == Y.shape
    assert_array_equal(P > 0.5, Y)
    assert_array_equal(clf.predict(X), Y)
    assert_allclose(P.sum(axis=1), Y.sum(axis=1), atol=0.5)  # up to 5 labels in a row, or none
    assert_allclose(log_P, np.log(P), rtol=1e-10, atol=1e-15)
    assert_array_equal(log_P.argmax(axis=1), P.argmax(axis=1))


# The order of the rows


@pytest.mark.filterwarnings("ignore:Training ended")  # after one epoch
@pytest.mark.parametrize("batch_size", [1, 30, 100])
def test_seed_draws_the_minibatches_only(small_moons, batch_size):
    clf = make_clf(n_h=2, init=start_arrays(2, 2, 1), learning_rate=0.1, max_iter=1)
    clf.set_params(batch_size=batch_size)
    one, again, other = (clone(clf).set_params(random_state=i).fit(*small_moons) for i in (0, 0, 1))
    assert_same_weights(one, again)
    assert np.array_equal(one.W1_, other.W1_) == (batch_size == 100)


@pytest.mark.parametrize("setting", [{}, LECTURE, {"solver": "lbfgs", "max_iter": 20}])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_full_batches_ignore_the_order_of_rows(small_moons, setting):
    X, y = small_moons
    order = np.random.RandomState(0).permutation(100)
    clf = make_clf(init=start_arrays(2, 8, 1), **setting)
    one, other = clone(clf).fit(X, y), clone(clf).fit(X[order], y[order])
    assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-12)
    assert_allclose_weights(other, one, rtol=1e-10)


# Kinds of input


@pytest.mark.parametrize(
    "container",
    [sparse.csr_array, sparse.csc_array, sparse.coo_array, sparse.csr_matrix, sparse.csc_matrix],
)
def test_sparse_and_dense_rows_are_interchangeable(zeros_and_ones, container):
    X, y = zeros_and_ones
    one, other = (make_clf().partial_fit(X[:60], y[:60], classes=[0, 1]) for _ in range(2))
    one.partial_fit(X[60:], y[60:])
    other.partial_fit(container(X[60:]), y[60:])
    assert_allclose_weights(other, one, rtol=1e-9, atol=1e-12)
    expected = one.decision_function(X)
    for clf in one, other:
        assert_allclose(clf.decision_function(container(X)), expected, rtol=1e-9)
        assert_allclose(clf.decision_function(X), expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64, np.float16, object])
def test_whole_numbers_equal_float64(digits, dtype):
    X, y = digits
    one, other = make_clf(max_iter=5).fit(X, y), make_clf(max_iter=5).fit(X.astype(dtype), y)
    assert_same_fit(other, one)
    assert_array_equal(other.predict_proba(X.astype(dtype)), one.predict_proba(X))


def test_boolean_features_are_zero_and_one(digits):
    X, y = digits
    one, other = make_clf(max_iter=5).fit(X > 8, y), make_clf(max_iter=5).fit(1.0 * (X > 8), y)
    assert_same_fit(one, other)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_weights_follow_the_latest_dtype(small_moons, momentum):
    X, y = small_moons
    clf = make_clf(momentum=momentum, learning_rate=0.1)
    double = clone(clf)
    for dtype in np.float32, np.float64, np.float32:
        clf.partial_fit(X.astype(dtype), y, classes=[0, 1])
        double.partial_fit(X, y, classes=[0, 1])
        assert {getattr(clf, name).dtype for name in WEIGHTS} == {np.dtype(dtype)}
        assert clf.predict_proba(X).dtype == dtype
    assert_allclose(clf.predict_proba(X), double.predict_proba(X), atol=1e-5)


def test_feature_names_survive_early_stopping(small_moons):
    X, y = small_moons
    frame, labels = pd.DataFrame(X, columns=["left", "right"]), pd.Series(y, name="moon")
    plain = make_clf(early_stopping=True).fit(X, y)
    clf = make_clf(early_stopping=True, validation_fraction=0.1).fit(frame, labels)
    assert_same_fit(clf, plain)
    assert_array_equal(clf.feature_names_in_, ["left", "right"])
    sets = {"X_val": frame[:20], "y_val": labels[:20]}
    assert clf.fit(frame, labels, **sets).score(frame, labels) > 0.8
    with pytest.raises(ValueError, match="feature names should match"):
        clf.fit(frame, labels, **sets | {"X_val": frame[["right", "left"]][:20]})


# Output


def test_partial_fit_prints_the_cost(capsys):
    X, y = [[3, 2], [1, 6]], [1, 0]
    clf = make_clf(n_h=2, verbose=2)
    for _ in range(2):
        clf.partial_fit(X, y, classes=[0, 1])
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"Cost after iteration 0: {clf.loss_curve_[0]:.6f}"
        assert lines[1].startswith(f"Cost after iteration 1: {clf.loss_:.6f}, ")
        assert len(lines) == 2


# Early stopping


def flipped(X, y):
    """A validation set that gets worse with all that is learned."""
    return {"X_val": X, "y_val": 1 - y}


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # the best is at the start
@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_patience_does_not_count_the_plateau(small_moons, n):
    X, y = small_moons
    clf = make_clf(n_h=2, early_stopping=True, n_iter_no_change=n, max_iter=300, alpha=0)
    clf.fit(X, y, **flipped(X, y))
    plateau = np.flatnonzero(np.array(clf.loss_curve_) >= 0.99 * np.log(2))
    assert len(plateau) > 1
    assert clf.stop_reason_ == "early_stopping"
    assert clf.n_iter_ == plateau[-1] + n
    assert np.argmin(clf.validation_loss_curve_) == 0


def test_patience_can_exceed_max_iter(small_moons):
    X, y = small_moons
    clf = make_clf(early_stopping=True, n_iter_no_change=10**9)
    with pytest.warns(ConvergenceWarning, match="Training ended"):  # the best is at the start
        clf.fit(X, y, **flipped(X, y))
    assert (clf.n_iter_, clf.stop_reason_) == (50, "max_iter")
    best = min(clf.validation_loss_curve_)
    assert log_loss(1 - y, clf.predict_proba(X)) == pytest.approx(best, rel=1e-12)
    with pytest.raises(ValueError, match=r"'n_iter_no_change' parameter .* Got inf"):
        clf.set_params(n_iter_no_change=np.inf).fit(X, y)


def test_refit_drops_the_validation_curve(small_moons):
    clf = make_clf(early_stopping=True).fit(*small_moons)
    assert clf.validation_loss_curve_ is not None
    clf.set_params(early_stopping=False).fit(*small_moons)
    assert clf.validation_loss_curve_ is None
    assert_same_fit(clf, make_clf().fit(*small_moons))


def test_early_stopping_accepts_object_labels(three_blobs):
    X, y = three_blobs
    clf = make_clf(early_stopping=True).fit(X, y.astype(object))
    assert_same_weights(clf, make_clf(early_stopping=True).fit(X, y))
    assert len(clf.validation_loss_curve_) == clf.n_iter_
    assert np.isfinite(clf.validation_loss_curve_).all()


@pytest.mark.parametrize("batch_size", [90, 95, 1000])
def test_batch_can_exceed_the_training_split(small_moons, batch_size):
    full = make_clf(early_stopping=True).fit(*small_moons)  # 90 rows to train on
    clf = make_clf(early_stopping=True, batch_size=batch_size).fit(*small_moons)
    assert_same_fit(clf, full)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_equal_weights_change_nothing(small_moons, weight):
    X, y = small_moons
    clf = make_clf(early_stopping=True, batch_size=10, alpha=1e-3)
    weighted = clone(clf).fit(X, y, sample_weight=np.full(100, weight))
    assert_same_fit(weighted, clf.fit(X, y))


@pytest.mark.parametrize("batch_size", [None, 10])
@pytest.mark.parametrize("rate", [1e4, 1e300])
def test_divergence_keeps_the_best_validated_weights(small_moons, rate, batch_size):
    X, y = small_moons
    clf = make_clf(learning_rate=rate, early_stopping=True, alpha=1e-3, n_iter_no_change=1000)
    clf.set_params(batch_size=batch_size, max_iter=1000)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        clf.fit(X, y, X_val=X, y_val=y)
    assert clf.stop_reason_ == "diverged"
    assert np.isfinite(clf.validation_loss_curve_).all()
    best = log_loss(y, clf.predict_proba(X))
    assert best == pytest.approx(min(clf.validation_loss_curve_), rel=1e-9)


def test_two_rows_cannot_be_split():
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 cannot be split off 2 rows"):
        make_clf(early_stopping=True).fit([[3, 2], [1, 6]], [1, 0])


# Warm start


OTHER_LABELS = [[0, 1], [1, 2], [0, 1, 3], [0, 1, 2, 3], [0, 1, 2, 3, 4], ["0", "1", "2"]]


@pytest.mark.parametrize("labels", OTHER_LABELS, ids=str)
def test_warm_fit_needs_the_same_classes(three_blobs, labels):
    X, names = three_blobs
    y = np.unique(names, return_inverse=True)[1]
    clf = make_clf(warm_start=True).fit(X, y)
    P = clf.predict_proba(X)
    with pytest.raises(ValueError, match=r"y has the classes .*fitted to \[0, 1, 2\]"):
        clf.fit(X, np.array(labels)[np.arange(120) % len(labels)])
    assert_array_equal(clf.predict_proba(X), P)


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
