"""Labels and weights to targets, logits back to labels and probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit
from sklearn.metrics import log_loss

from two_layer_sigmoid import TwoLayerSigmoidClassifier, _targets

Y_INDICATOR = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 1]])


def encode(y, sample_weight=None, class_weight=None, dtype=np.float64):
    y = y if sparse.issparse(y) else np.asarray(y)
    X = np.arange(y.shape[0], dtype=dtype)[:, np.newaxis]
    weights = _targets.check_weights(sample_weight, len(X))
    class_weight = resolved(class_weight, y, weights)
    return _targets.encode(X, y, weights, class_weight)[1]


def resolved(class_weight, y, weights):
    return _targets.resolved(class_weight, y, weights, [[slice(2), slice(2, y.shape[0])]])


@pytest.mark.parametrize("y", [[-1, 1, 1, -1], [False, True, True, False], list("nyyn")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_classes_are_one_output(y, dtype):
    Y, weights, classes, multilabel = encode(y, dtype=dtype)
    assert_array_equal(Y, [[0, 1, 1, 0]])
    assert Y.dtype == dtype
    assert weights is None
    assert_array_equal(classes, np.unique(y))
    assert not multilabel


def test_more_classes_are_one_output_each():
    Y, _, classes, multilabel = encode(["c", "a", "b", "a"])
    assert_array_equal(Y, [[0, 1, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]])
    assert_array_equal(classes, ["a", "b", "c"])
    assert not multilabel


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_multilabel_indicator_is_one_output_for_each_label(container):
    targets = encode(container(Y_INDICATOR), dtype=np.float32)
    assert_array_equal(targets.Y, Y_INDICATOR.T)
    assert targets.Y.dtype == np.float32
    assert targets.multilabel
    assert_array_equal(targets.classes, [0, 1, 2])


@pytest.mark.parametrize(
    ("sample_weight", "weights"),
    [
        ([1, 2, 4, 4], [0.25, 0.5, 1, 1]),
        ([1e300, 1e300, 2e300, 2e300], [0.5, 0.5, 1, 1]),
        ([3, 3, 3, 3], None),
        (2.0, None),
        (None, None),
    ],
)
def test_weights_are_scaled_to_the_largest(sample_weight, weights):
    assert_array_equal(encode([0, 1, 0, 1], sample_weight).weights, weights)


def test_balanced_counts_weights_not_rows():
    weights = encode([0, 0, 0, 1], [1, 2, 1, 2], "balanced").weights
    assert_allclose(weights, [0.25, 0.5, 0.25, 1])  # the classes weigh 4 and 2, then the same
    assert_allclose(encode([0, 0, 0, 1], None, "balanced").weights, [1 / 3, 1 / 3, 1 / 3, 1])


def test_balanced_is_the_same_for_weights_and_for_repeated_rows():
    y, times = np.array([0, 1, 1, 2, 2, 2]), np.array([3, 1, 1, 2, 1, 1])
    weighted = encode(y, times, "balanced").weights / times
    repeated = encode(y.repeat(times), None, "balanced").weights
    scale = repeated[0] / weighted[0]
    assert_allclose(repeated, (weighted * scale).repeat(times))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_rows_without_weight_are_dropped(container):
    X = container(np.arange(6.0)[:, np.newaxis])
    weights = np.array([0.5, 1, 0, 0, 0.5, 1])
    kept, targets = _targets.encode(X, np.array([0, 1, 2, 2, 1, 0]), weights, None)
    assert_array_equal(kept.toarray() if sparse.issparse(kept) else kept, [[0], [1], [4], [5]])
    assert_array_equal(targets.weights, [0.5, 1, 0.5, 1])
    assert_array_equal(targets.Y, [[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert_array_equal(targets.classes, [0, 1, 2])  # the class stays, as scikit-learn has it


def test_class_weight_multiplies_sample_weight():
    weights = encode(["a", "b", "b"], [1, 2, 1], {"a": 4, "b": 1}).weights
    assert_array_equal(weights, [0.5, 0.25, 0.125])


def test_a_class_without_weight_is_left_out_of_balance():
    assert_array_equal(encode([0, 1, 1, 2], [1, 1, 1, 0], "balanced").weights, [1, 0.5, 0.5])


@pytest.mark.parametrize(
    ("y", "sample_weight", "class_weight", "message"),
    [
        ([1, 1], None, None, "only one class, 1: "),
        (["b", "b"], None, None, "only one class, 'b'"),
        ([0, 1], [1, 0], None, "only one class, 0, in the rows of positive weight"),
        ([0, 1], [1, -1], None, "sample_weight must be finite and non-negative"),
        ([0, 1], [0, 0], None, "sample_weight is zero for every row"),
        ([0, 1], [1, np.nan], None, "sample_weight contains NaN"),
        ([0, 1], [1, np.inf], None, "sample_weight contains infinity"),
        ([0, 1], [1, 2, 3], None, r"sample_weight has shape \(3,\).*\(2,\)"),
        ([0, 1], [[1], [2]], None, r"sample_weight has shape \(2, 1\).*\(2,\)"),
        ([0, 1], ["a", "b"], None, "could not convert string to float"),
        ([0, 1], "balanced", None, "sample_weight must hold one number .* got 'balanced'"),
        ([0, 1], None, {0: 1, 1: -1}, "class_weight must be finite and non-negative"),
        ([0, 1], None, {0: 1, 1: np.nan}, "class_weight must be finite and non-negative"),
        ([0, 1], None, {0: 1, 7: 1}, "are not in class_weight"),
        ([0, 1], None, {0: 1, 1: 0}, "only one class"),
        (Y_INDICATOR, None, "balanced", "class_weight='balanced' is not supported for multilabel"),
        ([[-1, 1], [1, 1]], None, None, "indicator matrix of 0 and 1, got the values"),
        ([[1, 2], [3, 1]], None, None, "MultiOutputClassifier"),
        ([0.5, 1.5], None, None, "Unknown label type: continuous"),
    ],
)
def test_errors(y, sample_weight, class_weight, message):
    with pytest.raises(ValueError, match=message):
        encode(y, sample_weight, class_weight)


@pytest.mark.parametrize("y", [["a", None, "b"], ["a", 1, 2]])
def test_labels_of_mixed_kinds(y):
    with pytest.raises(TypeError, match=r"y mixes labels of the types .*: use"):
        encode(np.array(y, dtype=object))


def test_constant_cost_is_the_loss_of_the_base_rate():
    y, w, rate = np.array([0, 1, 1, 1]), np.array([1, 2, 1, 1]), 4 / 5
    expected = log_loss(y, np.full(4, rate), sample_weight=w)
    assert_allclose(_targets.constant_cost(np.array([rate])), expected)
    assert _targets.constant_cost(np.array([0.0, 1.0])) == 0


def test_labels_need_more_than_a_half():
    classes = np.array(["no", "yes"])
    tiny = np.finfo(float).tiny  # its sigmoid rounds to 0.5, yet it is above
    assert_array_equal(
        _targets.labels(np.array([[-1.0], [0.0], [tiny], [1.0]]), classes, False),
        ["no", "no", "yes", "yes"],
    )
    Z2 = np.array([[-3.0, -2, -1], [50, 60, 40]])
    assert_array_equal(_targets.labels(Z2, np.array([5, 6, 7]), False), [7, 6])
    assert_array_equal(_targets.labels(Z2, np.arange(3), True), [[0, 0, 0], [1, 1, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("multilabel", [False, True])
def test_probabilities_lie_inside_and_agree_with_their_logarithms(dtype, multilabel):
    z = np.array([-800, -30, -1, 0, 1, 30, 800], dtype)
    Z2 = np.column_stack([z, z[::-1], 0.5 * z])
    P = _targets.probabilities(Z2, multilabel)
    log_P = _targets.log_probabilities(Z2, multilabel)
    assert P.dtype == log_P.dtype == dtype
    assert (P > 0).all()
    assert (P < 1).all()
    assert np.isfinite(log_P).all()
    inside = log_P > np.log(np.finfo(dtype).tiny)
    tol = 10 * np.finfo(dtype).eps
    assert_allclose(log_P[inside], np.log(P[inside]), rtol=tol, atol=tol)
    if multilabel:
        assert_allclose(P, expit(Z2), rtol=tol, atol=np.finfo(dtype).tiny)
    else:
        assert_allclose(P.sum(axis=1), 1, rtol=tol)


def test_log_probabilities_of_many_classes_sort_as_probabilities_do():
    Z2 = np.array([[-900.0, -800.0, 5.0], [-800.0, -900.0, 5.0], [-1e6, 3.0, -2e6]])
    P, log_P = _targets.probabilities(Z2, False), _targets.log_probabilities(Z2, False)
    assert_array_equal(np.argsort(log_P), np.argsort(P))
    assert_allclose(log_P, np.log(P), rtol=1e-12, atol=1e-15)


def test_log_probabilities_end_in_sight_of_the_smallest_probability():
    log_P = _targets.log_probabilities(np.array([[-1e6]]), False)
    assert_array_equal(log_P[0, 1], 8 * np.log(np.finfo(float).tiny))


def test_labels_are_coded_by_given_classes():
    targets = encode_like(["b", "b"], classes=["a", "b", "c"])
    assert_array_equal(targets.Y, [[0, 0], [1, 1], [0, 0]])
    assert_array_equal(encode_like([0, 0], classes=[0, 1]).Y, [[0, 0]])


def encode_like(y, classes):
    X = np.zeros((len(y), 1))
    return _targets.encode(X, np.asarray(y), None, None, classes=np.asarray(classes))[1]


def test_split_keeps_shares_weights_and_order():
    y = np.arange(100) % 4 == 0
    X, targets = _targets.encode(np.arange(100.0)[:, np.newaxis], y, np.arange(1, 101) / 100, None)
    parts = _targets.split(X, targets, 0.2, np.random.RandomState(0))
    assert [len(part) for part, _ in parts] == [80, 20]
    for part, of_part in parts:
        rows = part[:, 0].astype(int)
        assert (np.diff(rows) > 0).all()
        assert_array_equal(of_part.Y[0], y[rows])
        assert_array_equal(of_part.weights, (rows + 1) / 100)
        assert of_part.Y.mean() == 0.25
    assert_array_equal(np.sort(np.r_[parts[0][0], parts[1][0]], axis=0), X)


def test_balanced_weights_can_be_given_to_other_rows():
    assert resolved("balanced", np.array(list("aab")), None) == {"a": 0.5, "b": 1.0}
    given = resolved("balanced", np.array([0, 1]), np.array([2, 1]))
    assert given[1] == 2 * given[0]
    assert resolved({0: 3}, np.array([0, 1]), None) == {0: 3}


def test_two_classes_get_both_probabilities_from_one_logit():
    Z2 = np.array([[-800.0], [-1.0], [800.0]])
    P = _targets.probabilities(Z2, False)
    assert_allclose(P[:, 1], [0, expit(-1.0), 1], atol=1e-15)
    assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
    log_P = _targets.log_probabilities(Z2, False)
    assert_array_equal(log_P[0], [0, -800])
    assert_array_equal(log_P[2], [-800, 0])


def test_normalising_survives_logits_that_are_all_hopeless():
    P = _targets.probabilities(np.array([[-1000.0, -1000.0, -1001.0]]), False)
    expected = np.exp([0, 0, -1.0])
    assert_allclose(P, [expected / expected.sum()])


# Labels of another dtype than the classes. A cast must never make unequal labels equal.

NUMBERS = [0, 1, 2, 3, 10, 255, 256, 257, -1, -255, 2**53, 2**53 + 1, 2**63, -(2**63)]
TEXTS = ["1", "2", "10", "20", "a", "apple", "b", "True"]
DATES = ["2026-01-01", "2026-01-01T12", "2026-01-02", "1960-05-05"]


def labels_of(dtype):
    """All labels of the lists above that an array of this dtype holds without a change."""
    dtype = np.dtype(dtype)
    if dtype.kind == "M":
        return np.unique(np.array(DATES, dtype))
    if dtype.kind in "US":
        return np.array([text for text in TEXTS if len(text) <= int(dtype.str[2:])], dtype)
    if dtype.kind == "O":
        return np.array(TEXTS, object)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind == "f":
        return np.array([n for n in NUMBERS if int(dtype.type(n)) == n], dtype)
    limits = np.iinfo(dtype)
    return np.array([n for n in NUMBERS if limits.min <= n <= limits.max], dtype)


DTYPES = ["?", "i1", "u1", "i2", "i8", "u8", "f4", "f8", "U1", "U5", "S5", "O", "M8[D]", "M8[s]"]


def equal(label, known):
    """Equality by Python's exact comparison, of dates by NumPy's in their common unit."""
    if isinstance(label, np.datetime64) or isinstance(known, np.datetime64):
        return type(label) is type(known) and label == known
    unpacked = (x.item() if isinstance(x, np.generic) else x for x in (label, known))
    return bool(np.equal(*(np.array(x, object) for x in unpacked)))


@given(st.sampled_from(DTYPES), st.sampled_from(DTYPES), st.data())
def test_unequal_labels_are_refused_for_all_dtypes(dtype, other, data):
    classes = labels_of(dtype)
    chosen = data.draw(st.lists(st.integers(0, len(classes) - 1), min_size=2, unique=True))
    classes = np.sort(classes[chosen])
    labels = labels_of(other)
    y = labels[data.draw(st.lists(st.integers(0, len(labels) - 1), min_size=1))]
    expected = [next((i for i, k in enumerate(classes) if equal(label, k)), None) for label in y]
    if None in expected:
        with pytest.raises(ValueError, match="y holds labels that are not among the classes"):
            _targets.label_codes(y, classes)
    else:
        assert_array_equal(_targets.label_codes(y, classes), expected)


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
def test_partial_fit_and_validation_refuse_unequal_labels(small_moons, classes, labels):
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
def test_equal_labels_of_another_dtype_are_known(small_moons, classes, labels):
    X, y = small_moons
    one, other = (
        TwoLayerSigmoidClassifier(max_iter=5, random_state=0)
        .partial_fit(X, np.asarray(classes)[y], classes=classes)
        .partial_fit(X, np.asarray(given)[y])
        for given in (classes, labels)
    )
    assert_array_equal(one.W1_, other.W1_)
    assert one.classes_.dtype == other.classes_.dtype
