"""Bad input: scikit-learn's kind of error, before training, and an earlier fit stays as it was."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

from two_layer_sigmoid import TwoLayerSigmoidClassifier

X = np.random.RandomState(0).standard_normal((20, 2))
y = np.arange(20) % 2
ZEROS = (np.zeros((3, 2)), np.zeros((3, 1)), np.zeros((1, 3)), np.zeros((1, 1)))


def with_entry(value):
    bad = X.copy()
    bad[3, 1] = value
    return bad


BAD_PARAMETERS = [
    ({"n_h": 0}, "'n_h' parameter .* int in the range .1, inf.. Got 0"),
    ({"n_h": 2.5}, "'n_h' parameter .* Got 2.5"),
    ({"learning_rate": 0}, "'learning_rate' parameter .* Got 0"),
    ({"learning_rate": -1.2}, "'learning_rate' parameter .* Got -1.2"),
    ({"learning_rate": np.inf}, "'learning_rate' parameter .* Got inf"),
    ({"learning_rate": np.nan}, "'learning_rate' parameter .* Got nan"),
    ({"learning_rate": "fast"}, "'learning_rate' parameter .* Got 'fast'"),
    ({"solver": "adam"}, "'solver' parameter .* must be a str among .* Got 'adam'"),
    ({"max_iter": 0}, "'max_iter' parameter .* Got 0"),
    ({"tol": -1e-6}, "'tol' parameter .* Got -1e-06"),
    ({"alpha": -1}, "'alpha' parameter .* Got -1"),
    ({"alpha": np.inf}, "'alpha' parameter .* Got inf"),
    ({"class_weight": "even"}, "'class_weight' parameter .* Got 'even'"),
    ({"init": "glorot"}, "'init' parameter .* Got 'glorot'"),
    ({"init": 3}, "'init' parameter .* Got 3"),
    ({"random_state": "seed"}, "'random_state' parameter .* Got 'seed'"),
    ({"verbose": -1}, "'verbose' parameter .* Got -1"),
    ({"n_h": 3, "init": ZEROS[:3]}, r"init must be .*\(\(3, 2\), \(3, 1\), \(1, 3\), \(1, 1\)\)"),
    ({"n_h": 4, "init": ZEROS}, r"init must be .* for n_h=4, .* got arrays of shapes \(\(3, 2\)"),
    ({"n_h": 3, "init": (*ZEROS[:3], [[np.nan]])}, "init must hold finite numbers"),
    ({"n_h": 3, "init": (*ZEROS[:3], [[1, 2], [3]])}, r"init must be \(W1, b1, W2, b2\), got"),
    ({"n_h": 3, "init": (*ZEROS[:3], [["a"]])}, "init must hold finite numbers"),
    ({"n_h": 3, "init": (*ZEROS[:3], [[1j]])}, "init must hold finite numbers"),
]

BAD_DATA = [
    (np.empty((0, 2)), np.empty(0), "Found array with 0 sample"),
    (np.empty((20, 0)), y, "0 feature"),
    (X[:, 0], y, "Expected 2D array, got 1D array"),
    (X[np.newaxis], y, "Found array with dim 3"),
    (with_entry(np.nan), y, "Input X contains NaN"),
    (with_entry(np.inf), y, "Input X contains infinity"),
    (X + 1j, y, "Complex data not supported"),
    (np.full(X.shape, "a", object), y, "could not convert"),
    (X, y[:-1], "inconsistent numbers of samples"),
    (X, np.zeros(20), "only one class"),
    (X, np.where(y, 1.5, 0.2), "Unknown label type: continuous"),
    (X, np.where(y, np.nan, 0.0), "Input y contains NaN"),
    (X, None, "requires y to be passed"),
    (X, np.column_stack([y, y + 1]), "multiclass-multioutput"),
    (X * 1e300, y, "too large or too small for float64: W1 x overflows.*StandardScaler"),
    (np.float32(1e-42) * X.astype(np.float32), y, "too large or too small for float32"),
]


@pytest.fixture
def fitted():
    return TwoLayerSigmoidClassifier(max_iter=5, random_state=0).fit(X, y)


def snapshot(clf):
    """A copy of all that an estimator holds; ``init`` itself, which may hold ragged arrays."""
    return copy.deepcopy(vars(clf)) | {"init": clf.init}


def assert_unchanged(clf, state):
    assert vars(clf).keys() == state.keys()
    assert clf.init is state["init"]
    for name in state.keys() - {"init"}:
        assert_array_equal(getattr(clf, name), state[name])


@pytest.mark.parametrize(("params", "message"), BAD_PARAMETERS)
def test_bad_parameters(fitted, params, message):
    fitted.set_params(**params)
    state = snapshot(fitted)
    with pytest.raises((ValueError, TypeError), match=message):
        fitted.fit(X, y)
    assert_unchanged(fitted, state)


@pytest.mark.parametrize(("bad_X", "bad_y", "message"), BAD_DATA)
def test_bad_data(fitted, bad_X, bad_y, message):
    state = snapshot(fitted)
    with pytest.raises((ValueError, TypeError), match=message):
        fitted.fit(bad_X, bad_y)
    assert_unchanged(fitted, state)
    assert fitted.predict(X).shape == (20,)


def test_a_start_that_overflows_names_the_remedy():
    W1, b1, W2, b2 = ZEROS
    with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
        TwoLayerSigmoidClassifier(n_h=3, init=(W1 + 1e200, b1, W2, b2)).fit(X * 1e150, y)
    with pytest.raises(ValueError, match=r"not finite at the initial.*smaller ones by init"):
        TwoLayerSigmoidClassifier(n_h=3, init=(W1, b1, W2 + 1e308, b2)).fit(X, y)


@pytest.mark.parametrize("scale", [1e25, 1e30])
def test_weights_that_grow_until_prediction_would_overflow(scale):
    labels = (X[:, 0] > 0).astype(int)
    clf = TwoLayerSigmoidClassifier(max_iter=200, random_state=0)
    with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
        clf.fit((scale * X).astype(np.float32), labels)
    assert not hasattr(clf, "W1_")


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # after one iteration
def test_reach_is_that_of_the_largest_entry():
    _, b1, W2, b2 = ZEROS
    rows = np.r_[X, [[0.0, 50.0], [0.0, -50.0]]]  # seven standard deviations out, in one column
    labels = np.r_[y, 0, 1]
    for weight, overflows in [(3e306, False), (4e306, True)]:
        start = ([[0, weight], [0, 0], [0, 0]], b1, W2, b2)
        clf = TwoLayerSigmoidClassifier(n_h=3, init=start, max_iter=1)
        if overflows:
            with pytest.raises(ValueError, match="W1 x overflows"):
                clf.fit(rows, labels)
        else:
            assert clf.fit(rows, labels).predict(rows).shape == (22,)


def test_bad_fit_leaves_an_unfitted_estimator_unfitted():
    clf = TwoLayerSigmoidClassifier(class_weight={0: 1, 5: 1})
    before = vars(clf).copy()
    with pytest.raises(ValueError, match="not in class_weight"):
        clf.fit(X, y)
    assert vars(clf) == before


@pytest.mark.parametrize(
    ("bad_X", "message"),
    [
        (X[:, :1], "X has 1 features, but TwoLayerSigmoidClassifier is expecting 2 features"),
        (X[0], "Expected 2D array, got 1D array"),
        (with_entry(np.nan), "Input X contains NaN"),
        (np.full((1, 2), "a", object), "could not convert"),
        (np.empty((0, 2)), "Found array with 0 sample"),
    ],
)
@pytest.mark.parametrize(
    "method", ["decision_function", "predict", "predict_proba", "predict_log_proba"]
)
def test_bad_data_at_prediction(fitted, method, bad_X, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(bad_X)


def test_prediction_that_overflows_names_the_remedy(fitted):
    fitted.W1_[0] = [1e10, -1e10]
    with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
        fitted.predict_proba(np.full((1, 2), 1e300))
    fitted.W1_[0] = 0
    fitted.W2_[0] = 1e308
    with pytest.raises(ValueError, match=r"overflows"):
        fitted.predict_proba(X)


@pytest.mark.parametrize("other", [np.where(y, "yes", "no"), y + 7])
def test_scoring_against_labels_that_are_coded_differently(fitted, other):
    message = r"y holds only labels that fit has not seen, such as .*: code it .* labels \[0, 1\]"
    with pytest.raises(ValueError, match=message):
        fitted.score(X, other)


def test_scoring_against_unknown_labels_counts_them_as_wrong(fitted):
    labels = fitted.predict(X)
    labels[:5] = 7  # a class that the training part of a split may lack
    assert fitted.score(X, labels) == 0.75
    assert fitted.score(X[:1], [7]) == 0


@pytest.mark.parametrize(
    "method", ["decision_function", "predict", "predict_proba", "predict_log_proba"]
)
def test_prediction_before_fit(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(TwoLayerSigmoidClassifier(), method)(X)
