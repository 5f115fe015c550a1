"""Labels of many kinds, in training and scores."""

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import roc_auc_score
from sklearn.utils.fixes import parse_version

from tests.helpers import PICKLED_DAYS, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifier


@pytest.mark.parametrize("classes", [["no", "yes"], [False, True], [2.0, 5.0]])
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


def test_multilabel_score_needs_all_labels_right(documents):
    X, Y = documents
    clf = make_clf().fit(X, Y)
    given = clf.predict(X)
    given[:10, 0] = 1 - given[:10, 0]
    assert clf.score(X, given) == 0.8
    assert clf.score(X, given, sample_weight=np.where(np.arange(50) < 10, 1, 0)) == 0


@pytest.mark.parametrize("data", ["zeros_and_ones", "digits"])
def test_lbfgs_learns_digits(data, request):
    X, y = request.getfixturevalue(data)
    clf = make_clf(solver="lbfgs", max_iter=1000).fit(X[:100], y[:100])
    assert clf.score(X[:100], y[:100]) > 0.95
    labels = clf.predict(X[100:])
    assert (labels.shape, labels.dtype) == (y[100:].shape, y.dtype)


# Types that are refused


def test_labels_of_mixed_types_are_refused():
    with pytest.raises(TypeError, match=r"^y mixes labels of the types int, str: convert"):
        make_clf().fit(np.zeros((3, 1)), np.array(["a", 1, 2], dtype=object))


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.7"), reason="older versions accept bytes"
)
def test_bytes_labels_are_refused():
    with pytest.raises(TypeError, match=r"^Support for labels represented as bytes is not"):
        make_clf().fit(np.zeros((2, 1)), np.array([b"a", b"b"]))


# Labels of another dtype


WRONG_LABELS = [
    (["1", "2"], [1, 2]),
    (np.array([1, 2], np.int8), [257, 2]),
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
        ([False, True], [0.0, 1.0]),
        (["a", "bee"], np.array(["a", "bee"], object)),
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


# Scores


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (np.array([1, 2], np.int8), [1, 258]),
        (["a", "b"], ["apple", "b"]),
    ],
)
def test_score_counts_unequal_labels_as_wrong(small_moons, classes, labels):
    X, y = small_moons
    clf = TwoLayerSigmoidClassifier(max_iter=50, random_state=0).fit(X, np.asarray(classes)[y])
    given = np.asarray(labels)[y]
    right = [p == label for p, label in zip(clf.predict(X).tolist(), given.tolist(), strict=True)]
    assert 0 < clf.score(X, given) == np.mean(right) < 0.6


def test_score_counts_unknown_labels_as_wrong(small_moons):
    X, y = small_moons
    fitted = make_clf().fit(X, y)
    labels = fitted.predict(X)
    labels[:5] = 7  # a class that the training part of a split may lack
    assert fitted.score(X, labels) == 0.95
    assert fitted.score(X[:1], [7]) == 0
    assert fitted.score(X, y + 7) == 0


def test_score_refuses_strings_against_numbers(small_moons):
    X, y = small_moons
    fitted = make_clf().fit(X, y)
    words = np.where(y, "yes", "no")
    message = (
        r"y holds only labels of another type .* such as 'no': use the labels of fit, \[0, 1\]"
    )
    with pytest.raises(ValueError, match=message):
        fitted.score(X, words)
    clf = make_clf().fit(X, words)
    with pytest.raises(ValueError, match=r"another type .* such as 0: .* \['no', 'yes'\]"):
        clf.score(X, y)


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


# Dates


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


def test_dates_pickled_by_newer_numpy_are_labels():
    dates = np.array(["2026-01-01", "2026-01-02"], pickle.loads(PICKLED_DAYS))
    clf = make_clf().fit([[0.0], [1.0]], dates)
    assert clf.classes_.dtype == "M8[D]"
    assert clf.score([[0.0], [1.0]], dates) == 1
