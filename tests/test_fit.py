"""What a fit computes and stores."""

import copy
import math
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from tests.helpers import (
    LECTURE,
    SOLVER_SETTINGS,
    TARGET_KINDS,
    WEIGHTS,
    assert_allclose_weights,
    assert_same_fit,
    assert_same_weights,
    make_clf,
    max_gradient,
    penalised_log_loss,
    slow,
    start_arrays,
    targets_of_kind,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _network


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


def test_loss_curve_holds_losses_before_updates(small_moons):
    short, long = make_clf(max_iter=7).fit(*small_moons), make_clf(max_iter=8).fit(*small_moons)
    assert long.loss_curve_ == [*short.loss_curve_, short.loss_]


def test_refits_with_one_seed_are_identical(moons):
    assert_same_fit(make_clf().fit(*moons), make_clf().fit(*moons))
    assert make_clf(random_state=1).fit(*moons).loss_ != make_clf().fit(*moons).loss_


@pytest.mark.parametrize("copied", [clone, copy.deepcopy])
def test_copies_equal_the_original(small_moons, copied):
    X, y = small_moons
    clf = make_clf(
        init=tuple(_network.initialize_parameters(2, 8, 1, random_state=np.random.RandomState(0)))
    )
    fitted = clf.fit(X, y)
    other = copied(fitted)
    if copied is clone:
        other.fit(X, y)
    assert_same_fit(fitted, other)
    assert_array_equal(fitted.predict_proba(X), other.predict_proba(X))


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
@pytest.mark.parametrize("kind", TARGET_KINDS)
def test_one_update_equals_the_numerical_gradient(kind):
    random_state = np.random.RandomState(0)
    X, labels = 5 + random_state.standard_normal((12, 3)) * [1, 3, 0.2], np.arange(12) % 3
    y, w = targets_of_kind(kind, labels), random_state.uniform(1, 2, 12)
    Y = y[:, np.newaxis] == [0, 1, 2] if kind == "three classes" else y.reshape(12, -1)
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
    clf.fit(X, y, sample_weight=w)
    moved = clf.W1_ * scale, clf.b1_ + clf.W1_ @ mean[:, np.newaxis], clf.W2_, clf.b2_

    assert_allclose(clf.loss_curve_, [objective(*start)], rtol=1e-12)
    for i, (before, after) in enumerate(zip(start, moved, strict=True)):
        for entry in np.ndindex(before.shape):
            above, below = (tuple(map(np.copy, start)) for _ in range(2))
            above[i][entry] += step
            below[i][entry] -= step
            slope = (objective(*above) - objective(*below)) / (2 * step)
            assert_allclose((before - after)[entry], slope, atol=1e-9, err_msg=WEIGHTS[i])


# Training


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_loss_and_curves_of_every_solver(small_moons, setting, early_stopping):
    X, y = small_moons
    clf = make_clf(early_stopping=early_stopping, **setting).fit(X, y)
    assert len(clf.loss_curve_) == clf.n_iter_ > 10
    if early_stopping:
        assert len(clf.validation_loss_curve_) == clf.n_iter_
    else:
        assert clf.validation_loss_curve_ is None
        assert_allclose(clf.loss_, penalised_log_loss(clf, X, y), rtol=1e-13)
    assert_same_weights(clf, clone(clf).fit(X, y))


@pytest.mark.slow
@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_every_solver_learns_several_outputs(three_blobs, setting):
    X, y = three_blobs
    assert make_clf(**setting, max_iter=200).fit(X, y).score(X, y) > 0.85
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    assert make_clf(**setting, max_iter=300).fit(X, Y).score(X, Y) > 0.7


@pytest.mark.parametrize("seed", [0, 1, *map(slow, range(2, 16))])
def test_lecture_run_predicts_the_four_corners(lecture, seed):
    clf = make_clf(**LECTURE, n_h=2, max_iter=3000, random_state=seed).fit(*lecture)
    assert_array_equal(clf.predict([[2, 2], [8, 8], [2, 8], [8, 2]]), [1, 1, 0, 0])
    assert min(clf.loss_curve_) < 0.19


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


@pytest.mark.parametrize("setting", [{}, LECTURE, {"solver": "lbfgs", "max_iter": 20}])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_full_batches_ignore_the_order_of_rows(small_moons, setting):
    X, y = small_moons
    order = np.random.RandomState(0).permutation(100)
    clf = make_clf(init=start_arrays(2, 8, 1), **setting)
    one, other = clone(clf).fit(X, y), clone(clf).fit(X[order], y[order])
    assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-12)
    assert_allclose_weights(other, one, rtol=1e-10)


# Verbose output


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


def test_partial_fit_prints_the_cost(capsys):
    X, y = [[3, 2], [1, 6]], [1, 0]
    clf = make_clf(n_h=2, verbose=2)
    for _ in range(2):
        clf.partial_fit(X, y, classes=[0, 1])
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"Cost after iteration 0: {clf.loss_curve_[0]:.6f}"
        assert lines[1].startswith(f"Cost after iteration 1: {clf.loss_:.6f}, ")
        assert len(lines) == 2
