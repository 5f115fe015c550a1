"""``partial_fit``."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss

from tests.helpers import (
    LECTURE,
    TARGET_KINDS,
    assert_allclose_weights,
    assert_same_fit,
    assert_same_weights,
    make_clf,
    start_arrays,
    targets_of_kind,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier


@pytest.mark.parametrize("kind", TARGET_KINDS)
@pytest.mark.parametrize(("setting", "rtol"), [(LECTURE, 0), ({"alpha": 0.01}, 1e-10)])
def test_partial_fit_is_one_update(three_blobs, kind, setting, rtol):
    X, names = three_blobs
    y = targets_of_kind(kind, np.unique(names, return_inverse=True)[1])
    fit = make_clf(**setting, max_iter=20, momentum=0.9, learning_rate=0.1).fit(X, y)
    clf = make_clf(**setting, momentum=0.9, learning_rate=0.1)
    for cost in fit.loss_curve_:
        clf.partial_fit(X, y, classes=fit.classes_)
        assert_allclose(clf.loss_curve_, [cost], rtol)
        assert clf.stop_reason_ == "partial_fit"
    assert_allclose(clf.loss_, fit.loss_, rtol)
    assert_allclose_weights(clf, fit, rtol)


def test_partial_fit_with_minibatches_is_one_epoch(small_moons):
    X, y = small_moons
    clf = make_clf(batch_size=30).partial_fit(X, y, classes=[0, 1])
    assert_same_weights(clf, make_clf(batch_size=30, max_iter=1, tol=0).fit(X, y))


def test_rows_of_weight_zero_fill_no_minibatch(small_moons):
    X, y = small_moons
    weights = np.where(np.arange(len(y)) < 40, 1.0, 0.0)
    clf = make_clf(batch_size=50).partial_fit(X, y, [0, 1], weights)
    assert clf.batch_size_ is None
    fewer = make_clf(batch_size=50).partial_fit(X[:40], y[:40], [0, 1])
    assert_allclose_weights(clf, fewer, rtol=1e-10)


@pytest.mark.filterwarnings("ignore:Training ended")  # after three epochs
def test_epochs_equal_partial_fits_of_their_batches(small_moons):
    X, y = small_moons
    label_of, batches = {tuple(row): label for row, label in zip(X, y, strict=True)}, []

    class Recorded(TwoLayerSigmoidClassifier):
        def _backward(self, params, cache, X, Y, **options):
            batches.append(X.T.copy())
            return super()._backward(params, cache, X, Y, **options)

    params = LECTURE | {"n_h": 4, "alpha": 0.01, "momentum": 0.9, "learning_rate": 0.1}
    params |= {"init": start_arrays(2, 4, 1), "random_state": 0}
    epochs = Recorded(**params | {"batch_size": 25}, max_iter=3, tol=0).fit(X, y)
    stepwise = TwoLayerSigmoidClassifier(**params)
    batches = [batch for batch in batches if len(batch) == 25]
    assert len(batches) == 3 * 4
    for batch in batches:
        stepwise.partial_fit(batch, [label_of[tuple(row)] for row in batch], classes=[0, 1])
    assert_allclose_weights(stepwise, epochs, rtol=1e-10)


@pytest.mark.parametrize(("setting", "rtol"), [(LECTURE, 0), ({"alpha": 0.01}, 1e-10)])
def test_partial_fit_continues_after_fit(small_moons, setting, rtol):
    X, y = small_moons
    clf = make_clf(**setting, max_iter=10).fit(X, y)
    reached = clf.loss_
    assert_allclose(clf.partial_fit(X, y).loss_curve_, [reached], rtol)
    assert_allclose_weights(clf, make_clf(**setting, max_iter=11).fit(X, y), rtol)


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


def test_state_of_partial_fit_does_not_grow(small_moons):
    X, y = small_moons
    clf, sizes = make_clf(batch_size=20, momentum=0.9, learning_rate=0.1), set()
    for i in range(30):
        clf.partial_fit(X, y, classes=[0, 1])
        if i:
            sizes.add(len(pickle.dumps(clf)))
    assert max(sizes) - min(sizes) < 50  # numbers of the loss take a few bytes more or less


# Classes


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


def test_partial_fit_refuses_another_kind_of_target(three_blobs):
    X, _ = three_blobs
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    clf = make_clf().partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(
        ValueError, match="one column of labels, but it was a multilabel indicator matrix of 3"
    ):
        clf.partial_fit(X, Y[:, 0])
    with pytest.raises(ValueError, match=r"classes must be np.arange\(2\), .* but classes is"):
        clf.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match=r"multilabel indicator .* it was one column"):
        make_clf().partial_fit(X, Y[:, 0], classes=[0, 1]).partial_fit(X, Y[:, :2])


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


def test_partial_fit_refuses_bad_labels(small_moons):
    X, y = small_moons
    with pytest.raises(ValueError, match="classes holds only one class, 0: a classifier needs"):
        make_clf().partial_fit(X, y, classes=[0])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        make_clf().partial_fit(X, y)
    clf = make_clf().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="not the same as on last call"):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"not among the classes \[0, 1\], such as 7"):
        clf.partial_fit(X, np.where(y, 7, 0))
    with pytest.raises(ValueError, match="'learning_rate' parameter"):
        clf.set_params(learning_rate=-1).partial_fit(X, y)


# Errors and warnings


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


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"solver": "lbfgs"}, "solver='lbfgs' needs all rows at once: use solver='gd'"),
        ({"early_stopping": True}, "needs several passes: use early_stopping=False"),
        ({"early_stopping": np.True_}, "needs several passes: use early_stopping=False"),
        ({"n_init": 2}, "n_init=2 needs several passes: set n_init=1"),
        ({"class_weight": "balanced"}, "class_weight='balanced' needs all of y: give a dict"),
    ],
)
def test_partial_fit_is_unavailable_with_a_reason(small_moons, params, reason):
    clf = make_clf(**params)
    assert not hasattr(clf, "partial_fit")
    message = f"This 'TwoLayerSigmoidClassifier' has no attribute 'partial_fit', .*{reason}"
    with pytest.raises(AttributeError, match=message):
        clf.partial_fit(*small_moons, classes=[0, 1])
    with pytest.raises(AttributeError, match=message):
        TwoLayerSigmoidClassifier.partial_fit(clf, *small_moons, classes=[0, 1])


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam"},
        {"n_init": "many"},
        {"n_init": 0},
        {"early_stopping": "yes"},
        {"class_weight": "even"},
        {"class_weight": np.ones(2)},
    ],
)
def test_partial_fit_refuses_bad_parameters(small_moons, params):
    with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter"):
        make_clf(**params).partial_fit(*small_moons, classes=[0, 1])


def test_partial_fit_warns_of_divergence_only(moons):
    X, y = moons
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # ends on the plateau, as it must
        clf = make_clf().partial_fit(X, y, classes=[0, 1])
    clf.set_params(learning_rate=1e300, alpha=1e-3)
    with pytest.warns(ConvergenceWarning, match="diverged") as caught:
        clf.partial_fit(X, y)
    assert caught[0].filename == __file__
    assert np.isfinite(clf.predict_proba(X)).all()
